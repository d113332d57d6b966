/* A blocking connection to a private Redis, and the scripts of lib/store run on it one at a time.
 *
 * The scripts take the time from the store. Here each call says what time it is: the text of the
 * prelude that reads TIME is replaced by one that reads the second key, which no script uses. So a
 * test moves hours in no time, and a reply can be compared to the millisecond. Real time goes on
 * for what Redis itself expires (leases, places that ended).
 *
 * With WR_SCRIPT_HOST=lua5.1 or lua5.4 the scripts run unchanged in that interpreter, by rules that
 * are stricter than those of Redis (support/script_host.h), and their commands on the same Redis.
 *
 * Functions fail the running test instead of returning errors. One thread.
 */
#ifndef SUPPORT_REDIS_H
#define SUPPORT_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

struct redis_server;
struct redis_client;

struct redis_client *redis_client_new(const struct redis_server *server); /* gives */
/* With the scripts in this interpreter. gives */
struct redis_client *redis_client_new_hosted(const struct redis_server *server,
											 const char *interpreter);
void redis_client_free(struct redis_client *client);

/* Any command, in the printf style of hiredis. An error reply fails the test.
 * gives; freeReplyObject() */
redisReply *redis_run(struct redis_client *client, const char *format, ...);
redisReply *redis_run_argv(struct redis_client *client, size_t argc, const char *const argv[]);

/* The same with one answer: a number (also one in text; nil is 0), or a text (nil is NULL;
 * free()). */
int64_t redis_number(struct redis_client *client, const char *format, ...);
char *redis_text(struct redis_client *client, const char *format, ...);

/* The store is lost in the middle of the next script, after so many writes, and a replica that has
 * those goes on. Only with an interpreter. The script's reply is an error that ends in "cut". */
void redis_cut_after(struct redis_client *client, int writes);

/* Runs lib/store/scripts/<name>.lua. now_ms 0: by the clock of the store. gives;
 * freeReplyObject() */
redisReply *redis_script(struct redis_client *client, const char *name, const char *settings_key,
						 int64_t now_ms, size_t argc, const char *const argv[]);

#endif
