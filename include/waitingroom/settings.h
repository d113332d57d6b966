/* Settings of one queue: one table makes the struct, the JSON, the store's fields, the docs.
 *
 * What     What an operator decides about a queue. Parsed from JSON (admin API, WR_QUEUES_FILE) with
 *          errors that name the field and the fix; kept in the store as a hash of strings.
 * Used by  cmd/api, cmd/admitter, queue_table.
 * Threads  any; values are plain data.
 */
#ifndef WAITINGROOM_SETTINGS_H
#define WAITINGROOM_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "waitingroom/err.h"
#include "waitingroom/text.h"

/* name, default, lowest, highest, unit, sentence */
#define QUEUE_NUMBER_TABLE(X)                                                                      \
	X(rate_per_minute, 60, 0, 6000000, "people/min", "How many people are let in per minute.")     \
	X(burst, 10, 1, 1000000, "people", "How many may be let in at once after a quiet time.")       \
	X(capacity, 100, 0, 10000000, "people", "How many may be on the site at the same time.")       \
	X(max_waiting, 1000000, 0, 500000000, "people",                                                \
	  "How many may stand in line; above it joins "                                                \
	  "are refused.")                                                                              \
	X(heartbeat_ttl_ms, 300000, 1000, 86400000, "ms",                                              \
	  "How long a place is held without hearing from its visitor.")                                \
	X(absent_after_ms, 90000, 500, 86400000, "ms",                                                 \
	  "Somebody silent this long when the turn comes is set aside, and goes to the front on "      \
	  "return.")                                                                                   \
	X(first_heartbeat_ms, 30000, 500, 3600000, "ms",                                               \
	  "A new place must be confirmed by a first heartbeat within this time.")                      \
	X(claim_ttl_ms, 600000, 500, 86400000, "ms", "How long an admission waits to be taken up.")    \
	X(session_ttl_ms, 900000, 500, 86400000, "ms", "How long a session on the site lasts.")        \
	X(poll_min_ms, 2000, 100, 600000, "ms", "Shortest time between two polls.")                    \
	X(poll_max_ms, 30000, 100, 600000, "ms", "Longest time between two polls.")                    \
	X(joins_per_network_per_minute, 0, 0, 10000000, "people/min",                                  \
	  "How many may join from one network (IPv4 /24, IPv6 /48) per minute; 0: no limit.")          \
	X(ended_keep_ms, 3600000, 1000, 86400000, "ms",                                                \
	  "How long an ended place is remembered, to answer late polls and repeated joins.")

/* Words of the field 'state'. */
#define QUEUE_STATE_TABLE(X)                                                                       \
	X(QUEUE_OPEN, "open", "Places are given out and people are let in.")                           \
	X(QUEUE_PAUSED, "paused", "Nobody is let in; the message is shown; people may join.")          \
	X(QUEUE_HOLD, "hold", "Not open yet: people may join, nobody is let in.")                      \
	X(QUEUE_CLOSED, "closed", "Nobody may join; the people in line are still let in.")             \
	X(QUEUE_PASSTHROUGH, "passthrough", "Everybody is let in at once, and still counted.")

#define QUEUE_STATE_ENUM(name, word, sentence) name,
enum queue_state { QUEUE_STATE_TABLE(QUEUE_STATE_ENUM) QUEUE_STATE_COUNT };
#undef QUEUE_STATE_ENUM
const char *queue_state_word(enum queue_state state);
bool queue_state_parse(const char *word, enum queue_state *ret_state);

enum queue_on_outage { QUEUE_ON_OUTAGE_HOLD, QUEUE_ON_OUTAGE_OPEN }; /* words "hold", "open" */

#define QUEUE_LANES_MAX 8
#define QUEUE_TARGETS_MAX 16
#define QUEUE_TARGET_BYTES 256
#define QUEUE_MESSAGE_BYTES 512
#define QUEUE_DECLARED_CHARS 11
#define VISIT_TARGET_MAX_BYTES 2048 /* of the target that a visitor asks for */

struct queue_lane {
	char name[NAME_MAX_CHARS + 1];
	uint32_t weight; /* 1..1000: share of the admissions */
	bool open;		 /* false: only with a signed entry token */
};

struct queue_settings {
#define QUEUE_NUMBER_FIELD(name, def, low, high, unit, text) int64_t name;
	QUEUE_NUMBER_TABLE(QUEUE_NUMBER_FIELD)
#undef QUEUE_NUMBER_FIELD
	bool session_renewal; /* sessions slide with use */
	enum queue_state state;
	enum queue_on_outage on_outage;
	char message[QUEUE_MESSAGE_BYTES + 1]; /* plain text, UTF-8 */
	uint32_t lane_count;				   /* 1..QUEUE_LANES_MAX; the first is the default lane */
	struct queue_lane lanes[QUEUE_LANES_MAX];
	uint32_t target_count;
	char targets[QUEUE_TARGETS_MAX][QUEUE_TARGET_BYTES + 1]; /* "https://host[:port][/path]" */
	uint64_t version; /* raised by the store at each change; 0: not stored yet */
	/* Which declaration of WR_QUEUES_FILE was applied last; "" none. Not in the JSON; putting
	 * settings without it leaves what the store has. */
	char declared[QUEUE_DECLARED_CHARS + 1];
};

/* One lane "main" (weight 1, open), no targets, everything else as in the table. */
void queue_settings_default(struct queue_settings *ret_settings);

/* Reads a JSON object as the admin API takes it: the names above, "session_renewal" (bool),
 * "state", "on_outage", "message", "lanes" ([{"name","weight","open"}]; weight 1 and not open when
 * not given), "allowed_targets" (strings; kept as queue_settings_rebuild_target fills), "version"
 * (ignored). Fields not given keep the value in 'base'. An unknown field, a wrong type, a
 * number out of range, or values that contradict each other (poll_min_ms > poll_max_ms;
 * absent_after_ms < 1.2 × poll_max_ms; heartbeat_ttl_ms < absent_after_ms; two lanes of one name; first_heartbeat_ms < 2500) is
 * WR_INVALID with the field named in detail; text that is not a JSON object is WR_MALFORMED. */
WR_MUST_USE enum wr_err queue_settings_from_json(const char *json, size_t len,
												 const struct queue_settings *base,
												 struct queue_settings *ret_settings,
												 struct err_detail *ret_detail);
void queue_settings_to_json(const struct queue_settings *settings, struct json_out *out,
							const char *key);

/* The store's hash: field names as above; booleans 0/1; lanes "main:1:open,vip:3:signed"; targets
 * under "allowed_targets" separated by newlines; "version" is not among them (the store's own).
 * 'fields' fills at most QUEUE_FIELDS_MAX pairs; texts live in the struct. */
#define QUEUE_FIELDS_MAX 24
struct queue_field {
	const char *name;
	char value[QUEUE_TARGETS_MAX * (QUEUE_TARGET_BYTES + 1) + 1];
};
size_t queue_settings_to_fields(const struct queue_settings *settings,
								struct queue_field fields[QUEUE_FIELDS_MAX]);
/* One field from the store into settings; an unknown field is ignored (version skew). */
WR_MUST_USE enum wr_err queue_settings_set_field(struct queue_settings *settings, const char *name,
												 const char *value, size_t len);

/* Lane number by name, or -1. */
int queue_settings_lane(const struct queue_settings *settings, const char *lane);

/* Is 'target' an absolute URL whose origin and path prefix are allowed? https only, or http when
 * the allowed one says http. Refuses user information, backslash, control characters, spaces, quotes
 * and angle brackets, non-ASCII, dot segments (also percent-encoded), more than
 * VISIT_TARGET_MAX_BYTES. With no allowed targets: only a path on the same site ("/…", not "//…"). */
WR_MUST_USE enum wr_err queue_settings_check_target(const struct queue_settings *settings,
													const char *target, size_t len,
													struct err_detail *ret_detail);

/* The same, and fills the target put together again from its parsed parts (scheme and host in
 * lower case, no port that goes without saying), with NUL: the text to keep and to redirect to. */
WR_MUST_USE enum wr_err queue_settings_rebuild_target(const struct queue_settings *settings,
													  const char *target, size_t len,
													  char ret_target[VISIT_TARGET_MAX_BYTES + 1],
													  struct err_detail *ret_detail);

#endif
