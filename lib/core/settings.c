/* Settings: the values of one queue, what each may be, and what may go together.
 *
 * Whole numbers come from QUEUE_NUMBER_TABLE: name, default and range are written there and nowhere
 * else. The few values that are not numbers have a function each. Every refusal names the field and
 * what it must be, because somebody will read it in a terminal with a shop on sale.
 *
 * How settings are read and written is in settings_json.c (admin API, files) and settings_fields.c
 * (the store's hash).
 */
#include "waitingroom/settings.h"

#include <string.h>

#include "settings_rules.h"
#include "target.h"

#define FIRST_HEARTBEAT_LEAST_MS 2500 /* the first poll comes within 2 s */

/* ---- words ---- */

#define STATE_WORD(name, word, sentence) [name] = (word),
static const char *const state_words[QUEUE_STATE_COUNT] = {QUEUE_STATE_TABLE(STATE_WORD)};
#undef STATE_WORD
#define STATE_CHOICE(name, word, sentence) " " word
#define STATE_CHOICES QUEUE_STATE_TABLE(STATE_CHOICE)

const char *queue_state_word(enum queue_state state)
{
	return (unsigned)state < QUEUE_STATE_COUNT ? state_words[state] : "unknown";
}

bool queue_state_parse(const char *word, enum queue_state *ret_state)
{
	for (unsigned i = 0; i < QUEUE_STATE_COUNT; i++)
		if (strcmp(word, state_words[i]) == 0) {
			*ret_state = (enum queue_state)i;
			return true;
		}
	return false;
}

const char *queue_on_outage_word(enum queue_on_outage on_outage)
{
	return on_outage == QUEUE_ON_OUTAGE_OPEN ? "open" : "hold";
}

enum wr_err settings_set_state(struct queue_settings *settings, const char *word,
							   struct err_detail *ret_detail)
{
	if (!queue_state_parse(word, &settings->state))
		return err_say(ret_detail, WR_INVALID, "state: must be one of" STATE_CHOICES);
	return WR_OK;
}

enum wr_err settings_set_on_outage(struct queue_settings *settings, const char *word,
								   struct err_detail *ret_detail)
{
	if (strcmp(word, "hold") == 0)
		settings->on_outage = QUEUE_ON_OUTAGE_HOLD;
	else if (strcmp(word, "open") == 0)
		settings->on_outage = QUEUE_ON_OUTAGE_OPEN;
	else
		return err_say(ret_detail, WR_INVALID, "on_outage: must be one of hold open");
	return WR_OK;
}

/* ---- numbers ---- */

#define NUMBER_ROW(name_, def, low_, high_, unit, text)                                            \
	{.name = #name_,                                                                               \
	 .offset = offsetof(struct queue_settings, name_),                                             \
	 .by_default = (def),                                                                          \
	 .low = (low_),                                                                                \
	 .high = (high_)},
const struct settings_number settings_numbers[] = {QUEUE_NUMBER_TABLE(NUMBER_ROW)};
#undef NUMBER_ROW
const size_t settings_number_count = sizeof(settings_numbers) / sizeof(settings_numbers[0]);

int64_t settings_number_get(const struct queue_settings *settings,
							const struct settings_number *number)
{
	int64_t value;
	memcpy(&value, (const char *)settings + number->offset, sizeof(value));
	return value;
}

enum wr_err settings_number_wrong(const struct settings_number *number,
								  struct err_detail *ret_detail)
{
	return err_say(ret_detail, WR_INVALID, "%s: must be a whole number %lld..%lld", number->name,
				   (long long)number->low, (long long)number->high);
}

enum wr_err settings_number_set(struct queue_settings *settings,
								const struct settings_number *number, int64_t value,
								struct err_detail *ret_detail)
{
	if (value < number->low || value > number->high)
		return settings_number_wrong(number, ret_detail);
	memcpy((char *)settings + number->offset, &value, sizeof(value));
	return WR_OK;
}

/* ---- message, lanes, targets ---- */

enum wr_err settings_set_message(struct queue_settings *settings, const char *text, size_t len,
								 struct err_detail *ret_detail)
{
	if (len > QUEUE_MESSAGE_BYTES)
		return err_say(ret_detail, WR_INVALID, "message: must be at most %d bytes",
					   QUEUE_MESSAGE_BYTES);
	if (!utf8_is_valid(text, len))
		return err_say(ret_detail, WR_INVALID, "message: must be UTF-8 text");
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < ' ' && text[i] != '\n') || text[i] == 0x7f)
			return err_say(ret_detail, WR_INVALID,
						   "message: must be plain text, without control characters but line ends");
	memcpy(settings->message, text, len);
	memset(settings->message + len, 0, sizeof(settings->message) - len);
	return WR_OK;
}

enum wr_err settings_add_lane(struct queue_settings *settings, const char *name, size_t len,
							  int64_t weight, bool open, struct err_detail *ret_detail)
{
	unsigned number = settings->lane_count;
	if (number >= QUEUE_LANES_MAX)
		return err_say(ret_detail, WR_INVALID, "lanes: must be at most %d", QUEUE_LANES_MAX);
	if (!name_is_valid(name, len))
		return err_say(ret_detail, WR_INVALID,
					   "lanes[%u].name: must be 1..%d of a-z, 0-9 and -, and not begin with -",
					   number, NAME_MAX_CHARS);
	if (weight < 1 || weight > LANE_WEIGHT_MAX)
		return err_say(ret_detail, WR_INVALID, "lanes[%u].weight: must be a whole number 1..%d",
					   number, LANE_WEIGHT_MAX);
	struct queue_lane lane = {.weight = (uint32_t)weight, .open = open};
	memcpy(lane.name, name, len);
	if (queue_settings_lane(settings, lane.name) >= 0)
		return err_say(ret_detail, WR_INVALID, "lanes[%u].name: must not be that of another lane",
					   number);
	settings->lanes[settings->lane_count++] = lane;
	return WR_OK;
}

enum wr_err settings_add_target(struct queue_settings *settings, const char *text, size_t len,
								struct err_detail *ret_detail)
{
	unsigned number = settings->target_count;
	if (number >= QUEUE_TARGETS_MAX)
		return err_say(ret_detail, WR_INVALID, "allowed_targets: must be at most %d",
					   QUEUE_TARGETS_MAX);
	if (len > QUEUE_TARGET_BYTES)
		return err_say(ret_detail, WR_INVALID, "allowed_targets[%u]: must be at most %d bytes",
					   number, QUEUE_TARGET_BYTES);
	struct target target;
	const char *wrong = target_parse(text, len, &target);
	if (!wrong && !target.has_origin)
		wrong = "must begin with https:// or http://";
	if (!wrong && target.tail_len)
		wrong = "must not have a query (\"?\") or a fragment (\"#\")";
	if (wrong)
		return err_say(ret_detail, WR_INVALID, "allowed_targets[%u]: %s", number, wrong);
	target_print(&target, settings->targets[number]);
	settings->target_count++;
	return WR_OK;
}

/* ---- the whole ---- */

void queue_settings_default(struct queue_settings *ret_settings)
{
	struct queue_settings settings = {
		.state = QUEUE_OPEN,
		.on_outage = QUEUE_ON_OUTAGE_HOLD,
		.lane_count = 1,
		.lanes = {{.name = "main", .weight = 1, .open = true}},
	};
#define NUMBER_DEFAULT(name, def, low, high, unit, text) settings.name = (def);
	QUEUE_NUMBER_TABLE(NUMBER_DEFAULT)
#undef NUMBER_DEFAULT
	*ret_settings = settings;
}

int queue_settings_lane(const struct queue_settings *settings, const char *lane)
{
	for (unsigned i = 0; i < settings->lane_count; i++)
		if (strcmp(settings->lanes[i].name, lane) == 0)
			return (int)i;
	return -1;
}

enum wr_err settings_check_whole(const struct queue_settings *settings,
								 struct err_detail *ret_detail)
{
	if (settings->poll_min_ms > settings->poll_max_ms)
		return err_say(ret_detail, WR_INVALID,
					   "poll_min_ms: must not be above poll_max_ms, which is %lld",
					   (long long)settings->poll_max_ms);
	int64_t absent_least_ms = (settings->poll_max_ms * 6 + 4) / 5;
	if (settings->absent_after_ms < absent_least_ms)
		return err_say(ret_detail, WR_INVALID,
					   "absent_after_ms: must be at least %lld, 1.2 times poll_max_ms, or whoever "
					   "polls as told is taken for absent",
					   (long long)absent_least_ms);
	if (settings->heartbeat_ttl_ms < settings->absent_after_ms)
		return err_say(ret_detail, WR_INVALID,
					   "heartbeat_ttl_ms: must be at least absent_after_ms, which is %lld",
					   (long long)settings->absent_after_ms);
	if (settings->first_heartbeat_ms < FIRST_HEARTBEAT_LEAST_MS)
		return err_say(ret_detail, WR_INVALID,
					   "first_heartbeat_ms: must be at least %d: the first poll takes up to 2 s",
					   FIRST_HEARTBEAT_LEAST_MS);
	if (settings->lane_count == 0)
		return err_say(ret_detail, WR_INVALID, "lanes: must be at least one");
	return WR_OK;
}

/* ---- targets of visitors ---- */

static bool is_allowed(const struct queue_settings *settings, const struct target *target)
{
	struct target allowed;
	for (unsigned i = 0; i < settings->target_count; i++)
		if (!target_parse(settings->targets[i], strlen(settings->targets[i]), &allowed) &&
			target_is_within(target, &allowed))
			return true;
	return false;
}

static enum wr_err parse_allowed(const struct queue_settings *settings, const char *text,
								 size_t len, struct target *ret_target,
								 struct err_detail *ret_detail)
{
	if (len > VISIT_TARGET_MAX_BYTES)
		return err_say(ret_detail, WR_INVALID, "target: must be at most %d bytes",
					   VISIT_TARGET_MAX_BYTES);
	const char *wrong = target_parse(text, len, ret_target);
	if (wrong)
		return err_say(ret_detail, WR_INVALID, "target: %s", wrong);
	if (settings->target_count == 0 && ret_target->has_origin)
		return err_say(ret_detail, WR_INVALID,
					   "target: must be a path on this site, beginning with \"/\"");
	if (settings->target_count > 0 && !is_allowed(settings, ret_target))
		return err_say(ret_detail, WR_INVALID,
					   "target: must be on a site and below a path of the queue's allowed_targets");
	return WR_OK;
}

enum wr_err queue_settings_check_target(const struct queue_settings *settings, const char *target,
										size_t len, struct err_detail *ret_detail)
{
	struct target parts;
	return parse_allowed(settings, target, len, &parts, ret_detail);
}

enum wr_err queue_settings_rebuild_target(const struct queue_settings *settings, const char *target,
										  size_t len, char ret_target[VISIT_TARGET_MAX_BYTES + 1],
										  struct err_detail *ret_detail)
{
	struct target parts;
	enum wr_err err = parse_allowed(settings, target, len, &parts, ret_detail);
	if (err == WR_OK)
		target_print(&parts, ret_target);
	return err;
}
