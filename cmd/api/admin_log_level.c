/* Admin log level: GET says what is written to the log, PUT makes all processes say more or less.
 *
 *     PUT {"level":"debug","seconds":300} ─► this pod, at once ─► a key in the store, which runs out
 *                                            ─► every process, within two seconds
 *
 * When the store is away this pod still obeys, and says "everywhere":false: a night without a store
 * is one in which somebody wants to know more.
 */
#include <stdio.h>
#include <string.h>

#include "admin_audit.h"
#include "internal.h"
#include "waitingroom/json_in.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"
#include "waitingroom/store_log.h"

#define SECONDS_DEFAULT 600
#define SECONDS_MAX 86400

static void answer(struct http_request *request, enum log_level level, int64_t seconds,
				   bool everywhere)
{
	char text[256];
	struct json_out out;
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_string(&out, "level", log_level_word(level));
	json_out_int(&out, "seconds", seconds);
	json_out_bool(&out, "everywhere", everywhere);
	json_out_object_end(&out);
	admin_reply_json(request, 200, &out);
}

void admin_log_level_get_serve(void *ctx, struct http_request *request,
							   const struct route_match *match)
{
	char text[256];
	struct json_out out;
	(void)ctx, (void)match;
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_string(&out, "level", log_level_word(log_current_level()));
	json_out_string(&out, "instance", log_instance());
	json_out_object_end(&out);
	admin_reply_json(request, 200, &out);
}

static void on_written_down(void *ctx, enum wr_err err)
{
	struct http_request *request = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	answer(request, log_current_level(), (int64_t)notes->done, err == WR_OK);
}

static void on_told(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	struct http_request *request = ctx;
	const struct admin_notes *notes = http_request_notes(request);
	enum log_level before = log_current_level(), level = (enum log_level)notes->wanted;
	int64_t seconds = (int64_t)notes->done;
	(void)text, (void)len, (void)number;
	if (seconds > 0)
		log_override_level(level, seconds);
	else
		log_end_override();
	if (err != WR_OK) {
		answer(request, log_current_level(), seconds, false);
		return;
	}
	char entry[STORE_AUDIT_BYTES], was[64], is[64];
	snprintf(was, sizeof(was), "{\"level\":\"%s\"}", log_level_word(before));
	snprintf(is, sizeof(is), "{\"level\":\"%s\",\"seconds\":%lld}",
			 log_level_word(log_current_level()), (long long)seconds);
	admin_audit_object(notes, NULL, "log-level", "*", was, is, entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_audit(notes->internal->store, &system_shard, &audit, on_written_down, request);
}

static enum wr_err read_wish(const struct http_request *request, enum log_level *ret_level,
							 int64_t *ret_seconds, struct err_detail *ret_detail)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	size_t len = 0;
	const char *body = http_request_body(request, &len), *word = "";
	enum wr_err err = json_parse(body, len, &document, ret_detail);
	if (err != WR_OK)
		return err;
	const struct json_value *seconds = json_member(document, "seconds");
	*ret_seconds = SECONDS_DEFAULT;
	if (!json_string(json_member(document, "level"), &word) || !log_level_parse(word, ret_level))
		return err_say(ret_detail, WR_INVALID, "level: must be debug, info, warn or error");
	if (seconds != NULL &&
		(!json_int(seconds, ret_seconds) || *ret_seconds < 0 || *ret_seconds > SECONDS_MAX))
		return err_say(ret_detail, WR_INVALID,
					   "seconds: must be 0..%d; 0 goes back to what is configured", SECONDS_MAX);
	if (json_count(document) != (seconds != NULL ? 2 : 1))
		return err_say(ret_detail, WR_INVALID,
					   "The body is {\"level\":\"…\",\"seconds\":N}; no other member is known.");
	return WR_OK;
}

void admin_log_level_put_serve(void *ctx, struct http_request *request,
							   const struct route_match *match)
{
	struct internal *internal = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	enum log_level level = LOG_LEVEL_INFO;
	int64_t seconds = 0;
	(void)match;
	enum wr_err err = read_wish(request, &level, &seconds, &detail);
	if (err != WR_OK) {
		admin_problem(internal, request, err, &detail);
		return;
	}
	notes->wanted = (uint64_t)level;
	notes->done = (uint64_t)seconds;
	store_set_log_level(internal->store, level, seconds, on_told, request);
}
