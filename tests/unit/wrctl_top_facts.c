/* From answers of the API to what wrctl top shows: order, rates, the worst finding. */
#include "cmd/wrctl/top.h"
#include "support/cmocka.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct json_value *parse(const char *text)
{
	struct json_value *document = NULL;
	struct err_detail detail;
	assert_int_equal(json_parse(text, strlen(text), &document, &detail), WR_OK);
	return document;
}

static void take_queue(struct top_facts *facts, int waiting, int admitted, int64_t at_ms)
{
	char text[256];
	snprintf(text, sizeof(text),
			 "{\"queues\":[{\"queue\":\"default/demo\",\"state\":\"open\",\"waiting\":%d,"
			 "\"admitted_total\":%d,\"as_of_ms\":%lld,\"estimated_wait_s\":null}]}",
			 waiting, admitted, (long long)at_ms);
	WR_AUTO(json_free_at) struct json_value *answer = parse(text);
	top_take_queues(facts, answer);
}

static void queues_stand_by_people_waiting(void **state)
{
	(void)state;
	struct top_facts facts = {.queues = NULL};
	WR_AUTO(json_free_at)
	struct json_value *answer =
		parse("{\"queues\":[{\"queue\":\"a/b\",\"waiting\":1},{\"queue\":\"a/c\",\"waiting\":7},"
			  "{\"queue\":\"a/a\",\"waiting\":1}]}");
	top_take_queues(&facts, answer);
	assert_int_equal(facts.queue_count, 3);
	assert_string_equal(facts.queues[0].name, "a/c");
	assert_string_equal(facts.queues[1].name, "a/a");
	assert_string_equal(facts.queues[2].name, "a/b");
	top_facts_clear(&facts);
}

static void the_rate_is_measured_between_two_answers(void **state)
{
	(void)state;
	struct top_facts facts = {.queues = NULL};
	take_queue(&facts, 5, 100, 1000);
	assert_true(facts.queues[0].rate < 0); /* not known yet */
	assert_int_equal(facts.queues[0].estimate_s, -1);
	take_queue(&facts, 5, 110, 2000);
	assert_int_equal((int)facts.queues[0].rate, 600);
	take_queue(&facts, 5, 112, 2250); /* too soon: stays, and is counted next time */
	assert_int_equal((int)facts.queues[0].rate, 600);
	take_queue(&facts, 5, 130, 3000);
	assert_int_equal((int)facts.queues[0].rate, 900); /* (600 + 1200) / 2 */
	take_queue(&facts, 5, 3, 4000);					  /* made anew */
	assert_true(facts.queues[0].rate < 0);
	top_facts_clear(&facts);
}

static void a_rate_of_nothing_becomes_nothing(void **state)
{
	(void)state;
	struct top_facts facts = {.queues = NULL};
	take_queue(&facts, 5, 0, 1000);
	take_queue(&facts, 5, 10, 2000);
	for (int i = 0; i < 20; i++)
		take_queue(&facts, 5, 10, 3000 + i * 1000);
	assert_true(facts.queues[0].rate == 0);
	top_facts_clear(&facts);
}

static void the_worst_finding_is_shown_and_all_are_counted(void **state)
{
	(void)state;
	struct top_facts facts = {.queues = NULL};
	WR_AUTO(json_free_at)
	struct json_value *answer =
		parse("{\"checks\":[{\"name\":\"store\",\"status\":\"ok\",\"said\":\"s\"},"
			  "{\"name\":\"keys\",\"status\":\"warn\",\"said\":\"k\"},"
			  "{\"name\":\"admitter\",\"status\":\"fail\",\"said\":\"No admitter is alive.\"},"
			  "{\"name\":\"pods\",\"status\":\"fail\",\"said\":\"p\"}]}");
	top_take_health(&facts, answer);
	assert_int_equal(facts.findings, 3);
	assert_int_equal(facts.health, HEALTH_FAIL);
	assert_string_equal(facts.finding, "admitter: No admitter is alive.");
	WR_AUTO(json_free_at) struct json_value *well = parse("{\"checks\":[]}");
	top_take_health(&facts, well);
	assert_int_equal(facts.findings, 0);
	assert_string_equal(facts.finding, "");
}

static void a_copy_owns_what_it_has(void **state)
{
	(void)state;
	struct top_facts facts = {.queues = NULL}, copy;
	WR_AUTO(json_free_at)
	struct json_value *pods =
		parse("{\"as_of_ms\":1,\"pods\":[{\"kind\":\"api\",\"instance\":\"a\",\"state\":\"ok\","
			  "\"age_ms\":5,\"requests_per_s\":7,\"nats\":true}]}");
	take_queue(&facts, 5, 0, 1000);
	top_take_pods(&facts, pods);
	top_facts_copy(&facts, &copy);
	top_facts_clear(&facts);
	assert_string_equal(copy.queues[0].name, "default/demo");
	assert_int_equal(copy.pods[0].row.requests_per_s, 7);
	assert_int_equal(copy.pods[0].age_ms, 5);
	assert_true(copy.pods[0].row.nats);
	top_facts_clear(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues_stand_by_people_waiting),
		cmocka_unit_test(the_rate_is_measured_between_two_answers),
		cmocka_unit_test(a_rate_of_nothing_becomes_nothing),
		cmocka_unit_test(the_worst_finding_is_shown_and_all_are_counted),
		cmocka_unit_test(a_copy_owns_what_it_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
