/* A room looked at from behind: what the store holds, and what it has told. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/room_text.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct event_filter {
	const char *person; /* NULL: everybody, with everything that is told of them */
	const char *answer;
};

static void add_event(struct room *room, struct event_filter *filter, const char *type,
					  const char *line)
{
	struct room_words words;
	room_split(room, line, &words);
	if (filter->person && (!words.count || strcmp(words.word[0], filter->person) != 0))
		return;
	const char *before = filter->answer;
	if (filter->person) {
		filter->answer = room_lend_print(room, "%s%s%s", before, *before ? " " : "", type);
		return;
	}
	/* "id lane ticket[ joined_ms] how": what is told, without the numbers. */
	const char *how = words.count > 3 ? words.word[words.count - 1] : "";
	if (strspn(how, "0123456789") == strlen(how))
		how = "";
	filter->answer = room_lend_print(room, "%s%s%s%s%s%s%s", before, *before ? ", " : "", type,
									 words.count ? " " : "", words.count ? words.word[0] : "",
									 *how ? " " : "", how);
}

static void walk_events(struct room *room, const char *from, struct event_filter *filter)
{
	redisReply *entries = redis_run(room->client, "XRANGE %soutbox %s +", room->prefix, from);
	for (size_t i = 0; i < entries->elements; i++) {
		redisReply *fields = entries->element[i]->element[1];
		snprintf(room->last_event, sizeof(room->last_event), "(%s",
				 entries->element[i]->element[0]->str);
		const char *type = fields->element[1]->str, *people = NULL;
		for (size_t f = 0; f < fields->elements; f += 2)
			if (strcmp(fields->element[f]->str, "people") == 0)
				people = fields->element[f + 1]->str;
		if (!people && !filter->person)
			add_event(room, filter, type, "");
		char *rest = mem_copy_string(people ? people : "");
		room_lend(room, rest);
		for (char *line; (line = strsep(&rest, "\n"));)
			if (*line)
				add_event(room, filter, type, line);
	}
	freeReplyObject(entries);
}

const char *room_events(struct room *room)
{
	struct event_filter filter = {.answer = ""};
	walk_events(room, room->last_event, &filter);
	return filter.answer;
}

const char *room_history(struct room *room, const char *person)
{
	char last[sizeof(room->last_event)];
	memcpy(last, room->last_event, sizeof(last));
	struct event_filter filter = {.person = person, .answer = ""};
	walk_events(room, "-", &filter);
	memcpy(room->last_event, last, sizeof(last));
	return filter.answer;
}

const char *room_list(struct room *room, const char *lane)
{
	redisReply *reply = redis_run(room->client, "LRANGE %swaiting:%s 0 -1", room->prefix, lane);
	const char *answer = "";
	for (size_t i = reply->elements; i-- > 0;)
		answer =
			room_lend_print(room, "%s%s%s", answer, *answer ? " " : "", reply->element[i]->str);
	freeReplyObject(reply);
	return answer;
}

const char *room_set_of(struct room *room, const char *name)
{
	redisReply *reply = redis_run(room->client, "ZRANGE %s%s 0 -1", room->prefix, name);
	const char *answer = room_reply_text(room, reply);
	freeReplyObject(reply);
	return answer;
}

const char *room_field(struct room *room, const char *person, const char *field)
{
	char *text = redis_text(room->client, "HGET %sposition:%s %s", room->prefix, person, field);
	return text ? room_lend(room, text) : "";
}

int64_t room_in_line(struct room *room, const char *lane)
{
	int64_t ticket = redis_number(room->client, "GET %sticket:%s", room->prefix, lane);
	int64_t gone = redis_number(room->client, "HGET %scounts gone:%s", room->prefix, lane);
	int64_t bits = 0;
	for (int64_t chunk = 0; chunk <= ticket / 131072; chunk++)
		bits += redis_number(room->client, "BITCOUNT %sgone:%s:%lld", room->prefix, lane,
							 (long long)chunk);
	assert_int_equal(gone, bits);
	return ticket - gone;
}

const char *room_departures(struct room *room)
{
	redisReply *entries = redis_run(room->client, "XRANGE %sdepartures - +", room->prefix);
	const char *answer = "";
	for (size_t i = 0; i < entries->elements; i++)
		answer = room_lend_print(room, "%s%s%s", answer, i ? " " : "",
								 entries->element[i]->element[1]->element[1]->str);
	freeReplyObject(entries);
	return answer;
}

void room_set_score(struct room *room, const char *name, const char *person, int64_t score)
{
	redis_number(room->client, "ZADD %s%s XX %lld %s", room->prefix, name, (long long)score,
				 person);
}
