/* The desk of those who operate queues: what is done to queues of the tenant "default", and what
 * came of it.
 *
 *     desk_make_queue("sale", "{\"state\":\"hold\"}");
 *     desk_expect("PATCH", "sale", "If-Match: \"1\"\r\n", "{\"burst\":3}", 200, NULL);
 *     assert_int_equal(desk_setting("sale", "burst"), 3);
 *
 * Two pods and an admitter in shared_stack.h; the relay is off, so that events stay where they can
 * be looked at. Pod 0 is told, pod 1 is asked.
 */
#ifndef SUPPORT_DESK_H
#define SUPPORT_DESK_H

#include "support/api.h"
#include "support/shared_stack.h"

#define DESK_KEY_HEADER "Authorization: Bearer " API_ADMIN_KEY "\r\n"
/* An operator's key beside that of all tests, which is an admin's. */
#define DESK_OPERATOR_KEY "wrk_operator-for-tests"

int desk_open(void **state); /* for cmocka; does not look at state */

/* path: what stands behind "/admin/v1/queues/default/"; headers besides the key, or NULL. gives */
struct http_answer *desk_ask(int pod, const char *method, const char *path, const char *headers,
							 const char *body);
/* The same at pod 0: it must answer so; code: of the problem, NULL when it is none. */
void desk_expect(const char *method, const char *path, const char *headers, const char *body,
				 int status, const char *code);

/* A queue that both pods know. */
void desk_make_queue(const char *name, const char *settings);
/* As GET says; the version also in its ETag. */
int64_t desk_version(const char *name);
int64_t desk_setting(const char *name, const char *member);
/* Is the text in what a pod tells visitors of the queue? */
bool desk_pod_shows(int pod, const char *name, const char *text);

#endif
