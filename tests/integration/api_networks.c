/* Limits of addresses and networks, when proxies stand in front: IPv4 /32 and /24, IPv6 /64 and
 * /48.
 *
 * The pod believes X-Forwarded-For from this machine; what strangers wrote further left in it does
 * not count.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "waitingroom/memory.h"

#include <stdio.h>

static const char *url;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.env =
			(const char *const[]){NO_RATE_LIMITS, "WR_TRUSTED_PROXIES=127.0.0.1,10.0.0.0/8", NULL},
		.queues = QUEUES(QUEUE(
			"four",
			HELD ",\"joins_per_address_per_minute\":2,"
				 "\"joins_per_network_per_minute\":3") "," QUEUE("six", HELD
																 ",\"joins_per_address_per_"
																 "minute\":2,"
																 "\"joins_per_network_per_minute\":"
																 "3") "," QUEUE("claims", HELD
																				",\"joins_per_"
																				"address_per_"
																				"minute\":2"))});
	url = stack_url(stack, 0);
	return 0;
}

static void expect_join(const char *queue, const char *forwarded_for, int status)
{
	char headers[160], body[64];
	snprintf(headers, sizeof(headers), "X-Forwarded-For: %s\r\n", forwarded_for);
	snprintf(body, sizeof(body), "{\"queue_id\":\"%s\"}", queue);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, "POST", "/enqueue", headers, body);
	if (status == 429)
		api_expect_problem(answer, 429, "rate_limited");
	else
		api_expect_status(answer, status);
}

static void an_ipv4_address_and_its_network_have_limits(void **state)
{
	(void)state;
	expect_join("four", "192.0.2.1", 201);
	expect_join("four", "192.0.2.1", 201);
	expect_join("four", "192.0.2.1", 429);
	expect_join("four", "192.0.2.2", 201);
	expect_join("four", "192.0.2.3", 429); /* the third of the network was the last */
	expect_join("four", "192.0.3.1", 201);
}

static void an_ipv6_address_is_a_64_and_its_network_a_48(void **state)
{
	(void)state;
	expect_join("six", "2001:db8:1:1::1", 201);
	expect_join("six", "2001:db8:1:1:ffff::2", 201);
	expect_join("six", "2001:db8:1:1::3", 429);
	expect_join("six", "2001:db8:1:2::1", 201);
	expect_join("six", "2001:db8:1:3::1", 429);
	expect_join("six", "2001:db8:2:1::1", 201);
}

static void what_a_client_claims_about_itself_does_not_count(void **state)
{
	(void)state;
	expect_join("claims", "198.51.100.1, 203.0.113.9, 10.1.2.3", 201);
	expect_join("claims", "198.51.100.2, 203.0.113.9", 201);
	expect_join("claims", "198.51.100.3, 203.0.113.9, 10.1.2.3", 429);
	expect_join("claims", "203.0.113.9, 203.0.113.10", 201);
}

static void no_address_is_in_the_store(void **state)
{
	(void)state;
	expect_join("claims", "203.0.113.77", 201);
	assert_int_equal(api_store_number(stack, "EVAL \"local n = 0 for _, k in ipairs("
											 "redis.call('KEYS', '*')) do if string.find(k .. "
											 "redis.call('DUMP', k), '113.77', 1, true) then "
											 "n = n + 1 end end return n\" 0"),
					 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ipv4_address_and_its_network_have_limits),
		cmocka_unit_test(an_ipv6_address_is_a_64_and_its_network_a_48),
		cmocka_unit_test(what_a_client_claims_about_itself_does_not_count),
		cmocka_unit_test(no_address_is_in_the_store),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
