/* Access log: one line per request, but one in so many of those that went well.
 *
 *     {"event.action":"request","http.request.method":"POST","http.route":"/heartbeat",
 *      "http.response.status_code":200,"event.duration":81000,"http.request.id":"…",
 *      "client.address":"192.0.2.0","wr.stands_for":1000, …}
 *
 * What     Route templates instead of paths, networks instead of addresses. A request that is not
 *          written costs a counter and a branch. Refused requests are written, WR_LOG_LINES_PER_S of them.
 * Used by  cmd/api.
 * Threads  one access log per server; it belongs to the thread of the server's loop.
 */
#ifndef WAITINGROOM_ACCESS_LOG_H
#define WAITINGROOM_ACCESS_LOG_H

#include "waitingroom/router.h"

#define ACCESS_LOG_TABLE(X)                                                                        \
	X(ACCESS_LOG_OFF, "off")                                                                       \
	X(ACCESS_LOG_ERRORS, "errors")                                                                 \
	X(ACCESS_LOG_SAMPLED, "sampled")                                                               \
	X(ACCESS_LOG_ALL, "all")
#define ACCESS_LOG_ENUM(id, word) id,
enum access_log_mode { ACCESS_LOG_TABLE(ACCESS_LOG_ENUM) };
#undef ACCESS_LOG_ENUM

bool access_log_mode_parse(const char *word, enum access_log_mode *ret_mode);

struct access_log_options {
	enum access_log_mode mode;
	uint32_t one_in;		   /* with ACCESS_LOG_SAMPLED; at least 1 */
	const char *never_sampled; /* prefix of routes whose requests are all written; NULL */
	const struct chain *chain; /* keeps; knows the routes */
	const struct trusted_proxies *proxies; /* keeps; may be NULL */
};

/* gives; NULL when the mode is off. */
struct access_log *access_log_new(const struct access_log_options *options);
void access_log_free(struct access_log *log); /* after the server that uses it */

#endif
