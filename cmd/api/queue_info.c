/* What everybody may know of a queue: GET /queues/<tenant>/<queue> with counts and message,
 * cacheable; and the message alone, beside a refusal to take somebody in. */
#include <stdio.h>
#include <string.h>

#include "endpoints.h"
#include "waitingroom/memory.h"
#include "waitingroom/pacing.h"

#define INFO_BYTES 4096

/* FNV-1a over the body: equal bodies, equal tags, on every pod. */
static void entity_tag(const char *body, size_t len, char ret_tag[20])
{
	uint64_t hash = 14695981039346656037u;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)body[i]) * 1099511628211u;
	snprintf(ret_tag, 20, "\"%016llx\"", (unsigned long long)hash);
}

/* Of somebody who joins now and asks for no lane: that is the first one. */
static struct wait_range wait_of_newcomer(const struct queue_snapshot *snapshot)
{
	const struct position_index *lane = snapshot->lanes[0];
	uint64_t last = position_index_last(lane), gone = position_index_gone(lane);
	return wait_estimate(&snapshot->waits[0], last > gone ? last - gone : 0);
}

static void write_info(struct json_out *out, const struct queue_snapshot *snapshot)
{
	char name[QUEUE_NAME_TEXT_BYTES];
	queue_name_print(&snapshot->name, name);
	struct wait_range wait = wait_of_newcomer(snapshot);
	json_out_object(out, NULL);
	json_out_string(out, "queue_id", name);
	const struct queue_settings *settings = snapshot->settings;
	enum queue_state state = queue_settings_state_at(settings, snapshot->as_of_ms);
	json_out_string(out, "state", queue_state_word(state));
	json_out_string(out, "message", settings->message);
	queue_settings_write_news(settings, snapshot->as_of_ms, out);
	json_out_int(out, "waiting", (int64_t)snapshot->waiting);
	if (wait.known) {
		json_out_object(out, "estimated_wait_s");
		json_out_int(out, "low", wait.low_s);
		json_out_int(out, "high", wait.high_s);
		json_out_object_end(out);
	} else {
		json_out_null(out, "estimated_wait_s");
	}
	json_out_object_end(out);
}

void queue_info_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct worker *worker = ctx;
	struct queue_name name = {{0}, {0}};
	((struct parked *)http_request_notes(request))->endpoint = ENDPOINT_QUEUE;
	const struct queue_snapshot *snapshot = NULL;
	if (name_is_valid(match->segment[0], match->len[0]) &&
		name_is_valid(match->segment[1], match->len[1])) {
		memcpy(name.tenant, match->segment[0], match->len[0]);
		memcpy(name.queue, match->segment[1], match->len[1]);
		snapshot = queue_table_find(worker->app->queues, &name);
	}
	if (snapshot == NULL) {
		worker_problem(worker, request, app_why_no_queue(worker->app), NULL);
		return;
	}
	char tag[20];
	size_t room = INFO_BYTES + queue_settings_news_bytes(snapshot->settings);
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out out;
	json_out_init(&out, text, room);
	write_info(&out, snapshot);
	entity_tag(text, out.len, tag);
	http_reply_header(request, "ETag", tag);
	http_reply_header(request, "Cache-Control", "public, max-age=2, stale-while-revalidate=5");
	const char *known = http_request_header(request, "If-None-Match");
	if (known != NULL && strstr(known, tag) != NULL)
		http_reply(request, 304, "application/json", "", 0);
	else
		http_reply(request, 200, "application/json", text, out.len);
}

void queue_info_refuse(struct worker *worker, struct http_request *request, enum wr_err err,
					   const struct queue_snapshot *snapshot)
{
	const struct queue_settings *settings = snapshot != NULL ? snapshot->settings : NULL;
	if (settings == NULL || (settings->message[0] == '\0' && settings->message_count == 0)) {
		worker_problem(worker, request, err, NULL);
		return;
	}
	size_t room = INFO_BYTES + queue_settings_news_bytes(settings);
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out out;
	json_out_init(&out, text, room);
	json_out_object(&out, NULL);
	json_out_string(&out, "message", settings->message);
	queue_settings_write_news(settings, snapshot->as_of_ms, &out);
	json_out_object_end(&out);
	struct problem_member member = {.name = "queue", .json = text, .len = out.len};
	int64_t retry_s = err_is_retryable(err) ? retry_after_s(2, worker_random(worker)) : 0;
	http_reply_problem_with(request, err, NULL, retry_s, &member);
}
