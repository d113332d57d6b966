/* Puts the lists of cases together for one kind of gateway, and runs them in one world. */
#include "support/gateway_cases.h"

#include <string.h>

#define CASES_MAX 64

static enum gateway_kind chosen;

static int open_world(void **state)
{
	(void)state;
	gateway_world_open(chosen);
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	gateway_world_close();
	return 0;
}

int gateway_cases_run(enum gateway_kind kind)
{
	static struct CMUnitTest tests[CASES_MAX];
	const struct gateway_case *const lists[] = {gateway_visitor_cases, gateway_traffic_cases,
												gateway_outage_cases};
	size_t count = 0;
	chosen = kind;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (const struct gateway_case *each = lists[i]; each->test.name; each++) {
			if (each->kinds & 1u << kind && count < CASES_MAX)
				tests[count++] = each->test;
		}
	}
	return _cmocka_run_group_tests("gateway", tests, count, open_world, close_world);
}
