/* Stories for the checker: what a service told its visitors, one call a line.
 *
 * A request takes REQUEST_MS. Places are named by their slot: slot 0 has the place "p0". Unless
 * the story says otherwise, polls are asked for after POLL_MS and places are held for HOLD_MS.
 */
#ifndef WRLOAD_STORY_H
#define WRLOAD_STORY_H

#include "cmd/wrload/checker.h"

#include "support/cmocka.h"
#include <stdio.h>
#include <string.h>

#define REQUEST_MS 10
#define POLL_MS 1000
#define HOLD_MS 300000
#define STORY_SLOTS 1000

static struct checker *checker;

static inline int story_begin(void **state)
{
	(void)state;
	checker = checker_new(&(struct checker_limits){
		.slots = STORY_SLOTS, .capacity = 100, .rate_per_minute = 600, .burst = 20});
	for (uint32_t i = 0; i < STORY_SLOTS; i++)
		checker_begin(checker, i);
	return 0;
}

static inline int story_end(void **state)
{
	(void)state;
	checker_free(checker);
	return 0;
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, story_begin, story_end)

/* Whatever an answer can say; 'at' is when the call was made. */
static inline void told(uint32_t slot, enum op op, int64_t at, const struct answer *answer,
						struct session_facts session, int64_t session_left_ms)
{
	checker_expect(checker, slot, op);
	checker_observe(checker, &(struct observation){.slot = slot,
												   .op = op,
												   .called_ms = at,
												   .returned_ms = at + REQUEST_MS,
												   .answer = answer,
												   .session = session,
												   .session_left_ms = session_left_ms});
}

static inline struct answer place_of(uint32_t slot, enum answer_status status, int64_t position)
{
	static char ids[STORY_SLOTS][8];
	int len = snprintf(ids[slot], sizeof(ids[slot]), "p%u", slot % STORY_SLOTS);
	return (struct answer){.http = 200,
						   .status = status,
						   .position_id = {ids[slot], (size_t)len},
						   .position = position,
						   .poll_after_ms = POLL_MS,
						   .hold_ms = HOLD_MS,
						   .as_of_ms = -1};
}

static inline void hears_waiting(uint32_t slot, enum op op, int64_t at, int64_t position)
{
	struct answer answer = place_of(slot, ANSWER_WAITING, position);
	told(slot, op, at, &answer, (struct session_facts){0}, INT64_MAX);
}

static inline void joins(uint32_t slot, int64_t at, int64_t position)
{
	hears_waiting(slot, OP_ENQUEUE, at, position);
}

static inline void polls(uint32_t slot, int64_t at, int64_t position)
{
	hears_waiting(slot, OP_HEARTBEAT, at, position);
}

/* The session ends at 1000 s, by the clock of session tokens. */
static inline void hears_admitted(uint32_t slot, enum op op, int64_t at)
{
	struct answer answer = place_of(slot, ANSWER_ADMITTED, -1);
	told(slot, op, at, &answer, (struct session_facts){.subject_hash = slot, .expires_s = 1000},
		 INT64_MAX);
}

static inline void goes_in(uint32_t slot, int64_t at)
{
	hears_admitted(slot, OP_HEARTBEAT, at);
}

static inline void hears_error(uint32_t slot, enum op op, int64_t at, int http,
							   enum answer_code code)
{
	struct answer answer = {.http = http, .code = code, .position = -1};
	told(slot, op, at, &answer, (struct session_facts){0}, INT64_MAX);
}

static inline void hears_nothing(uint32_t slot, enum op op, int64_t at)
{
	hears_error(slot, op, at, 0, CODE_NONE);
}

static inline void releases(uint32_t slot, int64_t at)
{
	hears_error(slot, OP_RELEASE, at, 200, CODE_NONE);
}

static inline void leaves(uint32_t slot, int64_t at)
{
	struct answer answer = {.http = 200, .status = ANSWER_LEFT};
	told(slot, OP_LEAVE, at, &answer, (struct session_facts){0}, INT64_MAX);
}

/* Polls once a second from 'from' to 'to', keeping the position. */
static inline void keeps_polling(uint32_t slot, int64_t from, int64_t to, int64_t position)
{
	for (int64_t at = from; at <= to; at += POLL_MS)
		polls(slot, at, position);
}

static inline void expect_nothing(void)
{
	const struct violations *found = checker_violations(checker);
	for (size_t i = 0; i < found->kept_count; i++)
		print_error("%s %s: %s\n", invariant_word(found->kept[i].invariant),
					found->kept[i].position_id, found->kept[i].what);
	assert_int_equal(found->count, 0);
}

/* Exactly one finding, of this kind, about this place ("": the queue as a whole). */
static inline void expect_only(enum invariant invariant, const char *position_id)
{
	const struct violations *found = checker_violations(checker);
	assert_int_equal(found->count, 1);
	assert_string_equal(invariant_word(found->kept[0].invariant), invariant_word(invariant));
	assert_string_equal(found->kept[0].position_id, position_id);
}

#endif
