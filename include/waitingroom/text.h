/* Text in fixed buffers: append-only writer for JSON answers, and small parsers.
 *
 * What     json_out writes JSON by hand into the caller's buffer without allocating; it is what the
 *          hot path uses. An overflow is remembered and reported at the end, never written past.
 * Used by  everything that prints.
 * Threads  any; a writer belongs to one thread.
 */
#ifndef WAITINGROOM_TEXT_H
#define WAITINGROOM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- base64url (RFC 4648 section 5, no padding) ---- */
#define BASE64URL_LEN(bytes) (((bytes)*4 + 2) / 3)
size_t base64url_encode(const void *bytes, size_t len, char *ret_text); /* no NUL; returns length */
/* Strict: alphabet only, no padding, unused bits zero. On false ret_len is as before, and what is
 * in ret_bytes (never past room) means nothing. */
bool base64url_decode(const char *text, size_t len, void *ret_bytes, size_t room, size_t *ret_len);

/* ---- numbers ---- */
size_t text_u64_len(uint64_t value);					 /* digits: 1..20 */
size_t text_from_u64(uint64_t value, char ret_text[20]); /* no NUL; returns length, fills no more */
/* Digits only, the whole of text[0..len), no sign, no overflow past max. */
bool text_to_u64(const char *text, size_t len, uint64_t max, uint64_t *ret_value);
bool text_to_i64(const char *text, size_t len, int64_t min, int64_t max, int64_t *ret_value);

/* ---- UTF-8 ---- */
bool utf8_is_valid(const char *text, size_t len); /* no surrogates, no overlong, no NUL */
/* Bytes of the well-formed sequence that text begins with, 1..4 (NUL counts as one); 0: none. */
size_t utf8_sequence_len(const char *text, size_t len);

/* ---- JSON writer ---- */
struct json_out {
	char *text; /* borrows */
	size_t room;
	size_t len;
	bool overflow;
	bool comma; /* a comma is due before the next member */
};

void json_out_init(struct json_out *out, char *text, size_t room);
/* Goes on with an object whose beginning is there already: "{" and members, no comma at the end. */
void json_out_resume(struct json_out *out, const char *begun, size_t len);
void json_out_object_end(struct json_out *out);
void json_out_array_end(struct json_out *out);

/* One member each; key NULL in arrays and at the top. They are inline only to hand on the length of
 * the key, which the compiler knows where the key is a literal. */
void json_put_open(struct json_out *out, const char *key, size_t key_len, char bracket);
void json_put_string(struct json_out *out, const char *key, size_t key_len, const char *value,
					 size_t len);
void json_put_int(struct json_out *out, const char *key, size_t key_len, int64_t value);
void json_put_raw(struct json_out *out, const char *key, size_t key_len, const char *json,
				  size_t len);

static inline size_t json_key_len(const char *key)
{
	return key ? __builtin_strlen(key) : 0;
}

static inline void json_out_object(struct json_out *out, const char *key)
{
	json_put_open(out, key, json_key_len(key), '{');
}

static inline void json_out_array(struct json_out *out, const char *key)
{
	json_put_open(out, key, json_key_len(key), '[');
}

static inline void json_out_string_n(struct json_out *out, const char *key, const char *value,
									 size_t len)
{
	json_put_string(out, key, json_key_len(key), value, len);
}

static inline void json_out_string(struct json_out *out, const char *key, const char *value)
{
	json_put_string(out, key, json_key_len(key), value, __builtin_strlen(value));
}

static inline void json_out_int(struct json_out *out, const char *key, int64_t value)
{
	json_put_int(out, key, json_key_len(key), value);
}

/* 'json' must be a valid JSON value already. */
static inline void json_out_raw(struct json_out *out, const char *key, const char *json, size_t len)
{
	json_put_raw(out, key, json_key_len(key), json, len);
}

static inline void json_out_bool(struct json_out *out, const char *key, bool value)
{
	json_put_raw(out, key, json_key_len(key), value ? "true" : "false", value ? 4 : 5);
}

static inline void json_out_null(struct json_out *out, const char *key)
{
	json_put_raw(out, key, json_key_len(key), "null", 4);
}

/* ---- queue and lane names ---- */
#define NAME_MAX_CHARS 63 /* [a-z0-9][a-z0-9-]{0,62}: tenant, queue, lane */
bool name_is_valid(const char *text, size_t len);

struct queue_name {
	char tenant[NAME_MAX_CHARS + 1];
	char queue[NAME_MAX_CHARS + 1];
};
/* The shard of what belongs to no queue: keys of the admin API, tenants, what the pods say of
 * themselves. A name like any other, in a tenant that nobody may have. */
#define SYSTEM_TENANT "system"
extern const struct queue_name system_shard;
/* "tenant/queue" or "queue" (tenant "default"). */
bool queue_name_parse(const char *text, size_t len, struct queue_name *ret_name);
#define QUEUE_NAME_TEXT_BYTES (2 * NAME_MAX_CHARS + 2)
/* fills "tenant/queue" with NUL; returns length */
size_t queue_name_print(const struct queue_name *name, char ret_text[QUEUE_NAME_TEXT_BYTES]);
bool queue_name_equal(const struct queue_name *a, const struct queue_name *b);
uint64_t queue_name_hash(const struct queue_name *name); /* FNV-1a, for tables in memory only */

#endif
