/* Admin dry run: what a change would change, and what it would do to the waits of the people in
 * line.
 *
 * Both settings are written as an operator reads them and compared member by member, so that
 * secrets do not show: of them it is only said that they are others. Long members are told by their
 * hash. The line is the store's of this moment, the pace is the one that this pod shows visitors.
 */
#include "admin_queue.h"

#include "admin_shown.h"

#include <string.h>

#include "waitingroom/forecast.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define LONG_CHARS 1024 /* of a member, as JSON */
#define ANSWER_BYTES (256 * 1024)

static void put_change(struct json_out *out, const char *field, const char *before,
					   const char *after)
{
	json_out_object(out, NULL);
	json_out_string(out, "field", field);
	admin_shown_put(out, "before", before, LONG_CHARS);
	admin_shown_put(out, "after", after, LONG_CHARS);
	json_out_object_end(out);
}

static void put_changes(struct json_out *out, const struct queue_settings *before,
						const struct queue_settings *after, bool is_new)
{
	WR_AUTO(json_free_at) struct json_value *old = admin_shown(before);
	WR_AUTO(json_free_at) struct json_value *new = admin_shown(after);
	json_out_array(out, "changes");
	for (size_t i = 0; i < json_count(new); i++) {
		const char *field = json_key(json_at(new, i));
		WR_AUTO(mem_free_at) char *was = json_print(json_member(old, field));
		WR_AUTO(mem_free_at) char *is = json_print(json_at(new, i));
		if (strcmp(was, is) != 0)
			put_change(out, field, is_new ? "null" : was, is);
	}
	if (strcmp(before->captcha_secret, after->captcha_secret) != 0)
		put_change(out, "captcha_secret", before->captcha_secret[0] ? "\"set\"" : "null",
				   after->captcha_secret[0] ? "\"set anew\"" : "null");
	json_out_array_end(out);
}

static void put_range(struct json_out *out, const char *key, const struct wait_range *range)
{
	if (!range->known) {
		json_out_null(out, key);
		return;
	}
	json_out_object(out, key);
	json_out_int(out, "low", range->low_s);
	json_out_int(out, "high", range->high_s);
	json_out_object_end(out);
}

static void put_forecast(struct json_out *out, const struct forecast *forecast)
{
	json_out_array(out, "effect");
	for (size_t i = 0; i < forecast->row_count; i++) {
		const struct forecast_row *row = &forecast->rows[i];
		json_out_object(out, NULL);
		json_out_string(out, "lane", row->lane);
		json_out_string(out, "place", row->place);
		json_out_int(out, "ahead", (int64_t)row->ahead);
		put_range(out, "now", &row->now);
		put_range(out, "then", &row->then);
		json_out_object_end(out);
	}
	json_out_array_end(out);
	json_out_array(out, "warnings");
	for (size_t i = 0; i < forecast->warning_count; i++)
		json_out_string(out, NULL, forecast->warnings[i].text);
	json_out_array_end(out);
}

/* The line as the store has it, with this pod's models of it; lanes that it does not know have
 * none. */
static void look_at_line(const struct admin_notes *notes, const struct synced *answer,
						 struct forecast_now *ret_now)
{
	const struct queue_snapshot *snapshot =
		queue_table_find(notes->internal->app->queues, &notes->name);
	*ret_now = (struct forecast_now){.settings = &answer->settings,
									 .now_ms = answer->now_ms,
									 .active = answer->active,
									 .recovering = answer->recovering};
	for (size_t i = 0; i < answer->lane_count; i++) {
		int lane = queue_settings_lane(&answer->settings, answer->lanes[i].lane);
		if (lane < 0)
			continue;
		ret_now->waiting[lane] = answer->lanes[i].ticket - answer->lanes[i].gone;
		int known = snapshot ? queue_settings_lane(snapshot->settings, answer->lanes[i].lane) : -1;
		if (known >= 0)
			ret_now->model[lane] = snapshot->waits[known];
	}
}

/* ---- what asks for one ---- */

bool admin_is_dry_run(const struct http_request *request)
{
	char value[8];
	return http_request_query(request, "dry_run", value, sizeof(value)) &&
		   (strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
}

enum wr_err admin_check_dry_run(struct http_request *request, struct err_detail *ret_detail)
{
	static const route_fn can[] = {admin_put_serve,	   admin_patch_serve, admin_pause_serve,
								   admin_resume_serve, admin_open_serve,  admin_hold_serve,
								   admin_close_serve,  admin_drain_serve};
	const struct admin_notes *notes = http_request_notes(request);
	char value[8];
	if (notes->route->action == NULL ||
		!http_request_query(request, "dry_run", value, sizeof(value)))
		return WR_OK;
	for (size_t i = 0; i < sizeof(can) / sizeof(can[0]); i++)
		if (notes->route->serve == can[i])
			return admin_is_dry_run(request)
					   ? WR_OK
					   : err_say(ret_detail, WR_INVALID, "dry_run: must be 1, or not be given");
	return err_say(ret_detail, WR_INVALID, "dry_run: this cannot be tried, only done");
}

void admin_reply_dry_run(struct http_request *request, const struct synced *answer,
						 const struct queue_settings *settings)
{
	const struct admin_notes *notes = http_request_notes(request);
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, ANSWER_BYTES);
	struct forecast forecast = {.row_count = 0};
	struct queue_settings defaults;
	struct json_out out;
	queue_settings_default(&defaults);
	if (answer != NULL) {
		struct forecast_now now;
		look_at_line(notes, answer, &now);
		forecast_make(&now, settings, &forecast);
	}
	json_out_init(&out, text, ANSWER_BYTES);
	json_out_object(&out, NULL);
	json_out_bool(&out, "dry_run", true);
	json_out_int(&out, "version", answer ? (int64_t)answer->version : 0);
	put_changes(&out, answer ? &answer->settings : &defaults, settings, answer == NULL);
	put_forecast(&out, &forecast);
	json_out_object_end(&out);
	admin_reply_json(request, 200, &out);
}
