/* What every gateway in front of a site must do, one list for all of them.
 *
 *     int main(void) { return gateway_cases_run(GATEWAY_NGINX); }
 */
#ifndef SUPPORT_GATEWAY_CASES_H
#define SUPPORT_GATEWAY_CASES_H

#include "support/gateway_world.h"

/* Which gateways a case is for. The offline one asks nobody, so it cannot know what has been
 * revoked, bypass rules, or what the queue is set to. */
#define FOR_ALL 0xfu
#define FOR_ASKING (FOR_ALL & ~(1u << GATEWAY_HAPROXY_OFFLINE))

struct gateway_case {
	struct CMUnitTest test;
	unsigned kinds;
};
#define GATEWAY_CASE(function, for_kinds)                                                          \
	{                                                                                              \
		.test = cmocka_unit_test(function), .kinds = (for_kinds)                                   \
	}

/* The lists; each ends in a case without a name. Outages come last. */
extern const struct gateway_case gateway_visitor_cases[], gateway_traffic_cases[],
	gateway_outage_cases[];

int gateway_cases_run(enum gateway_kind kind);

#endif
