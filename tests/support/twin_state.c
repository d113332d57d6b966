/* The whole state of both twins as text, line by line the same; and what they have told. */
#include "support/cmocka.h"
#include "support/room_text.h"
#include "support/twin.h"
#include "waitingroom/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* KEYS[1] prefix, then ids; ARGV: lanes */
static const char state_script[] =
	"local Q, out = KEYS[1], {} "
	"local function add(...) out[#out + 1] = table.concat({...}, ' ') end "
	"local function text(v) return v and tostring(v) or '-' end "
	"local function int(s) return s and string.format('%d', tonumber(s)) or '-' end "
	"local ids, scores = {unpack(KEYS, 2)}, {} "
	"if #ids > 0 then for _, set in ipairs({'heartbeats', 'sessions', 'absent', 'returned'}) do "
	"  scores[#scores + 1] = redis.call('ZMSCORE', Q .. set, unpack(ids)) end end "
	"for i, id in ipairs(ids) do "
	"  local p = redis.call('HMGET', Q .. 'position:' .. id, 's', 'l', 't', 'j', 'a', 'b', 'e', "
	"'r', 'h') "
	"  if p[5] then p[5] = '1' end "
	"  for k = 1, 9 do p[k] = text(p[k]) end "
	"  add(id, table.concat(p, ' '), int(scores[1][i]), int(scores[2][i]), int(scores[3][i]), "
	"    int(scores[4][i]), int(redis.call('ZSCORE', Q .. 'restored:' .. p[2], id))) "
	"end "
	"for _, lane in ipairs(ARGV) do "
	"  local ticket = tonumber(redis.call('GET', Q .. 'ticket:' .. lane) or 0) "
	"  local bits = 0 "
	"  for chunk = 0, ticket / 131072 do "
	"    bits = bits + redis.call('BITCOUNT', Q .. 'gone:' .. lane .. ':' .. chunk) end "
	"  local list, line = redis.call('LRANGE', Q .. 'waiting:' .. lane, 0, -1), {} "
	"  for i = #list, 1, -1 do line[#line + 1] = list[i] end "
	"  local c = redis.call('HMGET', Q .. 'counts', 'gone:' .. lane, 'admitted:' .. lane, "
	"    'lost:' .. lane) "
	"  add(lane, 'ticket', ticket, 'gone', text(c[1] or 0), 'bits', bits, "
	"    'admitted', text(c[2] or 0), 'lost', text(c[3]), 'credit', "
	"    text(redis.call('HGET', Q .. 'tokens', 'credit:' .. lane) or 0), "
	"    'restored', redis.call('ZCARD', Q .. 'restored:' .. lane), 'list', table.concat(line, ' "
	"')) "
	"end "
	"local t = redis.call('HMGET', Q .. 'tokens', 'units', 'last_ms') "
	"add('bucket', text(t[1]), text(t[2])) "
	"local k = redis.call('HMGET', Q .. 'clock', 'tick_ms', 'flush_ms', 'since_ms', 'life') "
	"add('clock', text(k[1] or 0), text(k[2] or 0), text(k[3] or 0), text(k[4] or '')) "
	"local r = redis.call('HMGET', Q .. 'counts', 'rebuild', 'recover_until') "
	"add('recovery', text(r[1] or 0), text(r[2] or 0)) "
	"add('sizes', redis.call('ZCARD', Q .. 'heartbeats'), redis.call('ZCARD', Q .. 'sessions'), "
	"  redis.call('ZCARD', Q .. 'absent'), redis.call('ZCARD', Q .. 'returned')) "
	"return table.concat(out, '\\n')";

static const char *state_of_store(struct twin *twin)
{
	const struct admission *model = twin->model;
	size_t lanes = model->settings.lane_count, argc = 4 + model->place_count + lanes;
	const char **argv = mem_alloc_zero(argc, sizeof(*argv));
	argv[0] = "EVAL";
	argv[1] = state_script;
	argv[2] = room_lend_print(twin->room, "%zu", model->place_count + 1);
	argv[3] = twin->room->prefix;
	for (size_t i = 0; i < model->place_count; i++)
		argv[4 + i] = model->places[i].id;
	for (size_t i = 0; i < lanes; i++)
		argv[4 + model->place_count + i] = model->settings.lanes[i].name;
	redisReply *reply = redis_run_argv(twin->room->client, argc, argv);
	const char *text = room_reply_text(twin->room, reply);
	freeReplyObject(reply);
	free(argv);
	return text;
}

/* " <score>" or " -" */
static void print_member(FILE *out, bool has, int64_t score)
{
	if (has)
		fprintf(out, " %" PRId64, score);
	else
		fputs(" -", out);
}

static void print_place(FILE *out, const struct admission *model,
						const struct admission_place *place)
{
	int64_t ticket = (int64_t)place->ticket;
	fprintf(out, "%s %c %s %" PRId64 " %" PRId64 " %s %s", place->id,
			place_state_letter(place->state), model->settings.lanes[place->lane].name, ticket,
			place->joined_ms, place->aside ? "1" : "-", place->back ? "1" : "-");
	print_member(out, place->session_ends_ms != 0, place->session_ends_ms);
	fprintf(out, " %s", *place->request_hash ? place->request_hash : "-");
	print_member(out, place->holder != 0, place->holder);
	print_member(out, place->has_heartbeat, place->heartbeat_ms);
	print_member(out, place->has_slot, place->slot_ends_ms);
	print_member(out, place->is_absent, ticket);
	print_member(out, place->is_returned, ticket);
	print_member(out, place->is_restored, ticket);
	fputc('\n', out);
}

static void print_lane(FILE *out, const struct admission *model, size_t number)
{
	const struct admission_lane *lane = &model->lanes[number];
	size_t restored = 0;
	for (size_t i = 0; i < model->place_count; i++)
		restored += model->places[i].is_restored && model->places[i].lane == number;
	fprintf(
		out, "%s ticket %" PRIu64 " gone %" PRIu64 " bits %" PRIu64 " admitted %" PRIu64 " lost ",
		model->settings.lanes[number].name, lane->ticket, lane->gone, lane->gone, lane->admitted);
	for (size_t i = 0; i < lane->lost_count; i++)
		fprintf(out, "%s%" PRIu64 "-%" PRIu64, i ? "," : "", lane->lost[i].first,
				lane->lost[i].last);
	fprintf(out, "%s credit %" PRId64 " restored %zu list ", lane->lost_count ? "" : "-",
			lane->credit, restored);
	for (size_t i = lane->list_first; i < lane->list_end; i++)
		fprintf(out, "%s%s", i > lane->list_first ? " " : "", model->places[lane->list[i]].id);
	fputc('\n', out);
}

static const char *state_of_model(struct twin *twin)
{
	const struct admission *model = twin->model;
	size_t heartbeats = 0, slots = 0, absent = 0, returned = 0, len;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);
	for (size_t i = 0; i < model->place_count; i++) {
		const struct admission_place *place = &model->places[i];
		print_place(out, model, place);
		heartbeats += place->has_heartbeat;
		slots += place->has_slot;
		absent += place->is_absent;
		returned += place->is_returned;
	}
	for (size_t i = 0; i < model->settings.lane_count; i++)
		print_lane(out, model, i);
	fputs("bucket", out);
	print_member(out, model->has_bucket, model->units);
	print_member(out, model->has_bucket, model->bucket_ms);
	fprintf(out, "\nclock %" PRId64 " %" PRId64 " %" PRId64 " %s\n", model->tick_ms,
			model->flush_ms, model->since_ms, model->life);
	fprintf(out, "recovery %d %" PRId64 "\n", model->rebuilding,
			model->recovering ? model->recover_until_ms : 0);
	fprintf(out, "sizes %zu %zu %zu %zu", heartbeats, slots, absent, returned);
	fclose(out);
	return room_lend(twin->room, text);
}

/* ---- events ---- */

/* One script writes its types in any order, so both are put in the order of the table. */
static const char *events_of_model(struct twin *twin)
{
	const struct admission *model = twin->model;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	for (unsigned type = 0; type < ADMISSION_EVENT_TYPES; type++)
		for (size_t i = 0; i < model->event_count; i++) {
			const struct admission_event *event = &model->events[i];
			if ((unsigned)event->type != type)
				continue;
			const struct admission_place *place = &model->places[event->place];
			fprintf(out, "%s %s", admission_event_word(event->type), place->id);
			if (place->put_back > 0)
				fprintf(out, "~%" PRIu64, place->put_back);
			fprintf(out, " %s %" PRIu64, model->settings.lanes[place->lane].name, place->ticket);
			if (type == ADMISSION_ADMITTED || type == ADMISSION_CLAIMED)
				fprintf(out, " %" PRId64, event->number);
			fprintf(out, "%s%s\n", *event->how ? " " : "", event->how);
		}
	fclose(out);
	return room_lend(twin->room, text);
}

static const char *events_of_store(struct twin *twin)
{
	redisReply *entries = redis_run(twin->room->client, "XRANGE %soutbox %s +", twin->room->prefix,
									twin->room->last_event);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	for (unsigned type = 0; type < ADMISSION_EVENT_TYPES; type++)
		for (size_t i = 0; i < entries->elements; i++) {
			redisReply *fields = entries->element[i]->element[1];
			if (strcmp(fields->element[1]->str, admission_event_word(type)) != 0)
				continue;
			assert_string_equal(fields->element[5]->str, twin->model->epoch);
			char *rest = fields->element[7]->str;
			for (char *line; (line = strsep(&rest, "\n"));)
				fprintf(out, "%s %s\n", admission_event_word(type), line);
		}
	if (entries->elements)
		snprintf(twin->room->last_event, sizeof(twin->room->last_event), "(%s",
				 entries->element[entries->elements - 1]->element[0]->str);
	fclose(out);
	freeReplyObject(entries);
	return room_lend(twin->room, text);
}

/* ---- comparing ---- */

static void fail_at_line(struct twin *twin, const char *what, const char *store, const char *model)
{
	while (*store && *store == *model) {
		const char *store_end = strchrnul(store, '\n'), *model_end = strchrnul(model, '\n');
		if (store_end - store != model_end - model ||
			memcmp(store, model, (size_t)(store_end - store)) != 0)
			break;
		store = *store_end ? store_end + 1 : store_end;
		model = *model_end ? model_end + 1 : model_end;
	}
	twin_fail(twin, "%s differ\n  store: %.*s\n  model: %.*s", what, (int)strcspn(store, "\n"),
			  store, (int)strcspn(model, "\n"), model);
}

void twin_compare(struct twin *twin)
{
	const char *store = events_of_store(twin), *model = events_of_model(twin);
	if (strcmp(store, model) != 0)
		fail_at_line(twin, "the events", store, model);
	twin->model->event_count = 0;
	store = state_of_store(twin);
	model = state_of_model(twin);
	if (strcmp(store, model) != 0)
		fail_at_line(twin, "the states", store, model);
	room_forget_texts(twin->room);
}
