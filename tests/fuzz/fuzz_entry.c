/* Fuzzes the verification of entry tokens, whose header and payload strangers have written.
 *
 * The input is a header and a payload in plain JSON with a line end between them; they are encoded
 * and signed here, since no random change would ever get past the signature. What must hold:
 *
 *   - what is not signed never verifies: the same text with another key, and the input as it is;
 *   - claims that verify are within the bounds that the rest of the program relies on.
 */
#include "support/key_texts.h"
#include "waitingroom/entry_token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 8192

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct wall_time now = {.ms = INT64_C(1893453000000)};
static const struct queue_name queue = {"default", "demo"};
static struct queue_settings settings;

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char json[] =
		"{\"entry_keys\":[{\"kid\":\"a\",\"alg\":\"HS256\",\"key\":\"" SECRET_A "\"}]}";
	struct queue_settings base;
	(void)argc, (void)argv;
	queue_settings_default(&base);
	check(queue_settings_from_json(json, strlen(json), &base, &settings, NULL) == WR_OK);
	return 0;
}

static enum wr_err verify(const char *text, size_t len, struct entry_claims *ret_claims)
{
	char *exact = malloc(len ? len : 1); /* the sanitizer sees a read behind it */
	memcpy(exact, text, len);
	enum wr_err err = entry_token_verify(&settings, &queue, exact, len, now, ret_claims);
	free(exact);
	return err;
}

static size_t sign(const uint8_t *data, size_t size, uint8_t first_of_key, char text[TEXT_MAX])
{
	uint8_t key[32], mac[32];
	const uint8_t *end = memchr(data, '\n', size);
	size_t header_len = end ? (size_t)(end - data) : size;
	size_t payload_len = end ? size - header_len - 1 : 0;
	for (size_t i = 0; i < sizeof(key); i++) /* SECRET_A, when it begins with 0 */
		key[i] = (uint8_t)(i + first_of_key);
	size_t len = base64url_encode(data, header_len, text);
	text[len++] = '.';
	len += base64url_encode(data + size - payload_len, payload_len, text + len);
	HMAC(EVP_sha256(), key, sizeof(key), (const uint8_t *)text, len, mac, NULL);
	text[len++] = '.';
	return len + base64url_encode(mac, sizeof(mac), text + len);
}

static void check_claims(const struct entry_claims *claims)
{
	check(strlen(claims->id) == ENTRY_ID_CHARS);
	check(strlen(claims->identity) <= ENTRY_IDENTITY_MAX_BYTES);
	check(utf8_is_valid(claims->identity, strlen(claims->identity)));
	check(claims->lane[0] == '\0' || name_is_valid(claims->lane, strlen(claims->lane)));
	check(claims->issued_s >= 0 && claims->issued_s <= now.ms / 1000 + TOKEN_LEEWAY_S);
	check(claims->expires_s + TOKEN_LEEWAY_S > now.ms / 1000);
	check(claims->expires_s - claims->issued_s <= ENTRY_LIFE_MAX_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX];
	struct entry_claims claims;
	if (size > 4096)
		return 0;
	check(verify((const char *)data, size, &claims) != WR_OK);
	check(verify(text, sign(data, size, 1, text), &claims) == WR_BAD_TOKEN);
	if (verify(text, sign(data, size, 0, text), &claims) == WR_OK)
		check_claims(&claims);
	return 0;
}
