/* Many queues in one store, and none of them pays for another: not for its data being broken, and
 * not for how many they are while the store is some milliseconds away.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/events.h"
#include "support/process.h"
#include "support/slow_link.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BROKEN 5
#define MANY 400
#define AWAY_MS 5 /* each way */
#define WATCHED_MS 3000

static struct http_answer *place_of(struct stack *stack, const char *token)
{
	return api_poll(stack_url(stack, 0), "/heartbeat", token);
}

static bool is_fresh(struct stack *stack, const char *token)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = place_of(stack, token);
	api_expect_place(answer, "waiting");
	return !http_answer_has(answer, "stale");
}

static bool is_let_in(struct stack *stack, const char *token)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = place_of(stack, token);
	WR_AUTO(mem_free_at) char *status = http_answer_text(answer, "status");
	return strcmp(status, "admitted") == 0;
}

/* Whatever is asked of them, the store answers with an error. */
static void break_queues(struct stack *stack)
{
	static const char *const keys[] = {"outbox", "heartbeats", "counts", "sessions"};
	for (int i = 0; i < BROKEN; i++)
		for (size_t k = 0; k < COUNT(keys); k++) {
			char command[96];
			snprintf(command, sizeof(command), "SET wr:{default/broken-%d}:%s nonsense", i,
					 keys[k]);
			WR_AUTO(mem_free_at) char *reply = redis_do(stack->redis, command);
			assert_true(strncmp(reply, "+OK", 3) == 0);
		}
}

static void queues_whose_data_is_broken_do_not_hurt_the_others(void **state)
{
	(void)state;
	char list[1024];
	int len = snprintf(list, sizeof(list), "{\"queues\":[" QUEUE("demo", "\"capacity\":0"));
	for (int i = 0; i < BROKEN; i++)
		len += snprintf(list + len, sizeof(list) - (size_t)len, "," QUEUE("broken-%d", HELD), i);
	snprintf(list + len, sizeof(list) - (size_t)len, "]}");
	struct stack *stack =
		stack_start(&(struct stack_options){.pods = 1,
											.admitters = 1,
											.queues = list,
											.admin_keys = API_ADMIN_KEYS_FILE,
											.env = (const char *const[]){NO_RATE_LIMITS, NULL}});
	break_queues(stack);
	int pod = stack_add_pod(stack); /* becomes ready, late: it would like to know them all */
	api_await_queue(stack, "default/demo");
	WR_AUTO(http_answer_free_at)
	struct http_answer *broken = api_enqueue(stack_url(stack, pod), "broken-0", NULL);
	api_expect_problem(broken, 503, "store_unavailable"); /* and not that there is none */
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, pod), "demo");
	WAIT_UNTIL(5000, is_fresh(stack, token), "a picture that the place is in");
	WR_AUTO(http_answer_free_at)
	struct http_answer *changed =
		api_admin(stack, 0, "PATCH", "/default/demo", "{\"capacity\":10}");
	api_expect_status(changed, 200);
	WAIT_UNTIL(5000, is_let_in(stack, token), "the turn");
	events_await_drained(stack, "default/demo", 5000);
	stack_free(stack);
}

/* One after the other they would take four seconds. */
static void a_pod_that_is_far_from_its_store_still_follows_many_queues(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *list = mem_alloc_zero(1, 64 * MANY);
	char *end = stpcpy(list, "{\"queues\":[" QUEUE("demo", HELD));
	for (int i = 0; i < MANY; i++)
		end += sprintf(end, "," QUEUE("q%d", HELD), i);
	strcpy(end, "]}");
	struct redis_server *redis = redis_start(&(struct redis_options){.tcp = true});
	struct slow_link *link = slow_link_open(redis_port(redis), 0);
	char url[64];
	snprintf(url, sizeof(url), "WR_STORE_URL=redis://127.0.0.1:%d", slow_link_port(link));
	struct stack *stack = stack_start(
		&(struct stack_options){.pods = 1,
								.without_nats = true,
								.queues = list,
								.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0",
															 "WR_STALE_AFTER_MS=2000", url, NULL}});
	slow_link_set_delay(link, AWAY_MS);
	WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "demo");
	WAIT_UNTIL(10000, is_fresh(stack, token), "a picture that the place is in");
	struct mono_time began = clock_mono();
	while (mono_diff_ms(began, clock_mono()) < WATCHED_MS)
		assert_true(is_fresh(stack, token));
	stack_free(stack);
	slow_link_free(link);
	redis_free(redis);
}

static bool has_said(struct process *process)
{
	WR_AUTO(mem_free_at) char *log = process_log(process);
	return strstr(log, "\"too_many_queues\"") != NULL && strstr(log, "WR_QUEUES_MAX") != NULL;
}

static void a_queue_that_there_is_no_room_for_is_said_by_all_who_leave_it_alone(void **state)
{
	(void)state;
	struct stack *stack = stack_start(
		&(struct stack_options){.pods = 1,
								.admitters = 1,
								.without_nats = true,
								.queues = QUEUES(QUEUE("one", HELD) "," QUEUE("two", HELD)),
								.env = (const char *const[]){"WR_QUEUES_MAX=1", NULL}});
	WAIT_UNTIL(5000, has_said(stack_pod(stack, 0)), "the pod says so");
	WAIT_UNTIL(5000, has_said(stack_admitter(stack, 0)), "the admitter says so");
	stack_free(stack);
}

static double counted(struct stack *stack, const char *name)
{
	return stack_metric(stack_internal_url(stack, 0), name);
}

/* Once a second, beside four rounds of the sync thread, and not once a second from each worker. */
static void an_idle_queue_costs_a_pod_one_mark_a_second_however_many_workers_it_has(void **state)
{
	(void)state;
	struct stack *stack = stack_start(
		&(struct stack_options){.pods = 1,
								.without_nats = true,
								.queues = QUEUES(QUEUE("idle", HELD)),
								.env = (const char *const[]){"WR_RELAY=0", "WR_WORKERS=4", NULL}});
	double rounds = counted(stack, "wr_sync_rounds_total");
	double marks = counted(stack, "wr_heartbeat_flushes_total");
	WAIT_UNTIL(15000, counted(stack, "wr_sync_rounds_total") >= rounds + 16,
			   "four seconds of rounds");
	marks = counted(stack, "wr_heartbeat_flushes_total") - marks;
	assert_in_range((int)marks, 2, 8);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues_whose_data_is_broken_do_not_hurt_the_others),
		cmocka_unit_test(a_queue_that_there_is_no_room_for_is_said_by_all_who_leave_it_alone),
		cmocka_unit_test(an_idle_queue_costs_a_pod_one_mark_a_second_however_many_workers_it_has),
		cmocka_unit_test(a_pod_that_is_far_from_its_store_still_follows_many_queues),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
