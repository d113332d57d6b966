/* Events: from the stream to a verdict, and the store's view next to it.
 *
 * The store is read with a small script, page by page: one line "id state lane ticket" a place.
 */
#include "support/events.h"

#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_DEADLINE_MS 20000

static bool is_drained(struct stack *stack, const char *queue)
{
	return api_store_number(stack, "XLEN wr:{%s}:outbox", queue) == 0;
}

void events_await_drained(struct stack *stack, const char *queue, int deadline_ms)
{
	WAIT_UNTIL(deadline_ms, is_drained(stack, queue), "the outbox is empty");
}

/* ---- the store's places ---- */

struct stored_places {
	const struct story *story;
	const struct story_rules *rules;
	bool *seen; /* of the story's places: a scan may show one twice */
	size_t count;
};

static void compare_place(struct stored_places *places, const char *line)
{
	char id[24], letter, lane[64];
	unsigned long long ticket;
	if (sscanf(line, "%23s %c %63s %llu", id, &letter, lane, &ticket) != 4)
		fail_msg("a place of the store cannot be read: %s", line);
	const struct story_place *place = story_find(places->story, id);
	if (!place)
		fail_msg("no event tells of place %s (%c, ticket %llu)", id, letter, ticket);
	if (place->state != place_state_from_letter(letter))
		fail_msg("place %s (ticket %llu) is '%c' in the store, and '%c' by its events", id, ticket,
				 letter, place_state_letter(place->state));
	if (place->ticket != ticket || strcmp(place->lane, lane) != 0)
		fail_msg("place %s has ticket %llu in the store, and %llu by its events", id, ticket,
				 (unsigned long long)place->ticket);
	bool *seen = &places->seen[place - places->story->places];
	places->count += !*seen;
	*seen = true;
}

/* One page; gives the cursor of the next, or NULL after the last. */
static char *compare_page(struct stack *stack, struct stored_places *places, const char *cursor)
{
	static const char script[] =
		"local page = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 500) "
		"local lines = { page[1] } "
		"for i, key in ipairs(page[2]) do "
		"local p = redis.call('HMGET', key, 's', 'l', 't') "
		"lines[i + 1] = string.match(key, '[^:]+$') .. ' ' .. p[1] .. ' ' .. p[2] .. ' ' .. p[3] "
		"end "
		"return table.concat(lines, '\\\\n')";
	WR_AUTO(mem_free_at) char *command = NULL;
	if (asprintf(&command, "EVAL \"%s\" 0 %s wr:{%s}:position:*", script, cursor,
				 places->rules->queue) < 0)
		abort();
	WR_AUTO(mem_free_at) char *reply = redis_do(stack->redis, command);
	if (!reply || reply[0] != '$')
		fail_msg("the places cannot be read: %s", reply ? reply : "no reply");
	char *rest = strstr(reply, "\r\n") + 2;
	rest[strcspn(rest, "\r")] = '\0';
	char *next = mem_copy_string(strsep(&rest, "\n"));
	for (char *line; (line = strsep(&rest, "\n"));)
		compare_place(places, line);
	if (strcmp(next, "0") != 0)
		return next;
	free(next);
	return NULL;
}

static void compare_places(struct stack *stack, const struct story_rules *rules,
						   const struct story *story)
{
	struct stored_places places = {.story = story, .rules = rules};
	places.seen = mem_alloc_zero(story->place_count + 1, sizeof(*places.seen));
	char *cursor = mem_copy_string("0");
	while (cursor) {
		char *next = compare_page(stack, &places, cursor);
		free(cursor);
		cursor = next;
	}
	free(places.seen);
	if (!rules->store_lost && places.count != story->place_count)
		fail_msg("%zu places have events, and %zu are in the store", story->place_count,
				 places.count);
}

static void compare_count(struct stack *stack, const char *command, size_t told)
{
	int64_t stored = api_store_number(stack, "%s", command);
	if ((stored == INT64_MIN ? 0 : stored) != (int64_t)told)
		fail_msg("%s is %lld, by the events %zu", command, (long long)stored, told);
}

/* Counts of one lane; the scenarios have one. */
static void compare_counts(struct stack *stack, const struct story_rules *rules,
						   const struct story *story)
{
	char command[200];
	const char *lane = story->place_count ? story->places[0].lane : "main";
	snprintf(command, sizeof(command), "GET wr:{%s}:ticket:%s", rules->queue, lane);
	compare_count(stack, command, story->enqueued);
	snprintf(command, sizeof(command), "HGET wr:{%s}:counts admitted:%s", rules->queue, lane);
	compare_count(stack, command, story->admitted);
	snprintf(command, sizeof(command), "ZCARD wr:{%s}:sessions", rules->queue);
	compare_count(stack, command, (size_t)story->active_last);
}

void events_check(struct stack *stack, const struct story_rules *rules, struct story *ret_story)
{
	events_await_drained(stack, rules->queue, DRAIN_DEADLINE_MS);
	struct event_stream *stream = event_stream_open(nats_url(stack->nats));
	event_stream_read(stream);
	WR_AUTO(mem_free_at)
	char *verdict = story_judge(stream->events, stream->count, rules, ret_story);
	event_stream_close(stream);
	if (verdict) {
		process_show_logs();
		fail_msg("%s", verdict);
	}
	compare_places(stack, rules, ret_story);
	if (!rules->store_lost)
		compare_counts(stack, rules, ret_story);
}
