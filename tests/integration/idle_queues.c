/* Queues that nobody is in cost the store little: the admitter steps them seldom, the admitters and
 * relays that only wait ask plainly, and pods leave them out of every other round. Whoever joins
 * one finds it as awake as any other.
 *
 * What is compared are counts of things that happen side by side, not times.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWO_QUEUES                                                                                 \
	"{\"queues\":[{\"queue\":\"default/empty\",\"capacity\":0},"                                   \
	"{\"queue\":\"default/busy\",\"capacity\":0}]}"

static struct stack *stack;

static int begin(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){.pods = 1, .admitters = 1, .queues = TWO_QUEUES});
	return 0;
}

static int end(void **state)
{
	(void)state;
	stack_free(stack);
	return 0;
}

static int64_t last_tick(const char *queue)
{
	return api_store_number(stack, "HGET wr:{default/%s}:clock tick_ms", queue);
}

struct ticks {
	int64_t busy_ms, empty_ms;
	int busy, empty;
};

static bool busy_has_ticked(struct ticks *ticks, int count)
{
	int64_t busy_ms = last_tick("busy"), empty_ms = last_tick("empty");
	ticks->busy += busy_ms != ticks->busy_ms;
	ticks->empty += empty_ms != ticks->empty_ms;
	ticks->busy_ms = busy_ms;
	ticks->empty_ms = empty_ms;
	return ticks->busy >= count;
}

/* Ticks of the queue "empty" that are seen during 30 of the one that is not. */
static int ticks_of_the_empty_one(void)
{
	struct ticks ticks = {.busy_ms = last_tick("busy"), .empty_ms = last_tick("empty")};
	WAIT_UNTIL(20000, busy_has_ticked(&ticks, 30), "ticks of a queue with somebody in line");
	return ticks.empty;
}

static void an_empty_queue_is_stepped_seldom_until_somebody_joins(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *first = api_join(stack_url(stack, 0), "busy");
	WAIT_UNTIL(15000, ticks_of_the_empty_one() <= 15, "fewer ticks of the empty queue");
	WR_AUTO(mem_free_at) char *second = api_join(stack_url(stack, 0), "empty");
	WAIT_UNTIL(15000, ticks_of_the_empty_one() >= 20, "as many ticks of both");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_queue_is_stepped_seldom_until_somebody_joins),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
