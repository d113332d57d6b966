/* Claims: printing with json_out, reading with a scanner that knows exactly what we print.
 *
 * The scanner takes one flat object without white space, whose members are all in the claim table
 * and stand once. Numbers are whole, not negative, without leading zeros, below 2^53. A string is
 * what stands between two quotes: every string claim is then held to an alphabet that knows neither
 * quote nor backslash nor anything outside ASCII, so an escape never has to be understood. What
 * values must look like is said by one function for each type of token, which guards the printing
 * too: what prints is what parses.
 *
 * Members are looked for from where the last one was found. Our own tokens hold them in the order of
 * the table, so each is found at the first or second look.
 */
#include "claims.h"

#include <string.h>

#define NUMBER_MAX ((UINT64_C(1) << 53) - 1) /* exact in Lua and JavaScript as well */

enum claim_type { CLAIM_STRING, CLAIM_NUMBER, CLAIM_FLAG };

/* name, member, type; the order in which they are printed */
#define CLAIM_TABLE(X)                                                                             \
	X(CLAIM_QUEUE, "aud", CLAIM_STRING)                                                            \
	X(CLAIM_POSITION_ID, "sub", CLAIM_STRING)                                                      \
	X(CLAIM_EPOCH, "epoch", CLAIM_STRING)                                                          \
	X(CLAIM_LANE, "lane", CLAIM_STRING)                                                            \
	X(CLAIM_TICKET, "ticket", CLAIM_NUMBER)                                                        \
	X(CLAIM_TARGET, "target", CLAIM_STRING)                                                        \
	X(CLAIM_RENEWAL, "renew", CLAIM_FLAG)                                                          \
	X(CLAIM_ISSUED, "iat", CLAIM_NUMBER)                                                           \
	X(CLAIM_NOT_BEFORE, "nbf", CLAIM_NUMBER)                                                       \
	X(CLAIM_EXPIRES, "exp", CLAIM_NUMBER)

#define CLAIM_ENUM(name, member, type) name,
enum claim { CLAIM_TABLE(CLAIM_ENUM) CLAIM_COUNT };
#undef CLAIM_ENUM

struct claim_row {
	const char *member;
	const char *prefix; /* "member": as it stands in the payload */
	size_t prefix_len;
	enum claim_type type;
};

#define CLAIM_ROW(name, member_, type_)                                                            \
	[name] = {.member = (member_),                                                                 \
			  .prefix = "\"" member_ "\":",                                                        \
			  .prefix_len = sizeof("\"" member_ "\":") - 1,                                        \
			  .type = (type_)},
static const struct claim_row claim_rows[CLAIM_COUNT] = {CLAIM_TABLE(CLAIM_ROW)};
#undef CLAIM_ROW

#define HAS(claim) (1u << (claim))
#define COMMON_CLAIMS                                                                              \
	(HAS(CLAIM_QUEUE) | HAS(CLAIM_POSITION_ID) | HAS(CLAIM_EPOCH) | HAS(CLAIM_ISSUED) |            \
	 HAS(CLAIM_EXPIRES))
#define POSITION_CLAIMS (COMMON_CLAIMS | HAS(CLAIM_LANE) | HAS(CLAIM_TICKET))
#define SESSION_CLAIMS (COMMON_CLAIMS | HAS(CLAIM_RENEWAL) | HAS(CLAIM_NOT_BEFORE))

/* ---- scanning ---- */

struct claim_value {
	const char *text; /* lends from the payload */
	size_t len;
	uint64_t number; /* of a flag: 0 or 1 */
};

struct claim_set {
	unsigned present; /* HAS bits */
	struct claim_value values[CLAIM_COUNT];
};

struct scan {
	const char *at;
	const char *end;
};

static bool take(struct scan *scan, char c)
{
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

static bool take_text(struct scan *scan, const char *text, size_t len)
{
	if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, text, len) != 0)
		return false;
	scan->at += len;
	return true;
}

static bool take_string(struct scan *scan, const char **ret_text, size_t *ret_len)
{
	if (!take(scan, '"'))
		return false;
	const char *quote = memchr(scan->at, '"', (size_t)(scan->end - scan->at));
	if (!quote)
		return false;
	*ret_text = scan->at;
	*ret_len = (size_t)(quote - scan->at);
	scan->at = quote + 1;
	return true;
}

static bool take_number(struct scan *scan, uint64_t *ret_number)
{
	const char *start = scan->at;
	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	size_t len = (size_t)(scan->at - start);
	return (len == 1 || (len && *start != '0')) && text_to_u64(start, len, NUMBER_MAX, ret_number);
}

static bool take_flag(struct scan *scan, uint64_t *ret_number)
{
	*ret_number = take_text(scan, "true", 4);
	return *ret_number || take_text(scan, "false", 5);
}

/* Takes a member's name and colon; CLAIM_COUNT when it is none of ours. 'from' is looked at first. */
static unsigned take_claim(struct scan *scan, unsigned from)
{
	for (unsigned i = 0; i < CLAIM_COUNT; i++) {
		unsigned claim = (from + i) % CLAIM_COUNT;
		if (take_text(scan, claim_rows[claim].prefix, claim_rows[claim].prefix_len))
			return claim;
	}
	return CLAIM_COUNT;
}

/* "member":value; claim moves on to the one found. */
static bool scan_member(struct scan *scan, struct claim_set *set, unsigned *claim)
{
	*claim = take_claim(scan, *claim + 1);
	if (*claim == CLAIM_COUNT || set->present & HAS(*claim))
		return false;
	set->present |= HAS(*claim);
	struct claim_value *value = &set->values[*claim];
	switch (claim_rows[*claim].type) {
	case CLAIM_STRING:
		return take_string(scan, &value->text, &value->len);
	case CLAIM_NUMBER:
		return take_number(scan, &value->number);
	case CLAIM_FLAG:
		return take_flag(scan, &value->number);
	}
	return false;
}

static bool scan_claims(const char *json, size_t len, struct claim_set *ret_set)
{
	struct scan scan = {.at = json, .end = json + len};
	unsigned claim = CLAIM_COUNT - 1;
	ret_set->present = 0;
	if (!take(&scan, '{'))
		return false;
	do {
		if (!scan_member(&scan, ret_set, &claim))
			return false;
	} while (take(&scan, ','));
	return take(&scan, '}') && scan.at == scan.end;
}

/* ---- what values must look like ---- */

static bool is_base64url_text(const char *text, size_t chars)
{
	uint8_t bytes[16];
	size_t len;
	return strlen(text) == chars && base64url_decode(text, chars, bytes, sizeof(bytes), &len);
}

static bool life_is_valid(int64_t issued_s, int64_t expires_s, int64_t life_max_s)
{
	return issued_s >= 0 && expires_s > issued_s && expires_s <= (int64_t)NUMBER_MAX &&
		   expires_s - issued_s <= life_max_s;
}

static bool queue_is_valid(const struct queue_name *queue)
{
	return name_is_valid(queue->tenant, strlen(queue->tenant)) &&
		   name_is_valid(queue->queue, strlen(queue->queue));
}

/* All but the queue, whose name reading checks as it takes it apart. */
static bool position_is_valid(const struct position_claims *claims)
{
	return is_base64url_text(claims->position_id, POSITION_ID_CHARS) &&
		   is_base64url_text(claims->epoch, EPOCH_CHARS) &&
		   name_is_valid(claims->lane, strlen(claims->lane)) && claims->ticket >= 1 &&
		   claims->ticket <= NUMBER_MAX &&
		   (!claims->target_hash[0] || is_base64url_text(claims->target_hash, TARGET_HASH_CHARS)) &&
		   life_is_valid(claims->issued_s, claims->expires_s, POSITION_LIFE_MAX_S);
}

static bool session_is_valid(const struct session_claims *claims)
{
	return is_base64url_text(claims->position_id, POSITION_ID_CHARS) &&
		   is_base64url_text(claims->epoch, EPOCH_CHARS) &&
		   life_is_valid(claims->issued_s, claims->expires_s, SESSION_LIFE_MAX_S);
}

/* ---- printing ---- */

static const char *member(enum claim claim)
{
	return claim_rows[claim].member;
}

static void print_queue(struct json_out *out, const struct queue_name *queue)
{
	char text[QUEUE_NAME_TEXT_BYTES];
	size_t len = queue_name_print(queue, text);
	json_out_string_n(out, member(CLAIM_QUEUE), text, len);
}

bool position_claims_print(const struct position_claims *claims, char ret_json[CLAIMS_ROOM],
						   size_t *ret_len)
{
	if (!queue_is_valid(&claims->queue) || !position_is_valid(claims))
		return false;
	struct json_out out;
	json_out_init(&out, ret_json, CLAIMS_ROOM);
	json_out_object(&out, NULL);
	print_queue(&out, &claims->queue);
	json_out_string(&out, member(CLAIM_POSITION_ID), claims->position_id);
	json_out_string(&out, member(CLAIM_EPOCH), claims->epoch);
	json_out_string(&out, member(CLAIM_LANE), claims->lane);
	json_out_int(&out, member(CLAIM_TICKET), (int64_t)claims->ticket);
	if (claims->target_hash[0])
		json_out_string(&out, member(CLAIM_TARGET), claims->target_hash);
	json_out_int(&out, member(CLAIM_ISSUED), claims->issued_s);
	json_out_int(&out, member(CLAIM_EXPIRES), claims->expires_s);
	json_out_object_end(&out);
	*ret_len = out.len;
	return !out.overflow;
}

bool session_claims_print(const struct session_claims *claims, char ret_json[CLAIMS_ROOM],
						  size_t *ret_len)
{
	if (!queue_is_valid(&claims->queue) || !session_is_valid(claims))
		return false;
	struct json_out out;
	json_out_init(&out, ret_json, CLAIMS_ROOM);
	json_out_object(&out, NULL);
	print_queue(&out, &claims->queue);
	json_out_string(&out, member(CLAIM_POSITION_ID), claims->position_id);
	json_out_string(&out, member(CLAIM_EPOCH), claims->epoch);
	json_out_bool(&out, member(CLAIM_RENEWAL), claims->renewal);
	json_out_int(&out, member(CLAIM_ISSUED), claims->issued_s);
	json_out_int(&out, member(CLAIM_NOT_BEFORE), claims->issued_s);
	json_out_int(&out, member(CLAIM_EXPIRES), claims->expires_s);
	json_out_object_end(&out);
	*ret_len = out.len;
	return !out.overflow;
}

/* ---- parsing ---- */

/* into zeroed storage of 'room' bytes, which keeps its last NUL */
static bool copy_string(const struct claim_value *value, char *ret_text, size_t room)
{
	if (value->len >= room || memchr(value->text, '\0', value->len))
		return false;
	memcpy(ret_text, value->text, value->len);
	return true;
}

/* "tenant/queue" in full: the short form would be a second spelling of one audience. */
static bool read_queue(const struct claim_value *value, struct queue_name *ret_queue)
{
	return memchr(value->text, '/', value->len) &&
		   queue_name_parse(value->text, value->len, ret_queue);
}

bool position_claims_parse(const char *json, size_t len, struct position_claims *ret_claims)
{
	struct claim_set set;
	struct position_claims claims = {0};
	if (!scan_claims(json, len, &set) || (set.present & ~HAS(CLAIM_TARGET)) != POSITION_CLAIMS)
		return false;
	const struct claim_value *values = set.values;
	if (!read_queue(&values[CLAIM_QUEUE], &claims.queue) ||
		!copy_string(&values[CLAIM_POSITION_ID], claims.position_id, sizeof(claims.position_id)) ||
		!copy_string(&values[CLAIM_EPOCH], claims.epoch, sizeof(claims.epoch)) ||
		!copy_string(&values[CLAIM_LANE], claims.lane, sizeof(claims.lane)))
		return false;
	if (set.present & HAS(CLAIM_TARGET) &&
		(!values[CLAIM_TARGET].len ||
		 !copy_string(&values[CLAIM_TARGET], claims.target_hash, sizeof(claims.target_hash))))
		return false;
	claims.ticket = values[CLAIM_TICKET].number;
	claims.issued_s = (int64_t)values[CLAIM_ISSUED].number;
	claims.expires_s = (int64_t)values[CLAIM_EXPIRES].number;
	if (!position_is_valid(&claims))
		return false;
	*ret_claims = claims;
	return true;
}

bool session_claims_parse(const char *json, size_t len, struct session_claims *ret_claims)
{
	struct claim_set set;
	struct session_claims claims = {0};
	if (!scan_claims(json, len, &set) || set.present != SESSION_CLAIMS)
		return false;
	const struct claim_value *values = set.values;
	if (!read_queue(&values[CLAIM_QUEUE], &claims.queue) ||
		!copy_string(&values[CLAIM_POSITION_ID], claims.position_id, sizeof(claims.position_id)) ||
		!copy_string(&values[CLAIM_EPOCH], claims.epoch, sizeof(claims.epoch)))
		return false;
	claims.renewal = values[CLAIM_RENEWAL].number != 0;
	claims.issued_s = (int64_t)values[CLAIM_ISSUED].number;
	claims.expires_s = (int64_t)values[CLAIM_EXPIRES].number;
	if (values[CLAIM_NOT_BEFORE].number != values[CLAIM_ISSUED].number ||
		!session_is_valid(&claims))
		return false;
	*ret_claims = claims;
	return true;
}
