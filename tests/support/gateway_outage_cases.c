/* The waiting room, or what it stands on, is slow or away. */
#include "support/api.h"
#include "support/gateway_cases.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <string.h>

static bool asks(void)
{
	return gateway_world()->kind != GATEWAY_HAPROXY_OFFLINE;
}

/* HAProxy recognises a session itself when nobody answers. */
static bool knows_sessions_itself(void)
{
	return gateway_world()->kind == GATEWAY_HAPROXY || !asks();
}

/* ---- the store ---- */

static bool page_ends_in(const char *session, bool at_site)
{
	WR_AUTO(http_answer_free_at) struct http_answer *first = visit_page("/hall", session);
	WR_AUTO(http_answer_free_at) struct http_answer *second = visit_page("/hall", session);
	return is_site(first) == at_site && is_site(second) == at_site;
}

static void without_the_store_sessions_pass_and_others_wait(void **state)
{
	(void)state;
	redis_pause(gateway_world()->stack->redis);
	for (int i = 0; i < 6; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *in = visit_page("/hall", gateway_world()->session);
		expect_site(in);
		WR_AUTO(http_answer_free_at) struct http_answer *out = visit_page("/hall", NULL);
		expect_room(out, NULL);
	}
	redis_continue(gateway_world()->stack->redis);
}

static void without_the_store_everybody_passes_where_the_queue_says_so(void **state)
{
	(void)state;
	set_demo(",\"on_outage\":\"open\"");
	WR_AUTO(http_answer_free_at) struct http_answer *before = visit_page("/hall", NULL);
	expect_room(before, NULL);
	redis_pause(gateway_world()->stack->redis);
	WAIT_UNTIL(10000, page_ends_in(NULL, true), "both pods have noticed and let everybody pass");
	WR_AUTO(http_answer_free_at) struct http_answer *page = visit_page("/hall", NULL);
	expect_saw(page, "\r\nX-WaitingRoom-State: open\r\n");
	redis_continue(gateway_world()->stack->redis);
	WAIT_UNTIL(10000, page_ends_in(NULL, false), "a session is asked for again");
	set_demo("");
}

/* ---- the pods ---- */

static void one_slow_pod_costs_a_moment_only(void **state)
{
	(void)state;
	process_pause(stack_pod(gateway_world()->stack, 0));
	for (int i = 0; i < 4; i++) {
		struct mono_time before = clock_mono();
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = visit_page("/hall", gateway_world()->session);
		expect_site(answer);
		WR_AUTO(http_answer_free_at) struct http_answer *out = visit_page("/hall", NULL);
		expect_room(out, NULL);
		assert_in_range(mono_diff_ms(before, clock_mono()), 0, 4900);
	}
	process_continue(stack_pod(gateway_world()->stack, 0));
}

static void expect_one_moment(const struct http_answer *answer)
{
	api_expect_status(answer, 503);
	assert_non_null(http_answer_header(answer, "Retry-After"));
	assert_non_null(strstr(http_answer_header(answer, "Cache-Control"), "no-store"));
	assert_non_null(strstr(answer->body, "http-equiv=\"refresh\""));
}

/* What visitors get while no pod answers, with the gateway as it is shipped. */
static void expect_closed(void)
{
	int seen = site_count(gateway_world()->site);
	WR_AUTO(http_answer_free_at) struct http_answer *out = visit_page("/hall", NULL);
	if (asks())
		expect_one_moment(out);
	else
		expect_room(out, NULL);
	assert_int_equal(site_count(gateway_world()->site), seen);
	WR_AUTO(http_answer_free_at)
	struct http_answer *in = visit_page("/hall", gateway_world()->session);
	if (!knows_sessions_itself()) {
		expect_one_moment(in);
		return;
	}
	expect_site(in);
	WR_AUTO(mem_free_at) char *late = session_like("default/demo", false, -120, -60);
	WR_AUTO(mem_free_at) char *other = session_like("default/other", false, -1, 60);
	const char *const bad[] = {late, other, "e30.e30.e30"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *answer = visit_page("/hall", bad[i]);
		assert_false(is_site(answer));
	}
}

static bool is_sent_to_the_room(void)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = visit_page("/hall", NULL);
	return answer->status == 302;
}

static void slow_pods_do_not_let_anybody_pass(void **state)
{
	(void)state;
	for (int pod = 0; pod < 2; pod++)
		process_pause(stack_pod(gateway_world()->stack, pod));
	expect_closed();
	for (int pod = 0; pod < 2; pod++)
		process_continue(stack_pod(gateway_world()->stack, pod));
	WAIT_UNTIL(10000, page_ends_in(gateway_world()->session, true), "sessions pass");
	WAIT_UNTIL(10000, is_sent_to_the_room(), "others are sent to the room");
}

static void without_pods_the_site_is_closed(void **state)
{
	(void)state;
	for (int pod = 0; pod < 2; pod++)
		process_kill(stack_pod(gateway_world()->stack, pod));
	expect_closed();
}

/* After the case above: the pods are down. */
static void without_pods_the_room_asks_for_patience(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = visit_page("/_wr/q/default/demo", NULL);
	api_expect_status(answer, 503);
	assert_non_null(strstr(answer->body, "Nobody loses a place in line"));
	assert_string_equal(http_answer_header(answer, "Retry-After"), "10");
}

static struct gateway *as_shipped; /* while another takes its place */

/* Likewise. */
static void without_pods_the_site_is_open_where_the_gateway_says_so(void **state)
{
	(void)state;
	struct gateway_world *world = gateway_world();
	as_shipped = world->gateway;
	world->gateway = gateway_start(
		world->kind,
		&(struct gateway_options){.pods = {stack_url(world->stack, 0) + strlen("http://"),
										   stack_url(world->stack, 1) + strlen("http://")},
								  .site = site_address(world->site),
								  .keys = world->jwks,
								  .fail_open = true});
	WR_AUTO(http_answer_free_at)
	struct http_answer *page =
		visit("GET", "/hall", AS_PAGE "X-WaitingRoom-Session: made-up\r\n", NULL, NULL);
	expect_site(page);
	expect_saw(page, "\r\nX-WaitingRoom-State: gate-down\r\n");
	expect_not_saw(page, "made-up");
	WR_AUTO(http_answer_free_at)
	struct http_answer *form = visit("POST", "/pay", AS_PAGE, NULL, "amount=145");
	expect_site(form);
	expect_saw(form, "\r\n\r\namount=145");
	if (world->kind == GATEWAY_CADDY) /* has no limit; its guide says so */
		return;
	int let_in = 0;
	for (int i = 0; i < 100; i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *answer = visit_page("/hall", NULL);
		let_in += is_site(answer);
		if (!is_site(answer))
			api_expect_status(answer, 503);
	}
	assert_in_range(let_in, 10, 90);
}

static void when_the_pods_are_back_everything_is_as_before(void **state)
{
	(void)state;
	for (int pod = 0; pod < 2; pod++)
		stack_restart_pod(gateway_world()->stack, pod);
	/* the gateway has to notice first */
	WAIT_UNTIL(10000, is_sent_to_the_room(), "visitors are sent to the room");
	for (int i = 0; i < 4; i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *in = visit_page("/hall", gateway_world()->session);
		expect_site(in);
		WR_AUTO(http_answer_free_at) struct http_answer *out = visit_page("/hall", NULL);
		expect_room(out, NULL);
	}
}

/* Also after a case that failed half-way. */
static int go_on(void **state)
{
	(void)state;
	redis_continue(gateway_world()->stack->redis);
	for (int pod = 0; pod < 2; pod++)
		process_continue(stack_pod(gateway_world()->stack, pod));
	if (as_shipped) {
		gateway_free(gateway_world()->gateway);
		gateway_world()->gateway = as_shipped;
		as_shipped = NULL;
	}
	return 0;
}

#define OUTAGE_CASE(function, for_kinds)                                                           \
	{                                                                                              \
		.test = cmocka_unit_test_teardown(function, go_on), .kinds = (for_kinds)                   \
	}

const struct gateway_case gateway_outage_cases[] = {
	OUTAGE_CASE(without_the_store_sessions_pass_and_others_wait, FOR_ALL),
	OUTAGE_CASE(without_the_store_everybody_passes_where_the_queue_says_so, FOR_ASKING),
	OUTAGE_CASE(one_slow_pod_costs_a_moment_only, FOR_ALL),
	OUTAGE_CASE(slow_pods_do_not_let_anybody_pass, FOR_ALL),
	OUTAGE_CASE(without_pods_the_site_is_closed, FOR_ALL),
	OUTAGE_CASE(without_pods_the_room_asks_for_patience, FOR_ALL),
	OUTAGE_CASE(without_pods_the_site_is_open_where_the_gateway_says_so, FOR_ASKING),
	OUTAGE_CASE(when_the_pods_are_back_everything_is_as_before, FOR_ALL),
	{.test = {0}},
};
