/* Settings: the values of one queue as a whole: defaults, copies, what may go together, and where
 * the queue's visitors may want to go.
 *
 * What a single value may be is in settings_values.c (numbers, words, texts) and in a file for each
 * shape (settings_entry, settings_bypass, settings_messages, theme). Every refusal names the field
 * and what it must be, because somebody will read it in a terminal with a shop on sale.
 *
 * How settings are read and written is in settings_json.c (admin API, files) and settings_fields.c
 * (the store's hash).
 */
#include "waitingroom/settings.h"

#include <stdlib.h>
#include <string.h>

#include "settings_rules.h"
#include "target.h"
#include "waitingroom/memory.h"

/* ---- lanes and targets ---- */

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
	const char *wrong = target_parse_base(text, len, &target);
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
		.lane_count = 1,
		.lanes = {{.name = "main", .weight = 1, .open = true}},
	};
#define NUMBER_DEFAULT(name, def, low, high, unit, text) settings.name = (def);
	QUEUE_NUMBER_TABLE(NUMBER_DEFAULT)
#undef NUMBER_DEFAULT
#define CHOICE_DEFAULT(type, name, def, words, text) settings.name = (def);
	QUEUE_CHOICE_TABLE(CHOICE_DEFAULT)
#undef CHOICE_DEFAULT
	*ret_settings = settings;
}

/* ---- copies ---- */

static void *copy_rows(const void *rows, size_t count, size_t size)
{
	return count ? mem_copy(rows, count * size) : NULL;
}

void queue_settings_copy(const struct queue_settings *settings, struct queue_settings *ret_settings)
{
	struct queue_settings copy = *settings;
	copy.entry_keys =
		copy_rows(settings->entry_keys, settings->entry_key_count, sizeof(*settings->entry_keys));
	copy.bypass = copy_rows(settings->bypass, settings->bypass_count, sizeof(*settings->bypass));
	copy.messages =
		copy_rows(settings->messages, settings->message_count, sizeof(*settings->messages));
	copy.theme = copy_rows(settings->theme, settings->theme != NULL, sizeof(*settings->theme));
	copy.template_html =
		settings->template_html != NULL ? mem_copy_string(settings->template_html) : NULL;
	*ret_settings = copy;
}

void queue_settings_clear(struct queue_settings *settings)
{
	settings_drop_entry_keys(settings);
	settings_drop_bypass(settings);
	settings_drop_messages(settings);
	mem_free_at(&settings->theme);
	settings->theme = NULL;
	mem_free_at(&settings->template_html);
	settings->template_html = NULL;
}

struct queue_settings *queue_settings_new_copy(const struct queue_settings *settings)
{
	struct queue_settings *copy = mem_alloc_zero(1, sizeof(*copy));
	queue_settings_copy(settings, copy);
	return copy;
}

void queue_settings_free(struct queue_settings *settings)
{
	if (settings == NULL)
		return;
	queue_settings_clear(settings);
	free(settings);
}

/* ---- looking ---- */

enum queue_state queue_settings_state_at(const struct queue_settings *settings, int64_t now_ms)
{
	bool opens_later = settings->state == QUEUE_OPEN && now_ms < settings->opens_at_ms;
	return opens_later ? QUEUE_HOLD : settings->state;
}

double queue_settings_lane_share(const struct queue_settings *settings, size_t lane)
{
	uint64_t weights = 0;
	for (uint32_t i = 0; i < settings->lane_count; i++)
		weights += settings->lanes[i].weight;
	return (double)settings->lanes[lane].weight / (double)weights;
}

double queue_settings_lane_rate_per_s(const struct queue_settings *settings, size_t lane)
{
	return (double)settings->rate_per_minute / 60.0 * queue_settings_lane_share(settings, lane);
}

int queue_settings_lane(const struct queue_settings *settings, const char *lane)
{
	for (unsigned i = 0; i < settings->lane_count; i++)
		if (strcmp(settings->lanes[i].name, lane) == 0)
			return (int)i;
	return -1;
}

int64_t queue_settings_absent_least(int64_t poll_ms)
{
	return (poll_ms * 6 + 4) / 5;
}

int64_t queue_settings_poll_longest(const struct queue_settings *settings)
{
	int64_t present_ms = settings->absent_after_ms * 5 / 6;
	return settings->poll_max_ms < present_ms ? settings->poll_max_ms : present_ms;
}

enum wr_err settings_check_whole(const struct queue_settings *settings,
								 struct err_detail *ret_detail)
{
	if (settings->poll_min_ms > settings->poll_max_ms)
		return err_say(ret_detail, WR_INVALID,
					   "poll_min_ms: must not be above poll_max_ms, which is %lld",
					   (long long)settings->poll_max_ms);
	int64_t absent_least_ms = queue_settings_absent_least(settings->poll_min_ms);
	if (settings->absent_after_ms < absent_least_ms)
		return err_say(ret_detail, WR_INVALID,
					   "absent_after_ms: must be at least %lld, 1.2 times poll_min_ms, or whoever "
					   "polls as told is taken for absent",
					   (long long)absent_least_ms);
	if (settings->heartbeat_ttl_ms < settings->absent_after_ms)
		return err_say(ret_detail, WR_INVALID,
					   "heartbeat_ttl_ms: must be at least absent_after_ms, which is %lld",
					   (long long)settings->absent_after_ms);
	if (settings->challenge_bits_min > settings->challenge_bits_max)
		return err_say(ret_detail, WR_INVALID,
					   "challenge_bits_min: must not be above challenge_bits_max, which is %lld",
					   (long long)settings->challenge_bits_max);
	bool is_captcha =
		settings->challenge != QUEUE_CHALLENGE_OFF && settings->challenge != QUEUE_CHALLENGE_POW;
	if (is_captcha && (!settings->captcha_site_key[0] || !settings->captcha_secret[0]))
		return err_say(ret_detail, WR_INVALID, "%s: must be given with the challenge %s",
					   settings->captcha_site_key[0] ? "captcha_secret" : "captcha_site_key",
					   queue_challenge_word(settings->challenge));
	if (settings->entry == QUEUE_ENTRY_SIGNED && settings->entry_key_count == 0)
		return err_say(ret_detail, WR_INVALID,
					   "entry_keys: must be at least one when entry is signed, or nobody can join");
	if (settings->lane_count == 0)
		return err_say(ret_detail, WR_INVALID, "lanes: must be at least one");
	return settings_check_theme(settings, ret_detail);
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
