/* The client's steps about processes, and what it says about the store itself, against a real
 * server. */
#include "support/cmocka.h"
#include "support/shared_ask.h"

#include <stdio.h>
#include <string.h>

struct answer {
	bool done, refuses;
	enum wr_err err;
	int64_t now_ms, tick_ms, flush_ms;
	size_t count;
	char instance[64], text[65536];
};

static void on_said(void *ctx, enum wr_err err, int64_t now_ms)
{
	struct answer *answer = ctx;
	*answer = (struct answer){.done = true, .err = err, .now_ms = now_ms};
}

static void on_pods(void *ctx, enum wr_err err, int64_t now_ms, const struct pod_text *rows,
					size_t count)
{
	struct answer *answer = ctx;
	*answer = (struct answer){.done = true, .err = err, .now_ms = now_ms, .count = count};
	if (count > 0) {
		snprintf(answer->instance, sizeof(answer->instance), "%s", rows[0].instance);
		snprintf(answer->text, sizeof(answer->text), "%.*s", (int)rows[0].len, rows[0].json);
	}
}

static void on_worked(void *ctx, enum wr_err err, int64_t tick_ms, int64_t flush_ms)
{
	struct answer *answer = ctx;
	*answer = (struct answer){.done = true, .err = err, .tick_ms = tick_ms, .flush_ms = flush_ms};
}

static void on_info(void *ctx, enum wr_err err, const char *text)
{
	struct answer *answer = ctx;
	*answer = (struct answer){.done = true, .err = err};
	snprintf(answer->text, sizeof(answer->text), "%s", text ? text : "");
}

static void on_tags(void *ctx, enum wr_err err, bool refuses)
{
	struct answer *answer = ctx;
	*answer = (struct answer){.done = true, .err = err, .refuses = refuses};
}

static void say(struct answer *answer, const char *instance, const char *members)
{
	answer->done = false;
	store_pod_say(ask->store, instance, members, 60000, on_said, answer);
	store_wait(ask->store, &answer->done);
	assert_int_equal(answer->err, WR_OK);
}

static void look(struct answer *answer)
{
	answer->done = false;
	store_pods(ask->store, 60000, on_pods, answer);
	store_wait(ask->store, &answer->done);
	assert_int_equal(answer->err, WR_OK);
}

static void rows_are_said_listed_and_taken_away(void **state)
{
	(void)state;
	static struct answer answer;
	char expected[128];
	look(&answer);
	assert_int_equal(answer.count, 0);
	say(&answer, "pod-1", "\"kind\":\"api\"");
	int64_t said_ms = answer.now_ms;
	look(&answer);
	assert_int_equal(answer.count, 1);
	assert_string_equal(answer.instance, "pod-1");
	snprintf(expected, sizeof(expected), "{\"seen_ms\":%lld,\"kind\":\"api\"}", (long long)said_ms);
	assert_string_equal(answer.text, expected);
	assert_true(answer.now_ms >= said_ms);
	say(&answer, "pod-1", "");
	look(&answer);
	assert_int_equal(answer.count, 0);
}

static void work_that_nobody_has_done_yet_is_0(void **state)
{
	(void)state;
	static const struct queue_name queue = {"default", "worked"};
	static struct answer answer;
	store_worked(ask->store, &queue, on_worked, &answer);
	store_wait(ask->store, &answer.done);
	assert_int_equal(answer.err, WR_OK);
	assert_int_equal(answer.tick_ms, 0);
	assert_int_equal(answer.flush_ms, 0);
	(void)ask_do(ask, "HSET wr:{default/worked}:clock tick_ms 17");
	answer.done = false;
	store_worked(ask->store, &queue, on_worked, &answer);
	store_wait(ask->store, &answer.done);
	assert_int_equal(answer.tick_ms, 17);
	assert_int_equal(answer.flush_ms, 0);
}

static void the_server_says_what_it_is_and_takes_tags(void **state)
{
	(void)state;
	static struct answer answer;
	store_info(ask->store, on_info, &answer);
	store_wait(ask->store, &answer.done);
	assert_int_equal(answer.err, WR_OK);
	assert_non_null(strstr(answer.text, "\r\nused_memory:"));
	answer.done = false;
	store_tags(ask->store, on_tags, &answer);
	store_wait(ask->store, &answer.done);
	assert_int_equal(answer.err, WR_OK);
	assert_false(answer.refuses);
}

static void a_store_that_is_away_is_said_with_its_reason(void **state)
{
	(void)state;
	static struct answer answer;
	struct ask *nobody = ask_open_later("redis://127.0.0.1:1", NULL);
	struct mono_time end = mono_add_ms(clock_mono(), 5000);
	while (store_trouble(nobody->store)[0] == '\0' && mono_diff_ms(clock_mono(), end) > 0)
		loop_turn(nobody->loop, 50);
	assert_string_equal(store_trouble(nobody->store), "Connection refused");
	store_pods(nobody->store, 60000, on_pods, &answer);
	store_wait(nobody->store, &answer.done);
	assert_int_equal(answer.err, WR_STORE_AWAY);
	answer.done = false;
	store_info(nobody->store, on_info, &answer);
	store_wait(nobody->store, &answer.done);
	assert_int_equal(answer.err, WR_STORE_AWAY);
	assert_string_equal(answer.text, "");
	ask_close(nobody);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_said_listed_and_taken_away),
		cmocka_unit_test(work_that_nobody_has_done_yet_is_0),
		cmocka_unit_test(the_server_says_what_it_is_and_takes_tags),
		cmocka_unit_test(a_store_that_is_away_is_said_with_its_reason),
	};
	return cmocka_run_group_tests(tests, shared_ask_open, shared_ask_close);
}
