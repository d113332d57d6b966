/* Claims: printing with json_out, and reading exactly what we print.
 *
 * A payload is read only after its signature held, so it is one of ours: the same members in the
 * same order, without white space. The reader takes one after the other and nothing else; there is
 * no general JSON here, so there is nothing in it to be understood in two ways. Numbers are whole,
 * not negative, without leading zeros, below 2^53. Every string is held to an alphabet that knows
 * neither quote nor backslash nor anything outside ASCII, so an escape never has to be understood.
 *
 * What values must look like is said by one function for each type of token, which guards the
 * printing too: what prints is what parses. Names and order of the members stand in the printing
 * and the parsing functions, one under the other. Every heartbeat reads one: hence the literals,
 * which compile to a few comparisons of words.
 */
#include "claims.h"

#include <string.h>

#define NUMBER_MAX ((UINT64_C(1) << 53) - 1) /* exact in Lua and JavaScript as well */

/* ---- reading ---- */

struct scan {
	const char *at;
	const char *end;
};

/* 'len' is a constant where this is inlined: two comparisons of words that may overlap. */
static inline bool is_same(const char *a, const char *b, size_t len)
{
	if (len < 8 || len > 16)
		return memcmp(a, b, len) == 0;
	uint64_t head_a, head_b, tail_a, tail_b;
	memcpy(&head_a, a, 8);
	memcpy(&head_b, b, 8);
	memcpy(&tail_a, a + len - 8, 8);
	memcpy(&tail_b, b + len - 8, 8);
	return ((head_a ^ head_b) | (tail_a ^ tail_b)) == 0;
}

static inline bool take_text(struct scan *scan, const char *text, size_t len)
{
	if ((size_t)(scan->end - scan->at) < len || !is_same(scan->at, text, len))
		return false;
	scan->at += len;
	return true;
}
#define TAKE(scan, literal) take_text((scan), "" literal, sizeof(literal) - 1)

/* What stands before the next quote, which is taken too. */
static inline bool take_rest(struct scan *scan, const char **ret_text, size_t *ret_len)
{
	const char *quote = memchr(scan->at, '"', (size_t)(scan->end - scan->at));
	if (!quote)
		return false;
	*ret_text = scan->at;
	*ret_len = (size_t)(quote - scan->at);
	scan->at = quote + 1;
	return true;
}

/* "tenant/queue" in full: the short form would be a second spelling of one audience. */
static bool take_queue(struct scan *scan, struct queue_name *ret_queue)
{
	const char *text;
	size_t len;
	return take_rest(scan, &text, &len) && memchr(text, '/', len) &&
		   queue_name_parse(text, len, ret_queue);
}

/* into zeroed storage, which keeps its last NUL */
static bool take_name(struct scan *scan, char ret_name[NAME_MAX_CHARS + 1])
{
	const char *text;
	size_t len;
	if (!take_rest(scan, &text, &len) || !name_is_valid(text, len))
		return false;
	memcpy(ret_name, text, len);
	return true;
}

/* A fixed number of base64url characters, with the quote behind them; the same of the storage. */
static inline bool take_id(struct scan *scan, size_t chars, char *ret_id)
{
	uint8_t bytes[16];
	size_t len;
	if ((size_t)(scan->end - scan->at) <= chars || scan->at[chars] != '"' ||
		!base64url_decode(scan->at, chars, bytes, sizeof(bytes), &len))
		return false;
	memcpy(ret_id, scan->at, chars);
	scan->at += chars + 1;
	return true;
}

static inline bool take_number(struct scan *scan, uint64_t *ret_number)
{
	const char *start = scan->at;
	uint64_t number = 0;
	/* 16 digits do not overflow; a 17th ends the number, and what follows is not taken */
	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9' && scan->at - start < 16)
		number = number * 10 + (uint64_t)(*scan->at++ - '0');
	*ret_number = number;
	return scan->at > start && (*start != '0' || scan->at == start + 1) && number <= NUMBER_MAX;
}

static bool take_time(struct scan *scan, int64_t *ret_seconds)
{
	uint64_t number;
	if (!take_number(scan, &number))
		return false;
	*ret_seconds = (int64_t)number;
	return true;
}

static bool take_flag(struct scan *scan, bool *ret_flag)
{
	*ret_flag = TAKE(scan, "true");
	return *ret_flag || TAKE(scan, "false");
}

static bool ends(const struct scan *scan)
{
	return scan->at == scan->end;
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

/* Numbers and times; reading checks the texts as it takes them. */
static bool stand_is_valid(const struct position_claims *claims)
{
	return claims->ticket >= 1 && claims->ticket <= NUMBER_MAX &&
		   life_is_valid(claims->issued_s, claims->expires_s, POSITION_TOKEN_SUM_MAX_S);
}

static bool position_is_valid(const struct position_claims *claims)
{
	return queue_is_valid(&claims->queue) &&
		   is_base64url_text(claims->position_id, POSITION_ID_CHARS) &&
		   is_base64url_text(claims->epoch, EPOCH_CHARS) &&
		   name_is_valid(claims->lane, strlen(claims->lane)) &&
		   (!claims->target_hash[0] || is_base64url_text(claims->target_hash, TARGET_HASH_CHARS)) &&
		   stand_is_valid(claims);
}

/* Lane and ticket of the place that a session came from: both or neither. */
static bool origin_is_valid(const char *lane, uint64_t ticket)
{
	return ticket == 0 ? !lane[0] : ticket <= NUMBER_MAX && name_is_valid(lane, strlen(lane));
}

static bool binding_is_valid(const char *binding)
{
	return !binding[0] || is_base64url_text(binding, BINDING_CHARS);
}

static bool session_is_valid(const struct session_claims *claims)
{
	return queue_is_valid(&claims->queue) &&
		   is_base64url_text(claims->position_id, POSITION_ID_CHARS) &&
		   is_base64url_text(claims->epoch, EPOCH_CHARS) &&
		   origin_is_valid(claims->lane, claims->ticket) && binding_is_valid(claims->binding) &&
		   life_is_valid(claims->issued_s, claims->expires_s, SESSION_LIFE_MAX_S);
}

/* A session may end sooner than the pass into it, which is then good for nothing. */
static bool pass_is_valid(const struct pass_claims *claims)
{
	return queue_is_valid(&claims->queue) &&
		   is_base64url_text(claims->position_id, POSITION_ID_CHARS) &&
		   is_base64url_text(claims->epoch, EPOCH_CHARS) &&
		   is_base64url_text(claims->pass_id, PASS_ID_CHARS) &&
		   origin_is_valid(claims->lane, claims->ticket) && binding_is_valid(claims->binding) &&
		   life_is_valid(claims->issued_s, claims->session_expires_s, SESSION_LIFE_MAX_S) &&
		   life_is_valid(claims->issued_s, claims->expires_s, PASS_LIFE_S);
}

/* ---- both ways ---- */

static void print_queue(struct json_out *out, const struct queue_name *queue)
{
	char text[QUEUE_NAME_TEXT_BYTES];
	size_t len = queue_name_print(queue, text);
	json_out_string_n(out, "aud", text, len);
}

bool position_claims_print(const struct position_claims *claims, char ret_json[CLAIMS_ROOM],
						   size_t *ret_len)
{
	if (!position_is_valid(claims))
		return false;
	struct json_out out;
	json_out_init(&out, ret_json, CLAIMS_ROOM);
	json_out_object(&out, NULL);
	print_queue(&out, &claims->queue);
	json_out_string(&out, "sub", claims->position_id);
	json_out_string(&out, "epoch", claims->epoch);
	json_out_string(&out, "lane", claims->lane);
	json_out_int(&out, "ticket", (int64_t)claims->ticket);
	if (claims->target_hash[0])
		json_out_string(&out, "target", claims->target_hash);
	if (claims->holder)
		json_out_int(&out, "holder", claims->holder);
	json_out_int(&out, "iat", claims->issued_s);
	json_out_int(&out, "exp", claims->expires_s);
	json_out_object_end(&out);
	*ret_len = out.len;
	return !out.overflow;
}

/* One spelling: who holds a place first has no such member. */
static bool take_holder(struct scan *scan, uint32_t *ret_holder)
{
	uint64_t number;
	if (!take_number(scan, &number) || number == 0 || number > UINT32_MAX)
		return false;
	*ret_holder = (uint32_t)number;
	return true;
}

static bool read_position(struct scan *scan, struct position_claims *claims)
{
	return TAKE(scan, "{\"aud\":\"") && take_queue(scan, &claims->queue) &&
		   TAKE(scan, ",\"sub\":\"") && take_id(scan, POSITION_ID_CHARS, claims->position_id) &&
		   TAKE(scan, ",\"epoch\":\"") && take_id(scan, EPOCH_CHARS, claims->epoch) &&
		   TAKE(scan, ",\"lane\":\"") && take_name(scan, claims->lane) &&
		   TAKE(scan, ",\"ticket\":") && take_number(scan, &claims->ticket) &&
		   (!TAKE(scan, ",\"target\":\"") ||
			take_id(scan, TARGET_HASH_CHARS, claims->target_hash)) &&
		   (!TAKE(scan, ",\"holder\":") || take_holder(scan, &claims->holder)) &&
		   TAKE(scan, ",\"iat\":") && take_time(scan, &claims->issued_s) &&
		   TAKE(scan, ",\"exp\":") && take_time(scan, &claims->expires_s) && TAKE(scan, "}") &&
		   ends(scan);
}

bool position_claims_parse(const char *json, size_t len, struct position_claims *ret_claims)
{
	struct scan scan = {.at = json, .end = json + len};
	*ret_claims = (struct position_claims){.ticket = 0};
	return read_position(&scan, ret_claims) && stand_is_valid(ret_claims);
}

/* What session and pass have alike. */
static void print_origin(struct json_out *out, const char *lane, uint64_t ticket,
						 const char *binding)
{
	if (ticket > 0) {
		json_out_string(out, "lane", lane);
		json_out_int(out, "ticket", (int64_t)ticket);
	}
	if (binding[0])
		json_out_string(out, "bnd", binding);
}

static bool take_origin(struct scan *scan, char *ret_lane, uint64_t *ret_ticket, char *ret_binding)
{
	if (TAKE(scan, ",\"lane\":\"") && (!take_name(scan, ret_lane) || !TAKE(scan, ",\"ticket\":") ||
									   !take_number(scan, ret_ticket) || *ret_ticket == 0))
		return false;
	return !TAKE(scan, ",\"bnd\":\"") || take_id(scan, BINDING_CHARS, ret_binding);
}

static void print_times(struct json_out *out, int64_t issued_s, int64_t expires_s)
{
	json_out_int(out, "iat", issued_s);
	json_out_int(out, "nbf", issued_s);
	json_out_int(out, "exp", expires_s);
}

static bool take_times(struct scan *scan, int64_t *ret_issued_s, int64_t *ret_expires_s)
{
	int64_t not_before_s;
	return TAKE(scan, ",\"iat\":") && take_time(scan, ret_issued_s) && TAKE(scan, ",\"nbf\":") &&
		   take_time(scan, &not_before_s) && not_before_s == *ret_issued_s &&
		   TAKE(scan, ",\"exp\":") && take_time(scan, ret_expires_s) && TAKE(scan, "}") &&
		   ends(scan);
}

bool session_claims_print(const struct session_claims *claims, char ret_json[CLAIMS_ROOM],
						  size_t *ret_len)
{
	if (!session_is_valid(claims))
		return false;
	struct json_out out;
	json_out_init(&out, ret_json, CLAIMS_ROOM);
	json_out_object(&out, NULL);
	print_queue(&out, &claims->queue);
	json_out_string(&out, "sub", claims->position_id);
	json_out_string(&out, "epoch", claims->epoch);
	print_origin(&out, claims->lane, claims->ticket, claims->binding);
	json_out_bool(&out, "renew", claims->renewal);
	print_times(&out, claims->issued_s, claims->expires_s);
	json_out_object_end(&out);
	*ret_len = out.len;
	return !out.overflow;
}

static bool read_session(struct scan *scan, struct session_claims *claims)
{
	return TAKE(scan, "{\"aud\":\"") && take_queue(scan, &claims->queue) &&
		   TAKE(scan, ",\"sub\":\"") && take_id(scan, POSITION_ID_CHARS, claims->position_id) &&
		   TAKE(scan, ",\"epoch\":\"") && take_id(scan, EPOCH_CHARS, claims->epoch) &&
		   take_origin(scan, claims->lane, &claims->ticket, claims->binding) &&
		   TAKE(scan, ",\"renew\":") && take_flag(scan, &claims->renewal) &&
		   take_times(scan, &claims->issued_s, &claims->expires_s);
}

bool session_claims_parse(const char *json, size_t len, struct session_claims *ret_claims)
{
	struct scan scan = {.at = json, .end = json + len};
	*ret_claims = (struct session_claims){.issued_s = 0};
	return read_session(&scan, ret_claims) && session_is_valid(ret_claims);
}

bool pass_claims_print(const struct pass_claims *claims, char ret_json[CLAIMS_ROOM],
					   size_t *ret_len)
{
	if (!pass_is_valid(claims))
		return false;
	struct json_out out;
	json_out_init(&out, ret_json, CLAIMS_ROOM);
	json_out_object(&out, NULL);
	print_queue(&out, &claims->queue);
	json_out_string(&out, "sub", claims->position_id);
	json_out_string(&out, "epoch", claims->epoch);
	json_out_string(&out, "jti", claims->pass_id);
	print_origin(&out, claims->lane, claims->ticket, claims->binding);
	json_out_bool(&out, "renew", claims->renewal);
	json_out_int(&out, "sexp", claims->session_expires_s);
	print_times(&out, claims->issued_s, claims->expires_s);
	json_out_object_end(&out);
	*ret_len = out.len;
	return !out.overflow;
}

static bool read_pass(struct scan *scan, struct pass_claims *claims)
{
	return TAKE(scan, "{\"aud\":\"") && take_queue(scan, &claims->queue) &&
		   TAKE(scan, ",\"sub\":\"") && take_id(scan, POSITION_ID_CHARS, claims->position_id) &&
		   TAKE(scan, ",\"epoch\":\"") && take_id(scan, EPOCH_CHARS, claims->epoch) &&
		   TAKE(scan, ",\"jti\":\"") && take_id(scan, PASS_ID_CHARS, claims->pass_id) &&
		   take_origin(scan, claims->lane, &claims->ticket, claims->binding) &&
		   TAKE(scan, ",\"renew\":") && take_flag(scan, &claims->renewal) &&
		   TAKE(scan, ",\"sexp\":") && take_time(scan, &claims->session_expires_s) &&
		   take_times(scan, &claims->issued_s, &claims->expires_s);
}

bool pass_claims_parse(const char *json, size_t len, struct pass_claims *ret_claims)
{
	struct scan scan = {.at = json, .end = json + len};
	*ret_claims = (struct pass_claims){.issued_s = 0};
	return read_pass(&scan, ret_claims) && pass_is_valid(ret_claims);
}
