/* The key file: reading it with care, and writing a first one.
 *
 * The file is small and secret. It is read whole into memory that is wiped, is refused when
 * everybody may read it, and must be a plain file (a pipe would hang a reload). A new one is made
 * with O_EXCL and mode 0400, so that no run ever replaces keys that are in use. Its kids are
 * random: verifiers keep public keys by kid, and a kid that comes again with another key would make
 * them refuse good tokens.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h> /* who may read the file is part of the check */
#include <unistd.h>

#include "key_table.h"
#include "waitingroom/memory.h"

#define FILE_MAX_BYTES 65536 /* KEYS_MAX rows of PEM are below 8 kB */
#define KID_RANDOM_BYTES 6

struct secret_text {
	char bytes[FILE_MAX_BYTES];
	size_t len;
};

static void secret_text_free_at(struct secret_text **text)
{
	if (*text)
		explicit_bzero(*text, sizeof(**text));
	mem_free_at(text);
}

static void close_at(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
}

static enum wr_err read_all(int descriptor, struct secret_text *text)
{
	while (text->len < sizeof(text->bytes)) {
		ssize_t got = read(descriptor, text->bytes + text->len, sizeof(text->bytes) - text->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? WR_OK : WR_IO;
		text->len += (size_t)got;
	}
	return WR_OK;
}

enum wr_err keys_load(const char *path, struct keys **ret_keys, struct err_detail *ret_detail)
{
	/* O_NONBLOCK: opening a pipe must not wait for its writer */
	WR_AUTO(close_at) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	if (descriptor < 0 || fstat(descriptor, &status))
		return err_say(ret_detail, WR_IO, "key file %.150s cannot be opened: %s", path,
					   strerror(errno));
	if (!S_ISREG(status.st_mode))
		return err_say(ret_detail, WR_BAD_CONFIG, "key file: must be a plain file");
	if (status.st_mode & 007)
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "key file: everybody may use it (mode %04o); chmod 0400",
					   (unsigned)status.st_mode & 07777);
	WR_AUTO(secret_text_free_at) struct secret_text *text = mem_alloc_zero(1, sizeof(*text));
	if (read_all(descriptor, text))
		return err_say(ret_detail, WR_IO, "key file: %s", strerror(errno));
	if (text->len == sizeof(text->bytes))
		return err_say(ret_detail, WR_BAD_CONFIG, "key file: larger than %d bytes", FILE_MAX_BYTES);
	return keys_parse(text->bytes, text->len, ret_keys, ret_detail);
}

/* ---- a fresh file ---- */

static enum wr_err random_base64url(size_t bytes, char *ret_text)
{
	uint8_t random[KEY_SECRET_MIN_BYTES];
	if (bytes > sizeof(random) || RAND_priv_bytes(random, (int)bytes) != 1)
		return WR_IO;
	ret_text[base64url_encode(random, bytes, ret_text)] = '\0';
	explicit_bzero(random, sizeof(random));
	return WR_OK;
}

/* fills text with a new P-256 private key in PEM (PKCS #8) and NUL */
static enum wr_err generate_pem(char *text, size_t room)
{
	enum wr_err err = WR_IO;
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	BIO *bio = BIO_new(BIO_s_secmem());
	if (pair && bio && PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL) == 1) {
		int got = BIO_read(bio, text, (int)room - 1);
		if (got > 0 && (size_t)got < room - 1) {
			text[got] = '\0';
			err = WR_OK;
		}
	}
	BIO_free(bio);
	EVP_PKEY_free(pair);
	return err;
}

/* The letter in front of the kid is for people who read logs. */
static enum wr_err print_fresh_row(struct json_out *out, enum key_use use, const char *word,
								   const char *alg)
{
	char kid[BASE64URL_LEN(KID_RANDOM_BYTES) + 3] = {word[0], '-'};
	char key[1024];
	enum wr_err err = random_base64url(KID_RANDOM_BYTES, kid + 2);
	if (!err)
		err = use == KEY_SESSION ? generate_pem(key, sizeof(key))
								 : random_base64url(KEY_SECRET_MIN_BYTES, key);
	if (err)
		return err;
	json_out_object(out, NULL);
	json_out_string(out, "kid", kid);
	json_out_string(out, "use", word);
	json_out_string(out, "alg", alg);
	json_out_string(out, "key", key);
	json_out_object_end(out);
	explicit_bzero(key, sizeof(key));
	return WR_OK;
}

static enum wr_err print_fresh_keys(struct secret_text *text)
{
	struct json_out out;
	json_out_init(&out, text->bytes, sizeof(text->bytes) - 1);
	json_out_object(&out, NULL);
	json_out_array(&out, "keys");
	enum wr_err err = WR_OK;
#define FRESH_ROW(use, word, alg, typ) err = err ? err : print_fresh_row(&out, use, word, alg);
	KEY_USE_TABLE(FRESH_ROW)
	/* The next session key: in the JWKS long before it signs, since proxies keep that for a
	 * while. */
	FRESH_ROW(KEY_SESSION, "session", "ES256", )
#undef FRESH_ROW
	json_out_array_end(&out);
	json_out_object_end(&out);
	text->len = out.len;
	text->bytes[text->len++] = '\n';
	return err;
}

static enum wr_err write_all(int descriptor, const struct secret_text *text)
{
	for (size_t at = 0; at < text->len;) {
		ssize_t put = write(descriptor, text->bytes + at, text->len - at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return WR_IO;
		at += (size_t)put;
	}
	return fsync(descriptor) ? WR_IO : WR_OK;
}

enum wr_err keys_generate(const char *path, struct err_detail *ret_detail)
{
	WR_AUTO(secret_text_free_at) struct secret_text *text = mem_alloc_zero(1, sizeof(*text));
	enum wr_err err = print_fresh_keys(text);
	if (err)
		return err_say(ret_detail, err, "key file: new keys could not be made");
	WR_AUTO(close_at) int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (descriptor < 0 && errno == EEXIST)
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "key file: exists already; move it away first if it is not in use");
	if (descriptor < 0)
		return err_say(ret_detail, WR_IO, "key file %.150s cannot be made: %s", path,
					   strerror(errno));
	if (write_all(descriptor, text)) {
		err_say(ret_detail, WR_IO, "key file: %s", strerror(errno));
		unlink(path);
		return WR_IO;
	}
	return WR_OK;
}
