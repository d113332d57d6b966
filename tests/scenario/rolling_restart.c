/* A new version is rolled out on the night of the sale: both pods and both admitters end by SIGTERM
 * and come back, one after the other, while visitors poll through a gateway with the configuration
 * of deploy/: nginx, or what WR_TEST_GATEWAY says.
 *
 * Nobody behind the gateway sees a failed request: what a pod that goes away does not take, the
 * other one does. Some visitors come without a gateway; they may find a port closed, which any
 * gateway would retry, but no connection breaks on them that a pod had taken.
 *
 *     everybody joins ─► steady ─► restarts: pod, pod, admitter, admitter ─► after
 *
 * wrload tells the latencies of each stretch apart. With WR_TEST_LONG=1 there are 5,000 visitors
 * and the p99 during the restarts must stay below twice that of the steady stretch: `make
 * show-rolling-restart`. Without, a busy machine may be as slow as it likes.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/crowd.h"
#include "support/gateways.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_NAME "default/demo"
#define STOP_DEADLINE_MS 15000

enum { ARRIVING, STEADY, RESTARTS, AFTER };

struct size {
	int visitors, direct, arrive_per_s;
	const char *polls; /* members of the queue's settings */
};

static const struct size small = {600, 60, 300, "\"poll_min_ms\":500,\"poll_max_ms\":1000"};
static const struct size large = {5000, 100, 500, "\"poll_min_ms\":2000,\"poll_max_ms\":5000"};

static const struct size *size(void)
{
	return getenv("WR_TEST_LONG") ? &large : &small;
}

struct world {
	struct stack *stack;
	struct gateway *gateway;
	struct crowd_process *behind, *direct; /* of the gateway; at the pods themselves */
	double heartbeats[2];				   /* of each pod, when somebody looked last */
};

/* ---- the world ---- */

static struct stack *start_stack(void)
{
	WR_AUTO(mem_free_at) char *queues = NULL;
	if (asprintf(&queues,
				 QUEUES(QUEUE("demo", "\"rate_per_minute\":600,\"burst\":5,\"capacity\":40,"
									  "\"absent_after_ms\":15000,\"heartbeat_ttl_ms\":60000,"
									  "\"first_heartbeat_ms\":30000,%s")),
				 size()->polls) < 0)
		abort();
	const char *const env[] = {"WR_SYNC_INTERVAL_MS=100", "WR_DRAIN_WAIT_MS=300",
							   "WR_TRUSTED_PROXIES=127.0.0.1", NO_RATE_LIMITS, NULL};
	return stack_start(
		&(struct stack_options){.pods = 2, .admitters = 2, .queues = queues, .env = env});
}

static enum gateway_kind gateway_kind(void)
{
	static const char *const words[] = {
		[GATEWAY_NGINX] = "nginx", [GATEWAY_CADDY] = "caddy", [GATEWAY_HAPROXY] = "haproxy"};
	const char *wanted = getenv("WR_TEST_GATEWAY");
	if (wanted == NULL || wanted[0] == '\0')
		return GATEWAY_NGINX;
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i], wanted) == 0)
			return (enum gateway_kind)i;
	fail_msg("WR_TEST_GATEWAY: nginx, haproxy or caddy, not \"%s\"", wanted);
	abort();
}

static struct gateway *start_gateway(struct stack *stack)
{
	char site[32];
	snprintf(site, sizeof(site), "127.0.0.1:%d", free_port()); /* nobody gets that far */
	WR_AUTO(http_answer_free_at)
	struct http_answer *keys =
		http_call(stack_url(stack, 0), "GET", "/.well-known/jwks.json", NULL, NULL);
	return gateway_start(
		gateway_kind(), &(struct gateway_options){.pods = {stack_url(stack, 0) + strlen("http://"),
														   stack_url(stack, 1) + strlen("http://")},
												  .site = site,
												  .keys = keys->body});
}

static struct crowd_process *start_crowd(const char *const urls[], int visitors, int arrive_per_s)
{
	char count[32], arrive[32], seed[32]; /* one each, or two crowds may be the same people */
	snprintf(seed, sizeof(seed), "--seed=%d", visitors);
	snprintf(count, sizeof(count), "--visitors=%d", visitors);
	snprintf(arrive, sizeof(arrive), "--arrive-per-s=%d", arrive_per_s);
	return crowd_start_at(urls, QUEUE_NAME,
						  (const char *const[]){count, arrive, seed, "--stay-ms=1000",
												"--capacity=40", "--rate-per-minute=600",
												"--burst=5", "--forever", NULL});
}

static void start_crowds(struct world *world)
{
	WR_AUTO(mem_free_at) char *room = NULL;
	if (asprintf(&room, "%s/_wr", gateway_url(world->gateway)) < 0)
		abort();
	int all = size()->visitors + size()->direct;
	world->behind =
		start_crowd((const char *const[]){room, NULL}, size()->visitors, size()->arrive_per_s);
	world->direct = start_crowd(
		(const char *const[]){stack_url(world->stack, 0), stack_url(world->stack, 1), NULL},
		size()->direct, size()->direct / 2);
	WAIT_UNTIL(60000, api_store_number(world->stack, "GET wr:{" QUEUE_NAME "}:ticket:main") >= all,
			   "everybody has joined");
}

/* ---- stretches of time, told by what is done in them ---- */

static double heartbeats(const struct world *world, int pod)
{
	return stack_metric(stack_internal_url(world->stack, pod),
						"wr_heartbeats_total{source=\"index\"}");
}

static bool has_answered(const struct world *world, int pod, double more)
{
	return heartbeats(world, pod) >= world->heartbeats[pod] + more;
}

/* Until each pod has answered every visitor's poll about 'times' times. */
static void await_polls(struct world *world, int times)
{
	double more = size()->visitors * times / 2.0;
	for (int pod = 0; pod < 2; pod++)
		world->heartbeats[pod] = heartbeats(world, pod);
	for (int pod = 0; pod < 2; pod++)
		WAIT_UNTIL(60000, has_answered(world, pod, more), "visitors poll at both pods");
}

/* By the pods' pictures: whoever let them in. */
static double admitted(const struct world *world)
{
	return stack_metric(stack_internal_url(world->stack, 0),
						"wr_queue_admitted_total{queue=\"" QUEUE_NAME "\"}");
}

/* ---- the restarts ---- */

static void restart_pod(struct world *world, int pod)
{
	process_stop(stack_pod(world->stack, pod), STOP_DEADLINE_MS);
	stack_restart_pod(world->stack, pod);
	world->heartbeats[pod] = 0;
	WAIT_UNTIL(60000, has_answered(world, pod, size()->visitors / 2.0),
			   "the pod that came back gets its share");
}

static void restart_admitter(struct world *world, int admitter)
{
	process_stop(stack_admitter(world->stack, admitter), STOP_DEADLINE_MS);
	double before = admitted(world);
	WAIT_UNTIL(20000, admitted(world) > before + 5, "the other admitter lets people in");
	stack_restart_admitter(world->stack, admitter);
}

static void next_phase(struct world *world)
{
	crowd_next_phase(world->behind);
	crowd_next_phase(world->direct);
}

/* ---- what came of it ---- */

static double p99_ms(const struct world *world, int phase)
{
	char path[48];
	snprintf(path, sizeof(path), "phases.%d.latency_ms.p99", phase);
	return crowd_number(world->behind, path);
}

static int64_t requests(const struct world *world, int phase)
{
	char path[48];
	snprintf(path, sizeof(path), "phases.%d.requests", phase);
	return crowd_count(world->behind, path);
}

static void expect_no_failures(const struct world *world)
{
	assert_int_equal(crowd_count(world->behind, "counts.transport_errors"), 0);
	assert_int_equal(crowd_count(world->behind, "counts.answers_5xx"), 0);
	assert_int_equal(crowd_count(world->direct, "counts.answers_5xx"), 0);
	assert_int_equal(crowd_count(world->direct, "counts.transport_errors"),
					 crowd_count(world->direct, "outcomes.refused"));
	crowd_expect_nobody_lost(world->behind);
	crowd_expect_nobody_lost(world->direct);
}

static void tell(const struct world *world)
{
	static const char *const names[] = {"arriving", "steady", "restarts", "after"};
	for (int phase = STEADY; phase <= AFTER; phase++)
		print_message("%-9s %7lld requests through the gateway, p99 %.2f ms\n", names[phase],
					  (long long)requests(world, phase), p99_ms(world, phase));
	print_message(
		"%d + %d visitors, %lld failed requests behind the gateway, %lld refused without\n",
		size()->visitors, size()->direct,
		(long long)crowd_count(world->behind, "counts.transport_errors"),
		(long long)crowd_count(world->direct, "outcomes.refused"));
}

static void a_rolling_restart_costs_nobody_a_request(void **state)
{
	(void)state;
	struct world world = {.stack = start_stack()};
	world.gateway = start_gateway(world.stack);
	start_crowds(&world);
	await_polls(&world, 1);
	next_phase(&world);
	await_polls(&world, 4);
	next_phase(&world);
	for (int pod = 0; pod < 2; pod++)
		restart_pod(&world, pod);
	for (int admitter = 0; admitter < 2; admitter++)
		restart_admitter(&world, admitter);
	next_phase(&world);
	await_polls(&world, 1);
	crowd_end(world.behind, 10000);
	crowd_end(world.direct, 10000);

	tell(&world);
	expect_no_failures(&world);
	assert_true(requests(&world, RESTARTS) > size()->visitors);
	if (getenv("WR_TEST_LONG"))
		assert_true(p99_ms(&world, RESTARTS) < 2 * p99_ms(&world, STEADY));
	crowd_close(world.behind);
	crowd_close(world.direct);
	gateway_free(world.gateway);
	stack_free(world.stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rolling_restart_costs_nobody_a_request),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
