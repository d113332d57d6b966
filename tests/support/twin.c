/* A queue twice: each step on the store and on the model, and their answers as the same text. */
#include "support/twin.h"

#include "support/cmocka.h"
#include "support/room_text.h"
#include "waitingroom/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES 8192
#define ARGUMENTS_MAX 256
#define LOG_SHOWN_BYTES 6000 /* of the steps before a failure */

static const char *lane_name(const struct twin *twin, int lane)
{
	return lane < 0 ? "nolane" : twin->model->settings.lanes[lane].name;
}

static const char *number_text(struct twin *twin, int64_t number)
{
	return room_lend_print(twin->room, "%" PRId64, number);
}

/* ---- what was done ---- */

void twin_say(struct twin *twin, const char *format, ...)
{
	char line[1024];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	size_t bytes = (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1;
	if (twin->log_len + bytes + 2 > twin->log_room) {
		twin->log_room = twin->log_room * 2 + 65536;
		twin->log = mem_grow(twin->log, twin->log_room, 1);
	}
	memcpy(twin->log + twin->log_len, line, bytes);
	twin->log_len += bytes;
	twin->log[twin->log_len++] = '\n';
	twin->log[twin->log_len] = 0;
}

void twin_fail(const struct twin *twin, const char *format, ...)
{
	size_t from = twin->log_len > LOG_SHOWN_BYTES ? twin->log_len - LOG_SHOWN_BYTES : 0;
	fprintf(stderr, "%.*s", (int)(twin->log_len - from), twin->log_len ? twin->log + from : "");
	va_list args;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	fail();
	abort();
}

/* Runs the script; its answer must be the model's. */
static void run(struct twin *twin, const char *script, size_t argc, const char *const argv[],
				const char *expected)
{
	char line[1024] = "";
	for (size_t i = 0, len = 0; i < argc && len < sizeof(line) - 1; i++)
		len += (size_t)snprintf(line + len, sizeof(line) - len, " %s", argv[i]);
	twin_say(twin, "%" PRId64 " %s%s", twin->room->now_ms - ROOM_START_MS, script, line);
	const char *answer = room_call(twin->room, script, argc, argv);
	twin_say(twin, "    %s", answer);
	if (strcmp(answer, expected) != 0)
		twin_fail(twin, "the answers differ\n  store: %s\n  model: %s", answer, expected);
}

/* ---- life ---- */

static const char *settings_text(struct twin *twin, const struct queue_settings *settings)
{
	struct queue_fields fields;
	queue_settings_to_fields(settings, &fields);
	const char *text = "";
	for (size_t i = 0; i < fields.count; i++)
		text = room_lend_print(twin->room, "%s %s=%s", text, fields.list[i].name,
							   fields.list[i].value);
	queue_fields_clear(&fields);
	return text;
}

struct twin *twin_open(struct redis_client *client, const struct queue_settings *settings)
{
	struct twin *twin = mem_alloc_zero(1, sizeof(*twin));
	twin->room = room_of_nobody(client);
	const char *made = room_put(twin->room, "put", "0", settings_text(twin, settings), "");
	assert_memory_equal(made, "created 1 ", 10);
	twin->model = admission_new(settings, twin->room->epoch);
	/* The queue was not made just now: tokens of lives that it does not know are no good. */
	redis_number(client, "HDEL %scounts from_nothing", twin->room->prefix);
	room_events(twin->room);
	return twin;
}

void twin_free(struct twin *twin)
{
	if (!twin)
		return;
	room_free(twin->room);
	admission_free(twin->model);
	free(twin->log);
	free(twin);
}

void twin_set(struct twin *twin, const struct queue_settings *settings)
{
	const char *text = settings_text(twin, settings);
	twin_say(twin, "%" PRId64 " set%s", twin->room->now_ms - ROOM_START_MS, text);
	room_put(twin->room, "put", "", text, "");
	room_events(twin->room);
	twin->model->settings = *settings;
}

/* ---- steps ---- */

static const char *const code_words[] = {
	[ADMISSION_NEW] = "new",	   [ADMISSION_SAME] = "same",	 [ADMISSION_REUSED] = "reused",
	[ADMISSION_CLOSED] = "closed", [ADMISSION_FULL] = "full",	 [ADMISSION_BUSY] = "busy",
	[ADMISSION_RATE] = "rate",	   [ADMISSION_NO_LANE] = "lane", [ADMISSION_REPLAYED] = "replayed",
	[ADMISSION_USED] = "used"};

static const char *papers_text(struct twin *twin, const struct admission_join *join)
{
	return room_lend_print(
		twin->room, "%s%s%s%s%s%s%s%s", join->nonce ? "n:" : "", join->nonce ? join->nonce : "",
		join->nonce ? ":600 " : "", join->entry ? "j:" : "", join->entry ? join->entry : "",
		join->entry ? ":600 " : "", join->only_known ? "x " : "",
		join->other_id ? room_lend_print(twin->room, "i:%s", join->other_id) : "");
}

static const char *network_text(struct twin *twin, const struct admission_join *join)
{
	if (!join->address || !*join->address)
		return join->network;
	return room_lend_print(twin->room, "%s %s", join->network, join->address);
}

void twin_join(struct twin *twin, bool outbox_is_full, const uint64_t seen[],
			   const struct admission_join *people, size_t count,
			   struct admission_joined *ret_joined)
{
	const char *argv[ARGUMENTS_MAX] = {outbox_is_full ? "0" : "1000000", twin->room->seen_epoch};
	size_t argc = 3, lanes = seen ? twin->model->settings.lane_count : 0;
	argv[2] = number_text(twin, (int64_t)lanes);
	for (size_t i = 0; i < lanes; i++) {
		argv[argc++] = lane_name(twin, (int)i);
		argv[argc++] = number_text(twin, (int64_t)seen[i]);
	}
	for (size_t i = 0; i < count; i++) {
		const char *person[] = {people[i].id,
								lane_name(twin, people[i].lane),
								"",
								"",
								people[i].request_hash,
								network_text(twin, &people[i]),
								papers_text(twin, &people[i])};
		memcpy(argv + argc, person, sizeof(person));
		argc += 7;
	}
	int64_t now_ms = twin->room->now_ms;
	admission_enqueue(twin->model, now_ms, outbox_is_full, twin->room->seen_epoch, seen, people,
					  count, ret_joined);
	char text[ANSWER_BYTES];
	int len = snprintf(text, sizeof(text), "ok %s %" PRId64, twin->model->epoch, now_ms);
	for (size_t i = 0; i < count; i++) {
		const struct admission_joined *joined = &ret_joined[i];
		bool placed = joined->state != PLACE_NONE;
		len += snprintf(text + len, sizeof(text) - (size_t)len,
						" %s %c %s %" PRIu64 " %" PRIu64 " %" PRId64, code_words[joined->code],
						place_state_letter(joined->state),
						lane_name(twin, placed ? (int)joined->lane : people[i].lane),
						joined->ticket, joined->position, joined->joined_ms);
		if (placed && people[i].other_id)
			len += snprintf(text + len, sizeof(text) - (size_t)len, " %" PRId64 ":%s",
							joined->holder, joined->id);
		else
			len += snprintf(text + len, sizeof(text) - (size_t)len, " -");
	}
	run(twin, "enqueue", argc, argv, text);
}

void twin_heartbeat(struct twin *twin, const char *const ids[], size_t count, bool *ret_missing)
{
	admission_heartbeat(twin->model, twin->room->now_ms, ids, count, ret_missing);
	char text[ANSWER_BYTES];
	int len = snprintf(text, sizeof(text), "ok %" PRId64, twin->room->now_ms);
	for (size_t i = 0; i < count; i++)
		if (ret_missing[i])
			len += snprintf(text + len, sizeof(text) - (size_t)len, " %zu", i + 1);
	run(twin, "heartbeat", count, ids, text);
}

void twin_visit(struct twin *twin, enum visit_kind kind, const char *const ids[], size_t count)
{
	static const char *const words[] = {
		[VISIT_LOOK] = "look", [VISIT_POLL] = "poll", [VISIT_STAY] = "stay"};
	struct admission_visited visited[TWIN_BATCH_MAX];
	const char *argv[TWIN_BATCH_MAX + 1] = {words[kind]};
	memcpy(argv + 1, ids, count * sizeof(*ids));
	admission_visit(twin->model, twin->room->now_ms, kind, ids, count, visited);
	char text[ANSWER_BYTES];
	int len = snprintf(text, sizeof(text), "ok %" PRId64, twin->room->now_ms);
	for (size_t i = 0; i < count; i++) {
		const struct admission_visited *v = &visited[i];
		len += snprintf(text + len, sizeof(text) - (size_t)len,
						" %c %s %" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu64 "  %" PRId64 " %s",
						place_state_letter(v->state),
						v->state == PLACE_NONE ? "" : lane_name(twin, (int)v->lane), v->ticket,
						v->joined_ms, v->ends_ms, v->position, v->holder,
						v->emptied ? "emptied" : "-");
	}
	run(twin, "visit", count + 1, argv, text);
}

void twin_release(struct twin *twin, enum admission_release what, const char *const ids[],
				  size_t count)
{
	static const char *const words[] = {[ADMISSION_LEAVE] = "leave",
										[ADMISSION_RELEASE] = "release",
										[ADMISSION_REVOKE] = "revoke",
										[ADMISSION_RENEW] = "renew"};
	struct admission_released released[TWIN_BATCH_MAX];
	const char *argv[TWIN_BATCH_MAX + 1] = {words[what]};
	memcpy(argv + 1, ids, count * sizeof(*ids));
	admission_release(twin->model, twin->room->now_ms, what, ids, count, released);
	char text[ANSWER_BYTES];
	int len = snprintf(text, sizeof(text), "ok %" PRId64, twin->room->now_ms);
	for (size_t i = 0; i < count; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, " %c %" PRId64,
						place_state_letter(released[i].state), released[i].ends_ms);
	run(twin, "release", count + 1, argv, text);
}

void twin_restore(struct twin *twin, const struct admission_token *tokens, size_t count,
				  enum place_state *ret_states)
{
	const char *argv[ARGUMENTS_MAX];
	for (size_t i = 0; i < count; i++) {
		const char *person[] = {tokens[i].id,
								lane_name(twin, tokens[i].lane),
								number_text(twin, (int64_t)tokens[i].ticket),
								number_text(twin, tokens[i].joined_ms),
								tokens[i].epoch,
								tokens[i].front ? "1" : "0"};
		memcpy(argv + i * 6, person, sizeof(person));
	}
	admission_restore(twin->model, twin->room->now_ms, tokens, count, ret_states);
	char text[ANSWER_BYTES];
	int len = snprintf(text, sizeof(text), "ok %" PRId64, twin->room->now_ms);
	for (size_t i = 0; i < count; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, " %c",
						place_state_letter(ret_states[i]));
	run(twin, "restore", count * 6, argv, text);
}

void twin_recall(struct twin *twin, const struct admission_token *token,
				 struct admission_recalled *ret_recalled)
{
#define RECALL_WORD(name, word) [name] = (word),
	static const char *const words[] = {ADMISSION_RECALL_TABLE(RECALL_WORD)};
#undef RECALL_WORD
	bool has_data = token->ticket > 0;
	const char *argv[] = {token->id,
						  has_data ? lane_name(twin, token->lane) : "",
						  has_data ? number_text(twin, (int64_t)token->ticket) : "",
						  has_data ? number_text(twin, token->joined_ms) : "",
						  "",
						  ""};
	admission_recall(twin->model, twin->room->now_ms, token, ret_recalled);
	bool has_lane = ret_recalled->outcome != ADMISSION_UNKNOWN;
	char text[ANSWER_BYTES];
	snprintf(text, sizeof(text), "ok %" PRId64 " %s %c %s %" PRIu64 " %d", twin->room->now_ms,
			 words[ret_recalled->outcome], place_state_letter(ret_recalled->state),
			 has_lane ? lane_name(twin, ret_recalled->lane) : "", ret_recalled->ticket,
			 ret_recalled->front);
	run(twin, "support_restore", 6, argv, text);
}

void twin_restore_sessions(struct twin *twin, const struct admission_session *tokens, size_t count,
						   enum place_state *ret_states)
{
	const char *argv[ARGUMENTS_MAX];
	for (size_t i = 0; i < count; i++) {
		const char *person[] = {tokens[i].id, tokens[i].epoch, lane_name(twin, tokens[i].lane),
								number_text(twin, (int64_t)tokens[i].ticket),
								number_text(twin, tokens[i].ends_ms)};
		memcpy(argv + i * 5, person, sizeof(person));
	}
	admission_restore_sessions(twin->model, twin->room->now_ms, tokens, count, ret_states);
	char text[ANSWER_BYTES];
	int len = snprintf(text, sizeof(text), "ok %" PRId64, twin->room->now_ms);
	for (size_t i = 0; i < count; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, " %c",
						place_state_letter(ret_states[i]));
	run(twin, "session_restore", count * 5, argv, text);
}

void twin_admit(struct twin *twin, uint64_t limit, uint64_t extra,
				struct admission_admitted *ret_admitted)
{
	struct room *room = twin->room;
	const char *argv[] = {"admitter",
						  "600000",
						  number_text(twin, (int64_t)limit),
						  room->life,
						  number_text(twin, room->gap_ms),
						  number_text(twin, (int64_t)extra)};
	admission_admit(twin->model, room->now_ms, limit, room->life, room->gap_ms, extra,
					ret_admitted);
	char text[ANSWER_BYTES];
	snprintf(text, sizeof(text),
			 "ok %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRIu64 " %d %d", room->now_ms,
			 ret_admitted->admitted, ret_admitted->set_aside, ret_admitted->free,
			 ret_admitted->in_line, ret_admitted->more, ret_admitted->calm);
	run(twin, "admit", 6, argv, text);
}

void twin_reap(struct twin *twin, uint64_t limit, struct admission_reaped *ret_reaped)
{
	struct room *room = twin->room;
	const char *argv[] = {room->life, number_text(twin, room->gap_ms),
						  number_text(twin, (int64_t)limit)};
	admission_reap(twin->model, room->now_ms, limit, room->life, room->gap_ms, ret_reaped);
	char text[ANSWER_BYTES];
	snprintf(text, sizeof(text), "ok %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d",
			 room->now_ms, ret_reaped->expired, ret_reaped->missed, ret_reaped->ended,
			 ret_reaped->more);
	run(twin, "reap", 3, argv, text);
}

void twin_empty(struct twin *twin, uint64_t limit, const uint64_t bound[],
				struct admission_emptied *ret_emptied)
{
	char how_far[512] = "", text[ANSWER_BYTES];
	int len = 0;
	for (size_t i = 0; i < twin->model->settings.lane_count; i++)
		len += snprintf(how_far + len, sizeof(how_far) - (size_t)len, "%s%s:%" PRIu64, i ? "," : "",
						lane_name(twin, (int)i), bound[i]);
	const char *argv[] = {number_text(twin, (int64_t)limit), twin->model->epoch, how_far};
	admission_empty(twin->model, limit, bound, ret_emptied);
	snprintf(text, sizeof(text), "%s %" PRIu64 " %s", ret_emptied->more ? "more" : "done",
			 ret_emptied->expired, how_far);
	run(twin, "queue_empty", 3, argv, ret_emptied->refused ? "recovering" : text);
}

/* ---- losses ---- */

static void copy_keys(struct twin *twin, const char *from, const char *to)
{
	static const char script[] =
		"for _, k in ipairs(redis.call('KEYS', ARGV[2] .. '*')) do redis.call('DEL', k) end "
		"for _, k in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do "
		"redis.call('COPY', k, ARGV[2] .. string.sub(k, #ARGV[1] + 1)) end return 0";
	redis_number(twin->room->client, "EVAL %s 0 %s %s", script, from, to);
}

void twin_keep_replica(struct twin *twin)
{
	twin_say(twin, "%" PRId64 " the replica is here", twin->room->now_ms - ROOM_START_MS);
	copy_keys(twin, twin->room->prefix, "replica:");
}

void twin_fail_over(struct twin *twin, struct admission *kept_model)
{
	twin_say(twin, "%" PRId64 " failover", twin->room->now_ms - ROOM_START_MS);
	copy_keys(twin, "replica:", twin->room->prefix);
	admission_free(twin->model);
	twin->model = kept_model;
	twin->model->event_count = 0;
	room_restart_store(twin->room);
	snprintf(twin->room->last_event, sizeof(twin->room->last_event), "-");
	room_events(twin->room);
}

void twin_lose_everything(struct twin *twin, const uint64_t tickets[])
{
	struct room *room = twin->room;
	char lost_epochs[LOST_EPOCHS_BYTES];
	epochs_lost(twin->model->epoch, twin->model->lost_epochs, lost_epochs);
	const char *rest = lost_epochs;
	for (size_t i = 0; i < twin->model->settings.lane_count; i++)
		rest = room_lend_print(room, "%s %s %" PRIu64, rest, lane_name(twin, (int)i), tickets[i]);
	twin_say(twin, "%" PRId64 " everything is lost: %s", room->now_ms - ROOM_START_MS, rest);
	room_lose_everything(room);
	const char *made =
		room_put(room, "revive", "", settings_text(twin, &twin->model->settings), rest);
	assert_memory_equal(made, "created 1 ", 10);
	admission_revive(twin->model, room->now_ms, room->epoch, tickets);
	room_events(room);
}
