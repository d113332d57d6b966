/* Fuzzes the verification of tokens with fixed keys.
 *
 * The mutator changes the payload and signs it again, since no random change would ever get past
 * the signature; every eighth time it changes the text as it is. What must hold:
 *
 *   - what verifies was signed with our key, by another implementation's judgement;
 *   - claims that verify can be printed, and verify again as the same claims.
 */
#include "support/key_texts.h"
#include "waitingroom/token.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define POSITION_HEADER "{\"alg\":\"HS256\",\"kid\":\"p1\",\"typ\":\"wr-position+jwt\"}"
#define SESSION_HEADER "{\"alg\":\"ES256\",\"kid\":\"s1\",\"typ\":\"wr-session+jwt\"}"
#define PASS_HEADER "{\"alg\":\"ES256\",\"kid\":\"s1\",\"typ\":\"wr-pass+jwt\"}"
#define PAYLOAD_MAX 800

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static const struct wall_time now = {.ms = INT64_C(1893453000000)};
static struct keys *keys;
static struct signer *signer;
static uint8_t secret[32];	   /* SECRET_A */
static uint8_t x[32], y[32];   /* PEM_A's public half */
static EVP_PKEY *session_pair; /* PEM_A */

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void decode(const char *text, uint8_t ret_bytes[32])
{
	size_t len;
	check(base64url_decode(text, strlen(text), ret_bytes, 32, &len) && len == 32);
}

static EVP_PKEY *read_session_pair(void)
{
	/* PKCS #8 in DER: PEM_A without its armour */
	static const char body[] = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgO9CrotL4LcaloSDz"
							   "3zpZH+W56PoEOYPb1nOi27dkx3qhRANCAASuN8iJ435E5mmR4OmyvS6qddyhraBK"
							   "AcI9z0ROqC/t4MqiPXgX8S8bYpgMjnvSOU+crsDa4iOWZa2v80UHygiZ";
	uint8_t der[3 * sizeof(body) / 4 + 3];
	int len = EVP_DecodeBlock(der, (const uint8_t *)body, sizeof(body) - 1);
	check(len > 0);
	const uint8_t *at = der;
	return d2i_AutoPrivateKey(NULL, &at, len);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	check(keys_parse(KEY_FILE_OF_THREE, strlen(KEY_FILE_OF_THREE), &keys, NULL) == WR_OK);
	signer = signer_new();
	signer_use_keys(signer, keys);
	decode(SECRET_A, secret);
	decode("rjfIieN-ROZpkeDpsr0uqnXcoa2gSgHCPc9ETqgv7eA", x);
	decode("yqI9eBfxLxtimAyOe9I5T5yuwNriI5Zlra_zRQfKCJk", y);
	session_pair = read_session_pair();
	check(session_pair);
	return 0;
}

/* ---- the mutator ---- */

static size_t encode(const void *bytes, size_t len, uint8_t *ret_text)
{
	return base64url_encode(bytes, len, (char *)ret_text);
}

static size_t sign_position(const uint8_t *text, size_t len, uint8_t *ret_signature)
{
	uint8_t mac[32];
	HMAC(EVP_sha256(), secret, sizeof(secret), text, len, mac, NULL);
	return encode(mac, sizeof(mac), ret_signature);
}

static size_t sign_session(const uint8_t *text, size_t len, uint8_t *ret_signature)
{
	uint8_t der[80], numbers[64];
	size_t der_len = sizeof(der);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	check(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, session_pair) == 1 &&
		  EVP_DigestSign(context, der, &der_len, text, len) == 1);
	EVP_MD_CTX_free(context);
	const uint8_t *at = der;
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
	check(signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), numbers, 32) == 32 &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(signature), numbers + 32, 32) == 32);
	ECDSA_SIG_free(signature);
	return encode(numbers, sizeof(numbers), ret_signature);
}

/* The payload of a token, or nothing when data is none. */
static size_t payload_of(const uint8_t *data, size_t size, uint8_t ret_payload[PAYLOAD_MAX])
{
	const uint8_t *first = memchr(data, '.', size);
	const uint8_t *end = data + size;
	const uint8_t *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
	size_t len;
	if (!second || !base64url_decode((const char *)first + 1, (size_t)(second - first - 1),
									 ret_payload, PAYLOAD_MAX, &len))
		return 0;
	return len;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	if (seed % 8 == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	bool session = seed % 8 <= 2; /* rarely: ES256 takes its time */
	const char *header = seed % 8 == 1 ? SESSION_HEADER : session ? PASS_HEADER : POSITION_HEADER;
	uint8_t payload[PAYLOAD_MAX], text[2048];
	size_t payload_len = payload_of(data, size, payload);
	payload_len = LLVMFuzzerMutate(payload, payload_len, sizeof(payload));
	size_t len = encode(header, strlen(header), text);
	text[len++] = '.';
	len += encode(payload, payload_len, text + len);
	uint8_t signature[BASE64URL_LEN(64)];
	size_t signature_len =
		session ? sign_session(text, len, signature) : sign_position(text, len, signature);
	text[len++] = '.';
	memcpy(text + len, signature, signature_len);
	len += signature_len;
	if (len > max_size)
		return LLVMFuzzerMutate(data, size, max_size);
	memcpy(data, text, len);
	return len;
}

/* ---- what must hold ---- */

static void check_position(const char *text, size_t len)
{
	struct position_claims claims, again;
	if (position_token_verify(signer, text, len, now, &claims) != WR_OK)
		return;
	check(jws_hs256_is_valid(text, len, secret, sizeof(secret)));
	char printed[TOKEN_MAX_BYTES + 1];
	size_t printed_len;
	check(position_token_print(signer, &claims, printed, &printed_len) == WR_OK);
	check(position_token_verify(signer, printed, printed_len, now, &again) == WR_OK);
	check(queue_name_equal(&claims.queue, &again.queue) && claims.ticket == again.ticket &&
		  strcmp(claims.position_id, again.position_id) == 0 &&
		  strcmp(claims.epoch, again.epoch) == 0 && strcmp(claims.lane, again.lane) == 0 &&
		  strcmp(claims.target_hash, again.target_hash) == 0 && claims.holder == again.holder &&
		  claims.issued_s == again.issued_s && claims.expires_s == again.expires_s);
}

static void check_session(const char *text, size_t len)
{
	struct session_claims claims, again;
	if (session_token_verify(signer, text, len, now, &claims) != WR_OK)
		return;
	check(jws_es256_is_valid(text, len, x, y));
	char printed[TOKEN_MAX_BYTES + 1];
	size_t printed_len;
	check(session_token_print(signer, &claims, printed, &printed_len) == WR_OK);
	check(session_token_verify(signer, printed, printed_len, now, &again) == WR_OK);
	check(queue_name_equal(&claims.queue, &again.queue) &&
		  strcmp(claims.position_id, again.position_id) == 0 &&
		  strcmp(claims.epoch, again.epoch) == 0 && strcmp(claims.lane, again.lane) == 0 &&
		  claims.ticket == again.ticket && strcmp(claims.binding, again.binding) == 0 &&
		  claims.renewal == again.renewal && claims.issued_s == again.issued_s &&
		  claims.expires_s == again.expires_s);
}

static void check_pass(const char *text, size_t len)
{
	struct pass_claims claims, again;
	struct session_claims session;
	if (pass_token_verify(signer, text, len, now, &claims) != WR_OK)
		return;
	check(jws_es256_is_valid(text, len, x, y));
	check(session_token_verify(signer, text, len, now, &session) == WR_BAD_TOKEN);
	char printed[TOKEN_MAX_BYTES + 1];
	size_t printed_len;
	check(pass_token_print(signer, &claims, printed, &printed_len) == WR_OK);
	check(pass_token_verify(signer, printed, printed_len, now, &again) == WR_OK);
	check(queue_name_equal(&claims.queue, &again.queue) &&
		  strcmp(claims.position_id, again.position_id) == 0 &&
		  strcmp(claims.epoch, again.epoch) == 0 && strcmp(claims.pass_id, again.pass_id) == 0 &&
		  strcmp(claims.lane, again.lane) == 0 && claims.ticket == again.ticket &&
		  strcmp(claims.binding, again.binding) == 0 && claims.renewal == again.renewal &&
		  claims.session_expires_s == again.session_expires_s &&
		  claims.issued_s == again.issued_s && claims.expires_s == again.expires_s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_position((const char *)data, size);
	check_session((const char *)data, size);
	check_pass((const char *)data, size);
	return 0;
}
