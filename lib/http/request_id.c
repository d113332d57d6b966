/* Request ids: what ties an answer, its log line and its trace together.
 *
 * A caller's X-Request-Id is kept when it is short and plain, so that the gateway's id goes
 * through; anything else is replaced, never repeated, because it would end up in logs. Ids made
 * here are a random prefix per server and a counter: unique without asking the kernel per request.
 */
#include "internal.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

void request_ids_init(struct request_ids *ids)
{
	static const char letters[32] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char random[ID_PREFIX_CHARS];
	ssize_t got = getrandom(random, sizeof(random), 0);
	assert(got == sizeof(random));
	for (size_t i = 0; i < ID_PREFIX_CHARS; i++)
		ids->prefix[i] = letters[random[i] % 32];
	ids->prefix[ID_PREFIX_CHARS] = '\0';
	ids->count = 0;
}

static bool is_id_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		   c == '.' || c == '-';
}

static bool is_acceptable(const char *given, size_t len)
{
	if (!given || !len || len > REQUEST_ID_MAX_CHARS)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_id_char(given[i]))
			return false;
	}
	return true;
}

void request_ids_pick(struct request_ids *ids, const char *given, size_t given_len,
					  char ret_id[REQUEST_ID_MAX_CHARS + 1])
{
	if (is_acceptable(given, given_len)) {
		memcpy(ret_id, given, given_len);
		ret_id[given_len] = '\0';
		return;
	}
	static const char hex[16] = "0123456789abcdef";
	memcpy(ret_id, ids->prefix, ID_PREFIX_CHARS);
	char *at = ret_id + ID_PREFIX_CHARS;
	*at++ = '-';
	uint64_t count = ++ids->count;
	int digits = 1;
	for (uint64_t rest = count >> 4; rest; rest >>= 4)
		digits++;
	for (int i = digits; i-- > 0; count >>= 4)
		at[i] = hex[count & 15];
	at[digits] = '\0';
}
