/* Admin keys: a small table of hashes, loaded whole and replaced whole. */
#include "admin_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "waitingroom/token.h"

#define ADMIN_KEYS_MAX 64
#define FILE_MAX_BYTES 65536
#define HASH_CHARS 64

struct admin_keys {
	size_t count;
	char hashes[ADMIN_KEYS_MAX][HASH_CHARS + 1];
};

static enum wr_err read_keys(const struct json_value *list, struct admin_keys *keys,
							 struct err_detail *ret_detail)
{
	for (size_t i = 0; i < json_count(list); i++) {
		const char *hash = NULL;
		if (keys->count == ADMIN_KEYS_MAX)
			return err_say(ret_detail, WR_BAD_CONFIG, "WR_ADMIN_KEYS_FILE: more than %d keys",
						   ADMIN_KEYS_MAX);
		if (!json_string(json_member(json_at(list, i), "sha256"), &hash) ||
			strlen(hash) != HASH_CHARS || strspn(hash, "0123456789abcdef") != HASH_CHARS)
			return err_say(ret_detail, WR_BAD_CONFIG,
						   "WR_ADMIN_KEYS_FILE: key %zu: sha256 must be 64 lower-case hex digits",
						   i + 1);
		memcpy(keys->hashes[keys->count++], hash, HASH_CHARS + 1);
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

bool admin_keys_allow(const struct admin_keys *keys, const char *authorization)
{
	if (keys == NULL || authorization == NULL || strncasecmp(authorization, "Bearer wrk_", 11) != 0)
		return false;
	char hash[HASH_CHARS + 1];
	sha256_hex(authorization + 7, strlen(authorization + 7), hash);
	unsigned found = 0;
	for (size_t i = 0; i < keys->count; i++) {
		unsigned difference = 0;
		for (size_t k = 0; k < HASH_CHARS; k++)
			difference |= (unsigned)(hash[k] ^ keys->hashes[i][k]);
		found |= difference == 0;
	}
	return found != 0;
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
