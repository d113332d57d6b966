/* A Lua outside Redis that runs the scripts of lib/store by the rules of every store.
 *
 * The interpreter is a child process (script_host.lua); what its scripts call goes to the Redis of
 * the caller. lua5.1 stands for Redis and Valkey, lua5.4 for DragonflyDB.
 */
#ifndef SUPPORT_SCRIPT_HOST_H
#define SUPPORT_SCRIPT_HOST_H

#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

struct script_host;

struct script_host *script_host_start(const char *interpreter); /* gives */
void script_host_stop(struct script_host *host);				/* waits for its coverage */

/* The reply of the script; an error reply when the script broke a rule or failed, also by a cut.
 * gives; freeReplyObject() */
redisReply *script_host_run(struct script_host *host, redisContext *context, const char *name,
							const char *text, const char *settings_key, int64_t now_ms, size_t argc,
							const char *const argv[]);

/* The next run ends before its write number 'writes' + 1, as a store that was lost there:
 * a replica has the prefix. Negative: runs to its end. */
void script_host_cut_after(struct script_host *host, int writes);

#endif
