/* One Redis, and a client that runs scripts on it, for all tests of a program.
 *
 *     return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
 *
 * Tests keep out of each other's way by queues of their own: room_open(client, …).
 */
#ifndef SUPPORT_SHARED_REDIS_H
#define SUPPORT_SHARED_REDIS_H

#include "support/redis.h"

/* From shared_redis_open to shared_redis_close. */
extern struct redis_server *server;
extern struct redis_client *client;

/* For cmocka; they do not look at state. */
int shared_redis_open(void **state);
int shared_redis_close(void **state);

#endif
