/* Ids and hashes that travel in tokens and in the store.
 *
 * A position id is 96 bits: random, or the front of an HMAC over queue and idempotency key, so that
 * a repeated join names the same place and nobody can compute the id of somebody else's key. The
 * queue's name cannot hold a NUL, so the NUL between the two keeps ("a", "bc") and ("ab", "c")
 * apart.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h> /* OpenSSL's generator takes more than twice as long */

#include "signer.h"
#include "waitingroom/entry_token.h"
#include "waitingroom/token.h"

#define POSITION_ID_BYTES 12
#define SHORT_HASH_BYTES 8
#define LINK_MAC_BYTES 16
#define SHA256_BYTES 32

_Static_assert(BASE64URL_LEN(POSITION_ID_BYTES) == POSITION_ID_CHARS, "");
_Static_assert(BASE64URL_LEN(SHORT_HASH_BYTES) == EPOCH_CHARS, "");
_Static_assert(BASE64URL_LEN(SHORT_HASH_BYTES) == TARGET_HASH_CHARS, "");
_Static_assert(BASE64URL_LEN(LINK_MAC_BYTES) == LINK_MAC_CHARS, "");

static void must(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "waitingroom: %s failed\n", what);
	abort();
}

static void encode(const uint8_t *bytes, size_t len, char *ret_text)
{
	ret_text[base64url_encode(bytes, len, ret_text)] = '\0';
}

/* Up to 256 bytes getrandom gives all or, before the machine has collected any entropy, waits. */
static void random_text(size_t bytes, char *ret_text)
{
	uint8_t random[POSITION_ID_BYTES];
	must(getrandom(random, bytes, 0) == (ssize_t)bytes, "getrandom");
	encode(random, bytes, ret_text);
}

void position_id_random(char ret_id[POSITION_ID_CHARS + 1])
{
	random_text(POSITION_ID_BYTES, ret_id);
}

void epoch_random(char ret_epoch[EPOCH_CHARS + 1])
{
	random_text(SHORT_HASH_BYTES, ret_epoch);
}

bool epoch_counts(const char *epoch, const char *now, const char *lost)
{
	size_t len = strlen(epoch);
	if (strcmp(epoch, now) == 0)
		return true;
	for (const char *at = lost; len > 0 && *at != '\0'; at += strspn(at, ",")) {
		size_t their_len = strcspn(at, ",");
		if (their_len == len && memcmp(at, epoch, len) == 0)
			return true;
		at += their_len;
	}
	return false;
}

void epochs_lost(const char *now, const char *lost, char ret_lost[LOST_EPOCHS_BYTES])
{
	size_t len = strnlen(now, EPOCH_CHARS), kept = strlen(lost);
	char all[LOST_EPOCHS_BYTES];
	memcpy(all, now, len);
	/* Shorter by whole epochs until it fits. */
	while (kept > 0 && len + 1 + kept >= LOST_EPOCHS_BYTES) {
		const char *comma = memrchr(lost, ',', kept);
		kept = comma != NULL ? (size_t)(comma - lost) : 0;
	}
	if (kept > 0) {
		all[len++] = ',';
		memcpy(all + len, lost, kept);
	}
	memcpy(ret_lost, all, len + kept);
	ret_lost[len + kept] = '\0';
}

void position_id_from_key(struct signer *signer, const struct queue_name *queue, const char *key,
						  size_t len, char ret_id[POSITION_ID_CHARS + 1])
{
	char name[QUEUE_NAME_TEXT_BYTES];
	size_t name_len = queue_name_print(queue, name);
	struct signed_part parts[] = {
		{.bytes = name, .len = name_len + 1}, /* with its NUL */
		{.bytes = key, .len = len},
	};
	uint8_t mac[HS256_BYTES];
	signer_hs256(signer, signer_keys(signer)->first[KEY_IDENTITY], parts, 2, mac);
	encode(mac, POSITION_ID_BYTES, ret_id);
}

void position_id_from_identity(struct signer *signer, const struct queue_name *queue,
							   const char *identity, char ret_id[POSITION_ID_CHARS + 1])
{
	char text[ENTRY_IDENTITY_MAX_BYTES + 2];
	int len = snprintf(text, sizeof(text), "\1%s", identity);
	position_id_from_key(signer, queue, text, (size_t)len, ret_id);
}

bool position_id_is_valid(const char *text, size_t len)
{
	uint8_t bytes[POSITION_ID_BYTES];
	size_t got;
	return len == POSITION_ID_CHARS && base64url_decode(text, len, bytes, sizeof(bytes), &got);
}

static void sha256(const char *text, size_t len, uint8_t ret_digest[SHA256_BYTES])
{
	must(EVP_Digest(text, len, ret_digest, NULL, EVP_sha256(), NULL) == 1, "SHA-256");
}

void target_hash(const char *target, size_t len, char ret_hash[TARGET_HASH_CHARS + 1])
{
	uint8_t digest[SHA256_BYTES];
	sha256(target, len, digest);
	encode(digest, SHORT_HASH_BYTES, ret_hash);
}

void sha256_hex(const char *text, size_t len, char ret_hex[65])
{
	static const char hex[16] = "0123456789abcdef";
	uint8_t digest[SHA256_BYTES];
	sha256(text, len, digest);
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		ret_hex[2 * i] = hex[digest[i] >> 4];
		ret_hex[2 * i + 1] = hex[digest[i] & 15];
	}
	ret_hex[2 * SHA256_BYTES] = '\0';
}

void sha256_base64(const char *text, size_t len, char ret_text[45])
{
	uint8_t digest[SHA256_BYTES];
	sha256(text, len, digest);
	EVP_EncodeBlock((unsigned char *)ret_text, digest, SHA256_BYTES);
}

void link_mac(struct signer *signer, const char *purpose, const char *text, size_t len,
			  char ret_mac[LINK_MAC_CHARS + 1])
{
	struct signed_part parts[] = {
		{.bytes = purpose, .len = strlen(purpose) + 1}, /* with its NUL */
		{.bytes = text, .len = len},
	};
	uint8_t mac[HS256_BYTES];
	signer_hs256(signer, signer_keys(signer)->first[KEY_IDENTITY], parts, 2, mac);
	encode(mac, LINK_MAC_BYTES, ret_mac);
}

bool link_mac_is_equal(const char *given, const char mac[LINK_MAC_CHARS + 1])
{
	return strlen(given) == LINK_MAC_CHARS && CRYPTO_memcmp(given, mac, LINK_MAC_CHARS) == 0;
}
