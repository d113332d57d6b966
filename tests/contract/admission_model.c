/* Random histories of a queue on the real scripts and on the model, step by step the same.
 *
 * A history is a few hundred steps on a handful of people: joins in batches with repeated keys,
 * heartbeats, polls, leaving, sessions that are released, revoked and renewed, admissions,
 * expiries, changed settings, pauses in which nobody listens, clocks that step back, replicas that
 * take over without the last steps, and stores that lose everything. After every step the answer,
 * the events and the whole state of both are compared (support/twin.h), and then the promises of
 * the design are checked on what both agree on: these must hold whatever the model says.
 *
 * A pod's position index is fed from sync alongside; for everybody in line its position must be
 * the one counted by walking the line.
 *
 *     HISTORIES=24 STEPS=400 WR_TEST_SEED=… build/tests/contract/admission_model
 */
#include "support/cmocka.h"
#include "support/dice.h"
#include "support/history.h"
#include "support/shared_redis.h"

#include <stdlib.h>

#define HISTORIES 24
#define STEPS 400

static int start(void **state)
{
	dice_start();
	return shared_redis_open(state);
}

static int from_environment(const char *name, int fallback)
{
	const char *text = getenv(name);
	return text && *text ? atoi(text) : fallback;
}

static void run_histories(unsigned traits)
{
	int histories = from_environment("HISTORIES", HISTORIES) / 4;
	int steps = from_environment("STEPS", STEPS);
	for (int i = 0; i < histories; i++) {
		freeReplyObject(redis_run(client, "FLUSHALL"));
		struct history *history = history_new(client, traits);
		for (int step = 0; step < steps; step++)
			history_step(history);
		history_free(history);
	}
}

static void one_lane_agrees_with_its_model_at_every_step(void **state)
{
	(void)state;
	run_histories(0);
}

static void lanes_with_weights_agree_with_their_model_at_every_step(void **state)
{
	(void)state;
	run_histories(HISTORY_LANES);
}

static void a_store_that_fails_over_agrees_with_its_model_at_every_step(void **state)
{
	(void)state;
	run_histories(HISTORY_LANES | HISTORY_FAILOVER);
}

static void a_store_that_loses_everything_agrees_with_its_model_at_every_step(void **state)
{
	(void)state;
	run_histories(HISTORY_LANES | HISTORY_FAILOVER | HISTORY_TOTAL_LOSS);
}

static void the_histories_have_seen_what_they_should(void **state)
{
	(void)state;
	if (from_environment("HISTORIES", HISTORIES) < HISTORIES ||
		from_environment("STEPS", STEPS) < STEPS)
		skip();
	/* A walk that never gets anywhere proves nothing. */
	history_assert_covered();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_lane_agrees_with_its_model_at_every_step),
		cmocka_unit_test(lanes_with_weights_agree_with_their_model_at_every_step),
		cmocka_unit_test(a_store_that_fails_over_agrees_with_its_model_at_every_step),
		cmocka_unit_test(a_store_that_loses_everything_agrees_with_its_model_at_every_step),
		cmocka_unit_test(the_histories_have_seen_what_they_should),
	};
	return cmocka_run_group_tests(tests, start, shared_redis_close);
}
