/* One pod for the tests of wrctl. */
#include "support/ctl_room.h"

#include "support/api.h"

int ctl_room_open(void **state)
{
	(void)state;
	stack = stack_start(
		&(struct stack_options){.pods = 1,
								.without_nats = true,
								.admin_keys = API_ADMIN_KEYS_FILE,
								.queues = QUEUES(QUEUE("demo", HELD)),
								.env = (const char *const[]){NO_RATE_LIMITS, "WR_RELAY=0", NULL}});
	return 0;
}

struct ctl at_the_pod(void)
{
	return (struct ctl){.url = stack_internal_url(stack, 0)};
}
