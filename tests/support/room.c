/* A room: the steps, texts to arguments and replies to texts. */
#include "support/room.h"

#include "support/cmocka.h"
#include "support/room_text.h"
#include "waitingroom/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the queue ---- */

struct room *room_of_nobody(struct redis_client *client)
{
	static int last;
	struct room *room = mem_alloc_zero(1, sizeof(*room));
	*room = (struct room){.client = client,
						  .now_ms = ROOM_START_MS,
						  .limit = 500,
						  .gap_ms = 10000,
						  .life = "life",
						  .last_event = "-"};
	snprintf(room->prefix, sizeof(room->prefix), "wr:{tests/room-%d}:", ++last);
	snprintf(room->settings_key, sizeof(room->settings_key), "%ssettings", room->prefix);
	return room;
}

struct room *room_open(struct redis_client *client, const char *settings)
{
	struct room *room = room_of_nobody(client);
	const char *given = room_lend_print(
		room,
		"state=open lanes=main:1:open capacity=100 rate_per_minute=6000000 burst=1000000 "
		"max_waiting=1000000 heartbeat_ttl_ms=300000 absent_after_ms=90000 "
		"first_heartbeat_ms=30000 "
		"claim_ttl_ms=600000 session_ttl_ms=900000 session_renewal=0 poll_max_ms=30000 "
		"joins_per_network_per_minute=0 joins_per_address_per_minute=0 ended_keep_ms=3600000 %s",
		settings);
	const char *made = room_put(room, "put", "", given, "");
	if (strncmp(made, "created ", 8) != 0)
		fail_msg("%s", made);
	room_beat(room, "");
	room_reap(room);
	room_events(room);
	return room;
}

void room_free(struct room *room)
{
	if (!room)
		return;
	room_forget_texts(room);
	free(room);
}

const char *room_call(struct room *room, const char *script, size_t argc, const char *const argv[])
{
	redisReply *reply =
		redis_script(room->client, script, room->settings_key, room->now_ms, argc, argv);
	const char *text = room_reply_text(room, reply);
	freeReplyObject(reply);
	return text;
}

/* A script whose reply begins with "ok <now>"; gives what follows, or the reply when not ok. */
static const char *call_of_now(struct room *room, const char *script, size_t argc,
							   const char *const argv[])
{
	const char *text = room_call(room, script, argc, argv);
	char expected[32];
	int len = snprintf(expected, sizeof(expected), "ok %" PRId64, room->now_ms);
	if (strncmp(text, "ok", 2) != 0)
		return text;
	if (strncmp(text, expected, (size_t)len) != 0)
		fail_msg("%s answers of another time: %s", script, text);
	return text[len] ? text + len + 1 : "";
}

const char *room_put(struct room *room, const char *how, const char *expected, const char *settings,
					 const char *rest)
{
	static int last_epoch;
	struct room_words fields, more;
	room_split(room, settings, &fields);
	room_split(room, rest, &more);
	const char *argv[ROOM_WORDS_MAX] = {how, expected, room_lend_print(room, "E%d", ++last_epoch),
										"{}"};
	/* A setting given twice: the later one counts. */
	size_t argc = 5;
	for (size_t i = 0; i < fields.count; i++) {
		const char *value = room_cut(fields.word[i], '=');
		size_t at = 5;
		while (at < argc && strcmp(argv[at], fields.word[i]) != 0)
			at += 2;
		argv[at] = fields.word[i];
		argv[at + 1] = value;
		argc = at == argc ? argc + 2 : argc;
	}
	argv[4] = room_lend_print(room, "%zu", (argc - 5) / 2);
	for (size_t i = 0; i < more.count; i++)
		argv[argc++] = more.word[i];
	const char *text = room_call(room, "queue_put", argc, argv);
	const char *epoch = strrchr(text, ' ');
	if (epoch && (strncmp(text, "created", 7) == 0 || strncmp(text, "changed", 7) == 0))
		snprintf(room->epoch, sizeof(room->epoch), "%s", epoch + 1);
	return text;
}

void room_set(struct room *room, const char *settings)
{
	const char *text = room_put(room, "patch", "", settings, "");
	if (strncmp(text, "changed", 7) != 0)
		fail_msg("%s", text);
}

const char *room_delete(struct room *room)
{
	const char *argv[] = {room_lend_print(room, "%d", room->limit), "{}", ""};
	return room_call(room, "queue_delete", 3, argv);
}

/* ---- time ---- */

void room_pass_unheard(struct room *room, int64_t ms)
{
	room->now_ms += ms;
}

void room_pass(struct room *room, int64_t ms)
{
	room->now_ms += ms;
	freeReplyObject(redis_run(room->client, "HSET %sclock tick_ms %lld flush_ms %lld", room->prefix,
							  (long long)room->now_ms, (long long)room->now_ms));
}

void room_lose_everything(struct room *room)
{
	freeReplyObject(redis_run(room->client, "FLUSHALL"));
	snprintf(room->last_event, sizeof(room->last_event), "-");
	room_restart_store(room);
}

void room_restart_store(struct room *room)
{
	static int last_life;
	snprintf(room->life, sizeof(room->life), "life%d", ++last_life);
}

/* ---- people ---- */

const char *room_crowd(struct room *room, const char *prefix, int from, int count,
					   const char *suffix)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	for (int i = from; i < from + count; i++)
		fprintf(out, "%s%s%d%s", i > from ? " " : "", prefix, i, suffix);
	fclose(out);
	return room_lend(room, text);
}

const char *room_join(struct room *room, const char *people)
{
	struct room_words names, seen;
	room_split(room, people, &names);
	room_split(room, room->seen, &seen);
	const char *argv[ROOM_WORDS_MAX] = {"1000000", room->seen_epoch,
										room_lend_print(room, "%zu", seen.count / 2)};
	size_t argc = 3;
	for (size_t i = 0; i < seen.count; i++)
		argv[argc++] = seen.word[i];
	for (size_t i = 0; i < names.count; i++) {
		char *papers = (char *)room_cut(names.word[i], '!');
		for (char *plus = papers; (plus = strchr(plus, '+'));)
			*plus = ' ';
		char *network = (char *)room_cut(names.word[i], '%');
		if (strchr(network, '/'))
			*strchr(network, '/') = ' ';
		const char *hash = room_cut(names.word[i], '#');
		const char *lane = room_cut(names.word[i], '@');
		const char *person[] = {
			names.word[i], *lane ? lane : "main", "https://shop.test/", "", hash, network, papers};
		memcpy(argv + argc, person, sizeof(person));
		argc += 7;
	}
	const char *text = room_call(room, "enqueue", argc, argv);
	struct room_words reply;
	room_split(room, text, &reply);
	if (reply.count < 3)
		return text;
	assert_string_equal(reply.word[1], room->epoch);
	assert_string_equal(reply.word[2], room_lend_print(room, "%" PRId64, room->now_ms));
	assert_int_equal(reply.count, 3 + names.count * 7);
	const char *answer = "";
	for (size_t i = 3; i < reply.count; i += 7) {
		const char *held = reply.word[i + 6];
		answer =
			room_lend_print(room, "%s%s%s:%s:%s:%s%s%s", answer, i > 3 ? " " : "", reply.word[i],
							reply.word[i + 1], reply.word[i + 3], reply.word[i + 4],
							*held == '-' ? "" : ":", *held == '-' ? "" : held);
	}
	return answer;
}

const char *room_beat(struct room *room, const char *people)
{
	struct room_words names, missing;
	room_split(room, people, &names);
	const char *const *argv = (const char *const *)names.word;
	const char *text = call_of_now(room, "heartbeat", names.count, argv);
	room_split(room, text, &missing);
	const char *answer = "";
	for (size_t i = 0; i < missing.count; i++) {
		size_t at = strtoul(missing.word[i], NULL, 10);
		if (at < 1 || at > names.count)
			return text;
		answer = room_lend_print(room, "%s%s%s", answer, i ? " " : "", names.word[at - 1]);
	}
	return answer;
}

static bool stands_in_front(struct room *room, const char *person)
{
	return *room_field(room, person, "a") || *room_field(room, person, "b");
}

static const char *visit(struct room *room, const char *how, const char *people)
{
	struct room_words names;
	room_split(room, people, &names);
	const char *argv[ROOM_WORDS_MAX] = {how};
	memcpy(argv + 1, names.word, names.count * sizeof(*argv));
	redisReply *reply = redis_script(room->client, "visit", room->settings_key, room->now_ms,
									 names.count + 1, argv);
	const char *answer = "";
	if (reply->elements == 1) {
		answer = room_reply_text(room, reply);
	} else {
		assert_int_equal(reply->elements, 2 + names.count * 9);
		assert_string_equal(reply->element[1]->str,
							room_lend_print(room, "%" PRId64, room->now_ms));
		for (size_t i = 2; i < reply->elements; i += 9) {
			answer =
				room_lend_print(room, "%s%s%s%s", answer, i > 2 ? " " : "", reply->element[i]->str,
								stands_in_front(room, names.word[(i - 2) / 9]) ? "^" : "");
		}
	}
	freeReplyObject(reply);
	return answer;
}

const char *room_poll(struct room *room, const char *people)
{
	return visit(room, "poll", people);
}

const char *room_stay(struct room *room, const char *people)
{
	return visit(room, "stay", people);
}

const char *room_look(struct room *room, const char *people)
{
	return visit(room, "look", people);
}

int64_t room_ends_in(struct room *room, const char *person)
{
	const char *argv[] = {"look", person};
	redisReply *reply =
		redis_script(room->client, "visit", room->settings_key, room->now_ms, 2, argv);
	int64_t ends_ms = reply->element[2 + 4]->integer;
	freeReplyObject(reply);
	return ends_ms - room->now_ms;
}

/* Every 'every'th word of a text. */
static const char *each(struct room *room, const char *text, size_t every)
{
	struct room_words words;
	room_split(room, text, &words);
	const char *answer = "";
	for (size_t i = 0; i < words.count; i += every)
		answer = room_lend_print(room, "%s%s%s", answer, i ? " " : "", words.word[i]);
	return answer;
}

const char *room_release(struct room *room, const char *what, const char *people)
{
	struct room_words names;
	room_split(room, people, &names);
	const char *argv[ROOM_WORDS_MAX] = {what};
	memcpy(argv + 1, names.word, names.count * sizeof(*argv));
	return each(room, call_of_now(room, "release", names.count + 1, argv), 2);
}

const char *room_restore(struct room *room, const char *epoch, const char *people)
{
	struct room_words names;
	room_split(room, people, &names);
	const char *argv[ROOM_WORDS_MAX];
	size_t argc = 0;
	for (size_t i = 0; i < names.count; i++) {
		const char *ticket = room_cut(names.word[i], ':'), *lane = room_cut(names.word[i], '@');
		const char *person[] = {names.word[i], *lane ? lane : "main",
								ticket,		   "1699999990000",
								epoch,		   *names.word[i] == '^' ? "1" : "0"};
		person[0] += *names.word[i] == '^';
		memcpy(argv + argc, person, sizeof(person));
		argc += 6;
	}
	return call_of_now(room, "restore", argc, argv);
}

/* ---- the admitter's steps ---- */

const char *room_admit_extra(struct room *room, int extra)
{
	const char *argv[] = {"admitter",
						  "60000",
						  room_lend_print(room, "%d", room->limit),
						  room->life,
						  room_lend_print(room, "%" PRId64, room->gap_ms),
						  room_lend_print(room, "%d", extra)};
	const char *text = call_of_now(room, "admit", 6, argv);
	struct room_words reply;
	room_split(room, text, &reply);
	if (reply.count != 6)
		return text;
	return room_lend_print(room, "%s in %s aside%s", reply.word[0], reply.word[1],
						   *reply.word[4] == '1' ? " more" : "");
}

const char *room_admit(struct room *room)
{
	return room_admit_extra(room, 0);
}

const char *room_reap(struct room *room)
{
	const char *argv[] = {room->life, room_lend_print(room, "%" PRId64, room->gap_ms),
						  room_lend_print(room, "%d", room->limit)};
	const char *text = call_of_now(room, "reap", 3, argv);
	struct room_words reply;
	room_split(room, text, &reply);
	if (reply.count != 4)
		return text;
	return room_lend_print(room, "%s expired %s missed %s ended%s", reply.word[0], reply.word[1],
						   reply.word[2], *reply.word[3] == '1' ? " more" : "");
}

void room_settle(struct room *room)
{
	for (int i = 0; i < 1000; i++)
		if (!strstr(room_reap(room), "more") && !strstr(room_admit(room), "more"))
			return;
	fail_msg("the admitter never comes to an end");
}
