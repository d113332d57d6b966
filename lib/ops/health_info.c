/* What a store says about itself in INFO: the lines that matter, of Redis, Valkey and
 * DragonflyDB. */
#include <stdlib.h>
#include <string.h>

#include "waitingroom/health.h"

/* "name:value\r\n" at the beginning of a line; false: not there. */
static bool field(const char *info, const char *name, char *ret_text, size_t room)
{
	size_t name_len = strlen(name);
	for (const char *line = info; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, name_len) != 0 || line[name_len] != ':')
			continue;
		line += name_len + 1;
		size_t len = strcspn(line, "\r\n");
		if (len >= room)
			len = room - 1;
		memcpy(ret_text, line, len);
		ret_text[len] = '\0';
		return true;
	}
	return false;
}

static int64_t number(const char *info, const char *name, int64_t otherwise)
{
	char text[32];
	return field(info, name, text, sizeof(text)) ? strtoll(text, NULL, 10) : otherwise;
}

static bool is(const char *info, const char *name, const char *value)
{
	char text[32];
	return field(info, name, text, sizeof(text)) && strcmp(text, value) == 0;
}

static bool is_not(const char *info, const char *name, const char *value)
{
	char text[32];
	return field(info, name, text, sizeof(text)) && strcmp(text, value) != 0;
}

void health_read_info(struct health_store *store, const char *info)
{
	char version[24] = "";
	store->is_dragonfly = field(info, "dragonfly_version", version, sizeof(version));
	bool is_valkey =
		!store->is_dragonfly && field(info, "valkey_version", version, sizeof(version));
	strcpy(store->server, store->is_dragonfly ? "DragonflyDB" : is_valkey ? "Valkey" : "Redis");
	if (!store->is_dragonfly && !is_valkey)
		(void)field(info, "redis_version", version, sizeof(version));
	memcpy(store->version, version, sizeof(store->version));
	(void)field(info, "role", store->role, sizeof(store->role));
	(void)field(info, "maxmemory_policy", store->policy, sizeof(store->policy));
	store->used_bytes = number(info, "used_memory", store->used_bytes);
	store->max_bytes = number(info, "maxmemory", store->max_bytes);
	store->replicas = number(info, "connected_slaves", store->replicas);
	store->loading = is(info, "loading", "1");
	store->saving_failed = is_not(info, "rdb_last_bgsave_status", "ok");
	store->appending_failed =
		is(info, "aof_enabled", "1") && (is_not(info, "aof_last_write_status", "ok") ||
										 is_not(info, "aof_last_bgrewrite_status", "ok"));
	/* Without a limit there is nothing to make room for. */
	store->evicts = (store->max_bytes > 0 && is_not(info, "maxmemory_policy", "noeviction")) ||
					is(info, "cache_mode", "cache");
}
