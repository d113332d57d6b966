/* Admin keys of the file: a small table of hashes, loaded whole and replaced whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "admin_keys.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "waitingroom/token.h"

#define ADMIN_KEYS_MAX 64
#define FILE_MAX_BYTES 65536
#define HASH_CHARS 64

struct file_key {
	char hash[HASH_CHARS + 1];
	struct admin_caller caller;
};

struct admin_keys {
	size_t count;
	struct file_key keys[ADMIN_KEYS_MAX];
};

static bool is_hash(const char *text)
{
	return strlen(text) == HASH_CHARS && strspn(text, "0123456789abcdef") == HASH_CHARS;
}

/* "id", "role" and "tenant" may be left out. */
static enum wr_err read_key(const struct json_value *row, size_t number, struct file_key *ret_key,
							struct err_detail *ret_detail)
{
	const char *hash = "", *id = "bootstrap", *role = "admin", *tenant = "*";
	const struct json_value *given;
	if (!json_string(json_member(row, "sha256"), &hash) || !is_hash(hash))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "WR_ADMIN_KEYS_FILE: key %zu: sha256 must be 64 lower-case hex digits",
					   number);
	if ((given = json_member(row, "id")) != NULL &&
		(!json_string(given, &id) || strlen(id) >= sizeof(ret_key->caller.id)))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "WR_ADMIN_KEYS_FILE: key %zu: id must be a text of at most %zu bytes",
					   number, sizeof(ret_key->caller.id) - 1);
	if (((given = json_member(row, "role")) != NULL && !json_string(given, &role)) ||
		!admin_role_parse(role, &ret_key->caller.role))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "WR_ADMIN_KEYS_FILE: key %zu: role must be viewer, operator or admin",
					   number);
	bool given_tenant = (given = json_member(row, "tenant")) != NULL;
	if ((given_tenant && !json_string(given, &tenant)) ||
		(strcmp(tenant, "*") != 0 && !name_is_valid(tenant, strlen(tenant))))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "WR_ADMIN_KEYS_FILE: key %zu: tenant must be a tenant's name or \"*\"",
					   number);
	strcpy(ret_key->hash, hash);
	strcpy(ret_key->caller.id, id);
	strcpy(ret_key->caller.name, id);
	strcpy(ret_key->caller.tenant, strcmp(tenant, "*") == 0 ? "" : tenant);
	return WR_OK;
}

static enum wr_err read_keys(const struct json_value *list, struct admin_keys *keys,
							 struct err_detail *ret_detail)
{
	for (size_t i = 0; i < json_count(list); i++) {
		if (keys->count == ADMIN_KEYS_MAX)
			return err_say(ret_detail, WR_BAD_CONFIG, "WR_ADMIN_KEYS_FILE: more than %d keys",
						   ADMIN_KEYS_MAX);
		enum wr_err err = read_key(json_at(list, i), i + 1, &keys->keys[keys->count], ret_detail);
		if (err != WR_OK)
			return err;
		keys->count++;
	}
	if (keys->count == 0)
		return err_say(ret_detail, WR_BAD_CONFIG, "WR_ADMIN_KEYS_FILE: holds no key");
	return WR_OK;
}

enum wr_err admin_keys_load(const char *path, struct admin_keys **ret_keys,
							struct err_detail *ret_detail)
{
	char text[FILE_MAX_BYTES];
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return err_say(ret_detail, WR_IO, "WR_ADMIN_KEYS_FILE: %s cannot be opened: %s", path,
					   strerror(errno));
	size_t len = fread(text, 1, sizeof(text), file);
	fclose(file);
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct err_detail inner = {""};
	if (json_parse(text, len, &document, &inner) != WR_OK)
		return err_say(ret_detail, WR_BAD_CONFIG, "WR_ADMIN_KEYS_FILE: %.200s", inner.text);
	const struct json_value *list = json_member(document, "keys");
	if (list == NULL || !json_is_array(list))
		return err_say(ret_detail, WR_BAD_CONFIG, "WR_ADMIN_KEYS_FILE: needs \"keys\": [ … ]");
	struct admin_keys *keys = mem_alloc_zero(1, sizeof(*keys));
	enum wr_err err = read_keys(list, keys, ret_detail);
	if (err != WR_OK) {
		free(keys);
		return err;
	}
	*ret_keys = keys;
	return WR_OK;
}

void admin_keys_free(void *keys)
{
	free(keys);
}

bool admin_keys_find(const struct admin_keys *keys, const char *key,
					 struct admin_caller *ret_caller)
{
	if (keys == NULL || strncmp(key, "wrk_", 4) != 0)
		return false;
	char hash[HASH_CHARS + 1];
	const struct admin_caller *found = NULL;
	sha256_hex(key, strlen(key), hash);
	for (size_t i = 0; i < keys->count; i++) {
		unsigned difference = 0;
		for (size_t k = 0; k < HASH_CHARS; k++)
			difference |= (unsigned)(hash[k] ^ keys->keys[i].hash[k]);
		if (difference == 0)
			found = &keys->keys[i].caller;
	}
	if (found != NULL)
		*ret_caller = *found;
	return found != NULL;
}

enum wr_err admin_keys_generate(const char *path, char ret_key[ADMIN_KEY_BYTES],
								struct err_detail *ret_detail)
{
	uint8_t random[32];
	char key[ADMIN_KEY_BYTES] = "wrk_", hash[HASH_CHARS + 1];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	key[4 + base64url_encode(random, sizeof(random), key + 4)] = '\0';
	sha256_hex(key, strlen(key), hash);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (fd < 0)
		return err_say(ret_detail, WR_IO, "%s cannot be made: %s", path, strerror(errno));
	int written = dprintf(fd, "{\"keys\":[{\"id\":\"bootstrap\",\"sha256\":\"%s\"}]}\n", hash);
	if (close(fd) != 0 || written < 0)
		return err_say(ret_detail, WR_IO, "%s cannot be written", path);
	memcpy(ret_key, key, sizeof(key));
	return WR_OK;
}
