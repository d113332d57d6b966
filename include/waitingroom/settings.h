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
#include <stdio.h>

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
	X(joins_per_address_per_minute, 0, 0, 10000000, "people/min",                                  \
	  "The same for one address (IPv4 /32, IPv6 /64).")                                            \
	X(ended_keep_ms, 3600000, 1000, 86400000, "ms",                                                \
	  "How long an ended place is remembered, to answer late polls and repeated joins.")           \
	X(opens_at_ms, 0, 0, 253402300799000, "ms since 1970",                                         \
	  "Until then people may join and nobody is let in; 0: it is open already.")                   \
	X(challenge_bits_min, 10, 1, 30, "bits",                                                       \
	  "Difficulty of one puzzle of the proof of work when little is going on.")                    \
	X(challenge_bits_max, 18, 1, 30, "bits", "The same under the heaviest load.")                  \
	X(challenge_puzzles, 50, 1, 256, "puzzles", "How many puzzles one proof of work has.")

/* C type, name, default, table of its words, sentence */
#define QUEUE_CHOICE_TABLE(X)                                                                      \
	X(enum queue_state, state, QUEUE_OPEN, QUEUE_STATE_TABLE, "What the queue does.")              \
	X(enum queue_on_outage, on_outage, QUEUE_ON_OUTAGE_HOLD, QUEUE_ON_OUTAGE_TABLE,                \
	  "What the gateway check says while it cannot know.")                                         \
	X(enum queue_challenge, challenge, QUEUE_CHALLENGE_OFF, QUEUE_CHALLENGE_TABLE,                 \
	  "What a browser must do before it gets a place.")                                            \
	X(enum queue_entry, entry, QUEUE_ENTRY_OPEN, QUEUE_ENTRY_TABLE, "Who may join.")               \
	X(enum queue_sharing, sharing, QUEUE_SHARING_LOG, QUEUE_SHARING_TABLE,                         \
	  "A session seen from another network or browser than the one that it was given to.")

/* name, most bytes, may be shown again?, sentence */
#define QUEUE_TEXT_TABLE(X)                                                                        \
	X(message, 512, true, "The operator's message: plain text, shown when no language fits.")      \
	X(room_url, 256, true,                                                                         \
	  "Where visitors' browsers reach the waiting room of this queue; empty: WR_PUBLIC_URL.")      \
	X(captcha_site_key, 256, true, "Public key of the captcha provider.")                          \
	X(captcha_secret, 256, false,                                                                  \
	  "Secret key of the captcha provider. Never shown; not given: stays; \"\": taken away.")

/* What has a shape of its own: name, shape in JSON, sentence */
#define QUEUE_SHAPE_TABLE(X)                                                                       \
	X(session_renewal, "true or false", "Sessions slide with use.")                                \
	X(lanes, "`[{\"name\",\"weight\",\"open\"}]`, 1..8",                                           \
	  "Parts of the line; the weight (1..1000) shares the admissions, a lane that is not open "    \
	  "takes entry tokens only. The first is the default lane.")                                   \
	X(allowed_targets, "`[\"https://host[:port][/path]\"]`, at most 16",                           \
	  "Where visitors may want to go; none: only paths of the same site.")                         \
	X(entry_keys, "`[{\"kid\",\"alg\":\"HS256\" or \"ES256\",\"key\"}]`, at most 4",               \
	  "Keys of entry tokens: a base64url secret of 32..128 bytes or a PEM public key (P-256). "    \
	  "The key is never shown, only its fingerprint; a row without one keeps the key of its kid.") \
	X(bypass,                                                                                      \
	  "`[{\"path_prefix\",\"extension\",\"network\",\"user_agent\",\"header\","                    \
	  "\"secret_sha256\",\"methods\"}]`, at most 32",                                              \
	  "Requests that the gateway check lets pass: those that fit all members of a rule.")          \
	X(theme,                                                                                       \
	  "`{\"name\",\"logo\",\"colour\",\"colour_dark\",\"texts\":{\"en\":{\"title\",\"intro\"}}}`", \
	  "How the waiting page looks; the logo is a data URI of at most 8192 bytes, the colours are " \
	  "`#rrggbb` and checked for contrast.")                                                       \
	X(template, "HTML, at most 48 kB",                                                             \
	  "A whole page of one's own; the room stands where it says `<!--waitingroom-->`. Its style "  \
	  "elements count; its scripts do not run, and files from elsewhere are not fetched.")         \
	X(messages, "`{\"en\":\"…\"}`, at most 14 languages",                                          \
	  "The operator's message per language, each at most 512 bytes.")

/* Words of the field 'state'. */
#define QUEUE_STATE_TABLE(X)                                                                       \
	X(QUEUE_OPEN, "open", "Places are given out and people are let in.")                           \
	X(QUEUE_PAUSED, "paused", "Nobody is let in; the message is shown; people may join.")          \
	X(QUEUE_HOLD, "hold", "Not open yet: people may join, nobody is let in.")                      \
	X(QUEUE_CLOSED, "closed", "Nobody may join; the people in line are still let in.")             \
	X(QUEUE_PASSTHROUGH, "passthrough", "Everybody is let in at once, and still counted.")         \
	X(QUEUE_DRAINING, "draining",                                                                  \
	  "Nobody may join; the people in line are let in as fast as the capacity allows.")

#define QUEUE_STATE_ENUM(name, word, sentence) name,
enum queue_state { QUEUE_STATE_TABLE(QUEUE_STATE_ENUM) QUEUE_STATE_COUNT };
#undef QUEUE_STATE_ENUM
const char *queue_state_word(enum queue_state state);
bool queue_state_parse(const char *word, enum queue_state *ret_state);
bool queue_state_is_closed(enum queue_state state); /* nobody may join */

#define QUEUE_ON_OUTAGE_TABLE(X)                                                                   \
	X(QUEUE_ON_OUTAGE_HOLD, "hold", "Nobody without a session passes.")                            \
	X(QUEUE_ON_OUTAGE_OPEN, "open", "At most rate_per_minute people pass without one, at each pod.")

#define QUEUE_CHALLENGE_TABLE(X)                                                                   \
	X(QUEUE_CHALLENGE_OFF, "off", "Nothing.")                                                      \
	X(QUEUE_CHALLENGE_POW, "pow", "Proof of work.")                                                \
	X(QUEUE_CHALLENGE_TURNSTILE, "turnstile", "Cloudflare Turnstile; proof of work without it.")   \
	X(QUEUE_CHALLENGE_HCAPTCHA, "hcaptcha", "hCaptcha; proof of work without it.")                 \
	X(QUEUE_CHALLENGE_FRIENDLY, "friendly", "Friendly Captcha; proof of work without it.")

#define QUEUE_ENTRY_TABLE(X)                                                                       \
	X(QUEUE_ENTRY_OPEN, "open", "Everybody.")                                                      \
	X(QUEUE_ENTRY_SIGNED, "signed", "Whoever brings an entry token.")

#define QUEUE_SHARING_TABLE(X)                                                                     \
	X(QUEUE_SHARING_OFF, "off", "Is not looked at.")                                               \
	X(QUEUE_SHARING_LOG, "log", "Passes and is counted.")                                          \
	X(QUEUE_SHARING_REQUEUE, "requeue", "Is sent to the room.")

#define QUEUE_WORD_ENUM(name, word, sentence) name,
enum queue_on_outage { QUEUE_ON_OUTAGE_TABLE(QUEUE_WORD_ENUM) QUEUE_ON_OUTAGE_COUNT };
enum queue_challenge { QUEUE_CHALLENGE_TABLE(QUEUE_WORD_ENUM) QUEUE_CHALLENGE_COUNT };
enum queue_entry { QUEUE_ENTRY_TABLE(QUEUE_WORD_ENUM) QUEUE_ENTRY_COUNT };
enum queue_sharing { QUEUE_SHARING_TABLE(QUEUE_WORD_ENUM) QUEUE_SHARING_COUNT };
#undef QUEUE_WORD_ENUM
const char *queue_challenge_word(enum queue_challenge challenge);
const char *queue_entry_word(enum queue_entry entry);
const char *queue_sharing_word(enum queue_sharing sharing);

#define QUEUE_LANES_MAX 8
#define QUEUE_TARGETS_MAX 16
#define QUEUE_TARGET_BYTES 256
#define QUEUE_MESSAGE_BYTES 512
#define QUEUE_DECLARED_CHARS 11
#define QUEUE_ENTRY_KEYS_MAX 4
#define QUEUE_BYPASS_MAX 32
#define QUEUE_LANGUAGES_MAX 14
#define QUEUE_TEMPLATE_BYTES 49152
#define QUEUE_TEMPLATE_MARKER "<!--waitingroom-->"
#define VISIT_TARGET_MAX_BYTES 2048 /* of the target that a visitor asks for */

#define LANGUAGE_CHARS 15 /* of a language tag, "pt", "zh-Hans" */

struct queue_lane {
	char name[NAME_MAX_CHARS + 1];
	uint32_t weight; /* 1..1000: share of the admissions */
	bool open;		 /* false: only with a signed entry token */
};

enum entry_key_alg { ENTRY_KEY_HS256, ENTRY_KEY_ES256 }; /* words "HS256", "ES256" */
#define ENTRY_KEY_KID_CHARS 64
#define ENTRY_KEY_TEXT_BYTES 512
#define ENTRY_KEY_SECRET_LEAST_BYTES 32
#define ENTRY_KEY_SECRET_MOST_BYTES 128
#define ENTRY_KEY_FINGERPRINT_CHARS 16
struct entry_key {
	char kid[ENTRY_KEY_KID_CHARS + 1]; /* printable ASCII without space, quote, backslash */
	enum entry_key_alg alg;
	char key[ENTRY_KEY_TEXT_BYTES + 1];			/* HS256: base64url of the secret; ES256: PEM */
	uint8_t byte_count;							/* what 'key' says: HS256 the secret; */
	uint8_t bytes[ENTRY_KEY_SECRET_MOST_BYTES]; /* ES256 x and y, 32 bytes each */
	char fingerprint[ENTRY_KEY_FINGERPRINT_CHARS + 1]; /* hex: begin of the SHA-256 of 'bytes' */
};

/* Requests that pass the gateway check without a session: those that fit every member given. */
#define BYPASS_TEXT_BYTES 256
#define BYPASS_EXTENSION_CHARS 16
#define BYPASS_HEADER_CHARS 64
#define BYPASS_METHODS                                                                             \
	"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"
struct bypass_rule {
	char path_prefix[BYPASS_TEXT_BYTES + 1];	/* "/static"; "": any path */
	char extension[BYPASS_EXTENSION_CHARS + 1]; /* "css", lower case; "": any */
	char user_agent[BYPASS_TEXT_BYTES + 1];		/* glob with *, case does not count; "": any */
	char header[BYPASS_HEADER_CHARS + 1]; /* its value's SHA-256 must be the secret's; "": any */
	uint8_t secret_sha256[32];
	bool has_network;
	uint8_t network[16];  /* IPv4 as ::ffff:a.b.c.d; bits behind the prefix are 0 */
	uint8_t network_bits; /* 0..128 of those */
	uint16_t methods;	  /* bit i: the i-th of BYPASS_METHODS; 0: any */
};

#define THEME_NAME_BYTES 64
#define THEME_LOGO_BYTES 8192
#define THEME_TEXT_BYTES 300
#define COLOUR_CHARS 7
struct theme_text {
	char language[LANGUAGE_CHARS + 1];
	char title[THEME_TEXT_BYTES + 1], intro[THEME_TEXT_BYTES + 1]; /* "": the page's own */
};
struct queue_theme {
	char name[THEME_NAME_BYTES + 1]; /* plain text; each may be "": as built in */
	char colour[COLOUR_CHARS + 1], colour_dark[COLOUR_CHARS + 1]; /* "#rrggbb", lower case */
	uint32_t text_count;
	struct theme_text texts[QUEUE_LANGUAGES_MAX];
	char logo[THEME_LOGO_BYTES + 1]; /* data URI of an image, safe in an attribute in quotes */
};

struct queue_message {
	char language[LANGUAGE_CHARS + 1];
	char text[QUEUE_MESSAGE_BYTES + 1]; /* plain text, UTF-8 */
};

/* What is large and seldom given stands behind pointers, which the settings own: a plain assignment
 * makes a copy that borrows, valid as long as the original is; queue_settings_copy makes one that
 * owns. A value that came from queue_settings_default and the like costs nothing to let go. */
struct queue_settings {
#define QUEUE_NUMBER_FIELD(name, def, low, high, unit, text) int64_t name;
	QUEUE_NUMBER_TABLE(QUEUE_NUMBER_FIELD)
#undef QUEUE_NUMBER_FIELD
#define QUEUE_CHOICE_FIELD(type, name, def, words, text) type name;
	QUEUE_CHOICE_TABLE(QUEUE_CHOICE_FIELD)
#undef QUEUE_CHOICE_FIELD
#define QUEUE_TEXT_FIELD(name, bytes, shown, text) char name[(bytes) + 1];
	QUEUE_TEXT_TABLE(QUEUE_TEXT_FIELD)
#undef QUEUE_TEXT_FIELD
	bool session_renewal; /* sessions slide with use */
	uint32_t lane_count;  /* 1..QUEUE_LANES_MAX; the first is the default lane */
	struct queue_lane lanes[QUEUE_LANES_MAX];
	uint32_t target_count;
	char targets[QUEUE_TARGETS_MAX][QUEUE_TARGET_BYTES + 1]; /* "https://host[:port][/path]" */
	uint64_t version; /* raised by the store at each change; 0: not stored yet */
	/* Which declaration of WR_QUEUES_FILE was applied last; "" none. Not in the JSON; putting
	 * settings without it leaves what the store has. */
	char declared[QUEUE_DECLARED_CHARS + 1];
	/* owned: */
	uint32_t entry_key_count, bypass_count, message_count;
	struct entry_key *entry_keys;
	struct bypass_rule *bypass;
	struct queue_message *messages;
	struct queue_theme *theme; /* NULL: none */
	char *template_html;	   /* NULL: none */
};

/* One lane "main" (weight 1, open), no targets, everything else as in the tables. */
void queue_settings_default(struct queue_settings *ret_settings);

/* fills a copy that owns what it has; end it with queue_settings_clear. */
void queue_settings_copy(const struct queue_settings *settings,
						 struct queue_settings *ret_settings);
/* Frees what the settings own; they have none of it then. */
void queue_settings_clear(struct queue_settings *settings);
/* The same on the heap; gives, and free(NULL) is fine. */
struct queue_settings *queue_settings_new_copy(const struct queue_settings *settings);
void queue_settings_free(struct queue_settings *settings);

/* The longest time after which visitors are told to poll: poll_max_ms, and less than makes them
 * absent. */
int64_t queue_settings_poll_longest(const struct queue_settings *settings);
/* The least absent_after_ms with which somebody who polls after poll_ms is never absent: 1.2 times
 * as much. */
int64_t queue_settings_absent_least(int64_t poll_ms);

/* What the queue does at a time of the store: 'state', but QUEUE_HOLD while an open queue's
 * opens_at_ms lies ahead. */
enum queue_state queue_settings_state_at(const struct queue_settings *settings, int64_t now_ms);

/* Reads a JSON object as the admin API takes it: the names of the tables above, and "version"
 * (ignored). Lanes have weight 1, and are not open when they do not say, but for the first, in
 * which everybody is who names none. Times that are not given and are the defaults give way to
 * those that are given: {"heartbeat_ttl_ms":5000} makes absent_after_ms 5000, too. allowed_targets
 * are kept as queue_settings_rebuild_target fills. Fields not given keep the value in 'base', and
 * so does the key of an entry key that is given without one. A field that is null gets its default
 * (RFC 7396 removes it); one that is given replaces the one that is there as a whole. An unknown
 * field, a wrong type, a number out of range, or values that contradict each other (poll_min_ms >
 * poll_max_ms; absent_after_ms < 1.2 × poll_min_ms; heartbeat_ttl_ms < absent_after_ms;
 * challenge_bits_min > challenge_bits_max; a captcha without its keys; entry "signed" without
 * entry_keys; two lanes of one name) is WR_INVALID with the field named in detail; text that is not
 * a JSON object is WR_MALFORMED.
 * ret_settings  fills settings that own what they have, only on WR_OK. */
WR_MUST_USE enum wr_err queue_settings_from_json(const char *json, size_t len,
												 const struct queue_settings *base,
												 struct queue_settings *ret_settings,
												 struct err_detail *ret_detail);
/* The same for a PUT: what is not given has its default, but secrets that are not given again stay
 * as 'stored' has them (NULL: there is no such queue yet), and null is a wrong type. */
WR_MUST_USE enum wr_err queue_settings_from_put(const char *json, size_t len,
												const struct queue_settings *stored,
												struct queue_settings *ret_settings,
												struct err_detail *ret_detail);
/* Everything but secrets. QUEUE_SETTINGS_JSON_BYTES are room enough for any settings. */
#define QUEUE_SETTINGS_JSON_BYTES (384 * 1024)
void queue_settings_to_json(const struct queue_settings *settings, struct json_out *out,
							const char *key);

/* The store's hash: field names as above; booleans 0/1; lanes "main:1:open,vip:3:signed"; targets
 * under "allowed_targets" separated by newlines; what is behind pointers as JSON, "" for none;
 * "version" is not among them (the store's own). Has the secrets. */
#define QUEUE_FIELDS_MAX 48
struct queue_field {
	const char *name, *value;
};
struct queue_fields {
	size_t count;
	struct queue_field list[QUEUE_FIELDS_MAX];
	char *text; /* holds the values, behind each other, each with its NUL */
	size_t text_len;
};
void queue_settings_to_fields(const struct queue_settings *settings,
							  struct queue_fields *ret_fields); /* end with queue_fields_clear */
void queue_fields_clear(struct queue_fields *fields);
/* One field from the store into settings; an unknown field is ignored (version skew). */
WR_MUST_USE enum wr_err queue_settings_set_field(struct queue_settings *settings, const char *name,
												 const char *value, size_t len);

/* Members of a place and of the public counts that most queues do not have: "opens_at_ms" while it
 * lies ahead, "messages" when there are any. They take at most queue_settings_news_bytes. */
void queue_settings_write_news(const struct queue_settings *settings, int64_t now_ms,
							   struct json_out *out);
size_t queue_settings_news_bytes(const struct queue_settings *settings);

/* The operator's message in a language ("pt-BR" also finds "pt"), or the default one; lent. */
const char *queue_settings_message(const struct queue_settings *settings, const char *language);

/* The tables above as a table in Markdown, for deploy/settings.md. */
void queue_settings_print_markdown(FILE *out);

/* What a lane gets of the queue's admissions: its share (0..1), and that in people a second. */
double queue_settings_lane_share(const struct queue_settings *settings, size_t lane);
double queue_settings_lane_rate_per_s(const struct queue_settings *settings, size_t lane);

/* Lane number by name, or -1. */
int queue_settings_lane(const struct queue_settings *settings, const char *lane);

/* Is 'target' an absolute URL whose origin and path prefix are allowed? https only, or http when
 * the allowed one says http. Refuses user information, backslash, control characters, spaces,
 * quotes and angle brackets, non-ASCII, dot segments (also percent-encoded), more than
 * VISIT_TARGET_MAX_BYTES. With no allowed targets: only a path on the same site ("/…", not
 * "//…"). */
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
