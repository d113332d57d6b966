/* Names of tenants, queues and lanes: [a-z0-9][a-z0-9-]{0,62}.
 *
 * The same rule as a DNS label, so that a name can stand in a host, a path, a store key, a broker
 * subject and a metric label without being escaped anywhere.
 */
#include "waitingroom/text.h"

#include <string.h>

const struct queue_name system_shard = {.tenant = SYSTEM_TENANT, .queue = "admin"};

bool name_is_valid(const char *text, size_t len)
{
	if (!len || len > NAME_MAX_CHARS || text[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

bool queue_name_parse(const char *text, size_t len, struct queue_name *ret_name)
{
	static const char default_tenant[] = "default";
	const char *tenant = default_tenant;
	size_t tenant_len = sizeof(default_tenant) - 1;
	const char *slash = len ? memchr(text, '/', len) : NULL;
	if (slash) {
		tenant = text;
		tenant_len = (size_t)(slash - text);
		text = slash + 1;
		len -= tenant_len + 1;
	}
	if (!name_is_valid(tenant, tenant_len) || !name_is_valid(text, len))
		return false;
	struct queue_name name = {0};
	memcpy(name.tenant, tenant, tenant_len);
	memcpy(name.queue, text, len);
	*ret_name = name;
	return true;
}

size_t queue_name_print(const struct queue_name *name, char ret_text[QUEUE_NAME_TEXT_BYTES])
{
	size_t tenant_len = strlen(name->tenant), queue_len = strlen(name->queue);
	memcpy(ret_text, name->tenant, tenant_len);
	ret_text[tenant_len] = '/';
	memcpy(ret_text + tenant_len + 1, name->queue, queue_len + 1);
	return tenant_len + 1 + queue_len;
}

bool queue_name_equal(const struct queue_name *a, const struct queue_name *b)
{
	return strcmp(a->queue, b->queue) == 0 && strcmp(a->tenant, b->tenant) == 0;
}

static uint64_t fnv1a(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

uint64_t queue_name_hash(const struct queue_name *name)
{
	uint64_t hash = fnv1a(UINT64_C(0xcbf29ce484222325), name->tenant);
	return fnv1a(fnv1a(hash, "/"), name->queue);
}
