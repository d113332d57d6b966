/* One client of the store for all tests of a program, with a Redis of its own. */
#include "support/shared_ask.h"

#include "support/cmocka.h"
#include "support/servers.h"

static struct redis_server *redis;
struct ask *ask;

int shared_ask_open(void **state)
{
	(void)state;
	redis = redis_start(NULL);
	ask = ask_open(redis_url(redis), NULL);
	return 0;
}

int shared_ask_close(void **state)
{
	(void)state;
	ask_close(ask);
	redis_free(redis);
	return 0;
}

int shared_ask_empty(void **state)
{
	(void)state;
	assert_int_equal(ask_do(ask, "FLUSHALL")->err, WR_OK);
	return 0;
}

const char *shared_ask_url(void)
{
	return redis_url(redis);
}
