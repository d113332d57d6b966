/* Admin keys of the store: made, hashed, checked against a row. The file's: admin_keys_file.c. */
#include "admin_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"
#include "waitingroom/token.h"

#define PREFIX "wrk_"
#define PREFIX_CHARS 4
#define SECRET_BYTES 32
#define SECRET_CHARS 43
#define KEY_CHARS (PREFIX_CHARS + ADMIN_KEY_ID_CHARS + 1 + SECRET_CHARS)
#define MAC_PURPOSE "admin-key"

_Static_assert(ADMIN_KEY_MAC_CHARS == LINK_MAC_CHARS, "");
_Static_assert(BASE64URL_LEN(SECRET_BYTES) == SECRET_CHARS, "");
_Static_assert(KEY_CHARS < ADMIN_KEY_BYTES, "");

static const char id_letters[] = "abcdefghijklmnopqrstuvwxyz234567"; /* RFC 4648 base32 */

void admin_key_random(char ret_key[ADMIN_KEY_BYTES], char ret_id[ADMIN_KEY_ID_CHARS + 1])
{
	uint8_t random[SECRET_BYTES + ADMIN_KEY_ID_CHARS];
	char secret[SECRET_CHARS + 1];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	for (size_t i = 0; i < ADMIN_KEY_ID_CHARS; i++)
		ret_id[i] = id_letters[random[SECRET_BYTES + i] & 31];
	ret_id[ADMIN_KEY_ID_CHARS] = '\0';
	secret[base64url_encode(random, SECRET_BYTES, secret)] = '\0';
	snprintf(ret_key, ADMIN_KEY_BYTES, PREFIX "%s_%s", ret_id, secret);
}

bool admin_key_id(const char *key, char ret_id[ADMIN_KEY_ID_CHARS + 1])
{
	const char *id = key + PREFIX_CHARS;
	if (strlen(key) != KEY_CHARS || strncmp(key, PREFIX, PREFIX_CHARS) != 0 ||
		strspn(id, id_letters) != ADMIN_KEY_ID_CHARS || id[ADMIN_KEY_ID_CHARS] != '_')
		return false;
	memcpy(ret_id, id, ADMIN_KEY_ID_CHARS);
	ret_id[ADMIN_KEY_ID_CHARS] = '\0';
	return true;
}

void admin_key_mac(struct signer *signer, const char *key, const struct admin_caller *caller,
				   int64_t expires_ms, char ret_mac[ADMIN_KEY_MAC_CHARS + 1])
{
	char text[KEY_CHARS + NAME_MAX_CHARS + 64];
	int len = snprintf(text, sizeof(text), "%.*s\n%s\n%s\n%lld", KEY_CHARS, key,
					   admin_role_word(caller->role), caller->tenant, (long long)expires_ms);
	link_mac(signer, MAC_PURPOSE, text, (size_t)len, ret_mac);
}

/* A row that this version cannot read opens nothing. */
static bool read_caller(const struct json_value *row, struct admin_caller *caller)
{
	const char *id, *name, *role, *tenant;
	if (!json_string(json_member(row, "id"), &id) || strlen(id) >= sizeof(caller->id) ||
		!json_string(json_member(row, "name"), &name) || strlen(name) >= sizeof(caller->name) ||
		!json_string(json_member(row, "role"), &role) || !admin_role_parse(role, &caller->role) ||
		!json_string(json_member(row, "tenant"), &tenant))
		return false;
	bool all = strcmp(tenant, "*") == 0;
	if (!all && !name_is_valid(tenant, strlen(tenant)))
		return false;
	strcpy(caller->id, id);
	strcpy(caller->name, name);
	strcpy(caller->tenant, all ? "" : tenant);
	return true;
}

enum wr_err admin_keys_check(struct signer *signer, const char *key, const char *row, size_t len,
							 int64_t now_ms, struct admin_caller *ret_caller)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct admin_caller caller = {.role = ADMIN_VIEWER};
	char mac[ADMIN_KEY_MAC_CHARS + 1];
	const char *kept;
	int64_t expires_ms = 0;
	if (json_parse(row, len, &document, NULL) != WR_OK || !read_caller(document, &caller) ||
		!json_string(json_member(document, "mac"), &kept))
		return WR_BAD_TOKEN;
	const struct json_value *expires = json_member(document, "expires_ms");
	if (!json_is_null(expires) && !json_int(expires, &expires_ms))
		return WR_BAD_TOKEN;
	admin_key_mac(signer, key, &caller, expires_ms, mac);
	if (!link_mac_is_equal(kept, mac) || (expires_ms != 0 && expires_ms <= now_ms))
		return WR_BAD_TOKEN;
	*ret_caller = caller;
	return WR_OK;
}
