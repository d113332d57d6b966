/* One Redis for all tests of a program: started before the first, ended behind the last. */
#include "support/shared_redis.h"

#include "support/servers.h"

struct redis_server *server;
struct redis_client *client;

int shared_redis_open(void **state)
{
	(void)state;
	server = redis_start(NULL);
	client = redis_client_new(server);
	return 0;
}

int shared_redis_close(void **state)
{
	(void)state;
	redis_client_free(client);
	redis_free(server);
	return 0;
}
