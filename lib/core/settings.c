/* Settings of a queue: defaults, words, the store's fields, and what must hold between values.
 *
 * The numbers come from QUEUE_NUMBER_TABLE; the few that are not numbers have their own lines
 * here. JSON is in settings_json.c, targets in target.c.
 */
#include "settings_rules.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const struct number_row number_rows[] = {
#define NUMBER_ROW(name_, def_, low_, high_, unit_, text_)                                         \
	{#name_, offsetof(struct queue_settings, name_), def_, low_, high_},
	QUEUE_NUMBER_TABLE(NUMBER_ROW)
#undef NUMBER_ROW
};
const size_t number_row_count = sizeof(number_rows) / sizeof(number_rows[0]);

static const char *const state_words[] = {
#define STATE_WORD(name, word, sentence) word,
	QUEUE_STATE_TABLE(STATE_WORD)
#undef STATE_WORD
};

int64_t *number_at(struct queue_settings *settings, const struct number_row *row)
{
	return (int64_t *)(void *)((char *)settings + row->offset);
}

int64_t number_of(const struct queue_settings *settings, const struct number_row *row)
{
	return *(const int64_t *)(const void *)((const char *)settings + row->offset);
}

const char *queue_state_word(enum queue_state state)
{
	return state < QUEUE_STATE_COUNT ? state_words[state] : "?";
}

bool queue_state_parse(const char *word, enum queue_state *ret_state)
{
	for (int i = 0; i < QUEUE_STATE_COUNT; i++)
		if (strcmp(word, state_words[i]) == 0) {
			*ret_state = (enum queue_state)i;
			return true;
		}
	return false;
}

void queue_settings_default(struct queue_settings *ret_settings)
{
	memset(ret_settings, 0, sizeof(*ret_settings));
	for (size_t i = 0; i < number_row_count; i++)
		*number_at(ret_settings, &number_rows[i]) = number_rows[i].def;
	ret_settings->lane_count = 1;
	ret_settings->lanes[0] = (struct queue_lane){.name = "main", .weight = 1, .open = true};
}

int queue_settings_lane(const struct queue_settings *settings, const char *lane)
{
	for (uint32_t i = 0; i < settings->lane_count; i++)
		if (strcmp(settings->lanes[i].name, lane) == 0)
			return (int)i;
	return -1;
}

/* ---- between values ---- */

enum wr_err settings_check(const struct queue_settings *settings, struct err_detail *ret_detail)
{
	if (settings->poll_min_ms > settings->poll_max_ms)
		return err_say(ret_detail, WR_INVALID,
					   "poll_min_ms: must not be above poll_max_ms (%" PRId64 ")",
					   settings->poll_max_ms);
	if (settings->absent_after_ms * 5 < settings->poll_max_ms * 6)
		return err_say(ret_detail, WR_INVALID,
					   "absent_after_ms: must be at least 1.2 times poll_max_ms (%" PRId64
					   "), or people who poll on time count as absent",
					   settings->poll_max_ms);
	if (settings->heartbeat_ttl_ms < settings->absent_after_ms)
		return err_say(ret_detail, WR_INVALID,
					   "heartbeat_ttl_ms: must not be below absent_after_ms (%" PRId64 ")",
					   settings->absent_after_ms);
	if (settings->first_heartbeat_ms < 2500)
		return err_say(ret_detail, WR_INVALID,
					   "first_heartbeat_ms: must be at least 2500; the first poll comes within 2 s");
	for (uint32_t i = 0; i < settings->lane_count; i++)
		if (queue_settings_lane(settings, settings->lanes[i].name) != (int)i)
			return err_say(ret_detail, WR_INVALID, "lanes: two lanes have the same name");
	return WR_OK;
}

/* ---- the store's fields ---- */

static void print_lanes(const struct queue_settings *settings, char *text, size_t room)
{
	size_t len = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < settings->lane_count && len < room; i++)
		len += (size_t)snprintf(text + len, room - len, "%s%s:%" PRIu32 ":%s", i > 0 ? "," : "",
								settings->lanes[i].name, settings->lanes[i].weight,
								settings->lanes[i].open ? "open" : "signed");
}

static void print_targets(const struct queue_settings *settings, char *text, size_t room)
{
	size_t len = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < settings->target_count && len < room; i++)
		len += (size_t)snprintf(text + len, room - len, "%s%s", i > 0 ? "\n" : "",
								settings->targets[i]);
}

size_t queue_settings_to_fields(const struct queue_settings *settings,
								struct queue_field fields[QUEUE_FIELDS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < number_row_count; i++, n++) {
		fields[n].name = number_rows[i].name;
		snprintf(fields[n].value, sizeof(fields[n].value), "%" PRId64,
				 number_of(settings, &number_rows[i]));
	}
	fields[n].name = "session_renewal";
	strcpy(fields[n++].value, settings->session_renewal ? "1" : "0");
	fields[n].name = "state";
	strcpy(fields[n++].value, queue_state_word(settings->state));
	fields[n].name = "on_outage";
	strcpy(fields[n++].value, settings->on_outage == QUEUE_ON_OUTAGE_OPEN ? "open" : "hold");
	fields[n].name = "message";
	strcpy(fields[n++].value, settings->message);
	fields[n].name = "lanes";
	print_lanes(settings, fields[n].value, sizeof(fields[n].value));
	n++;
	fields[n].name = "allowed_targets";
	print_targets(settings, fields[n].value, sizeof(fields[n].value));
	return n + 1;
}

/* "main:1:open,vip:3:signed" */
static bool read_lanes(struct queue_settings *settings, const char *text, size_t len)
{
	struct queue_settings next = *settings;
	next.lane_count = 0;
	for (size_t at = 0; at < len;) {
		const char *comma = memchr(text + at, ',', len - at);
		size_t end = comma != NULL ? (size_t)(comma - text) : len;
		const char *first = memchr(text + at, ':', end - at);
		const char *second =
			first != NULL ? memchr(first + 1, ':', (size_t)(text + end - first - 1)) : NULL;
		uint64_t weight = 0;
		if (second == NULL || next.lane_count == QUEUE_LANES_MAX ||
			!name_is_valid(text + at, (size_t)(first - text) - at) ||
			!text_to_u64(first + 1, (size_t)(second - first - 1), 1000, &weight) || weight == 0)
			return false;
		struct queue_lane *lane = &next.lanes[next.lane_count++];
		*lane = (struct queue_lane){.weight = (uint32_t)weight,
									.open = (size_t)(text + end - second) == 5};
		memcpy(lane->name, text + at, (size_t)(first - text) - at);
		at = end + 1;
	}
	if (next.lane_count == 0)
		return false;
	settings->lane_count = next.lane_count;
	memcpy(settings->lanes, next.lanes, sizeof(next.lanes));
	return true;
}

static bool read_targets(struct queue_settings *settings, const char *text, size_t len)
{
	uint32_t count = 0;
	for (size_t at = 0; at < len;) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t end = newline != NULL ? (size_t)(newline - text) : len;
		if (count == QUEUE_TARGETS_MAX || end - at > QUEUE_TARGET_BYTES)
			return false;
		memcpy(settings->targets[count], text + at, end - at);
		settings->targets[count++][end - at] = '\0';
		at = end + 1;
	}
	settings->target_count = count;
	return true;
}

static bool read_word(struct queue_settings *settings, const char *name, const char *value,
					  size_t len)
{
	char word[24] = "";
	if (len >= sizeof(word))
		return false;
	memcpy(word, value, len);
	if (strcmp(name, "state") == 0)
		return queue_state_parse(word, &settings->state);
	if (strcmp(name, "on_outage") == 0) {
		settings->on_outage =
			strcmp(word, "open") == 0 ? QUEUE_ON_OUTAGE_OPEN : QUEUE_ON_OUTAGE_HOLD;
		return true;
	}
	settings->session_renewal = strcmp(word, "1") == 0;
	return true;
}

enum wr_err queue_settings_set_field(struct queue_settings *settings, const char *name,
									 const char *value, size_t len)
{
	bool good = true;
	for (size_t i = 0; i < number_row_count; i++)
		if (strcmp(name, number_rows[i].name) == 0)
			return text_to_i64(value, len, number_rows[i].low, number_rows[i].high,
							   number_at(settings, &number_rows[i]))
					   ? WR_OK
					   : WR_INVALID;
	if (strcmp(name, "version") == 0) {
		good = text_to_u64(value, len, UINT64_MAX, &settings->version);
	} else if (strcmp(name, "message") == 0) {
		good = len <= QUEUE_MESSAGE_BYTES;
		if (good) {
			memcpy(settings->message, value, len);
			settings->message[len] = '\0';
		}
	} else if (strcmp(name, "lanes") == 0) {
		good = read_lanes(settings, value, len);
	} else if (strcmp(name, "allowed_targets") == 0) {
		good = read_targets(settings, value, len);
	} else if (strcmp(name, "state") == 0 || strcmp(name, "on_outage") == 0 ||
			   strcmp(name, "session_renewal") == 0) {
		good = read_word(settings, name, value, len);
	}
	return good ? WR_OK : WR_INVALID;
}
