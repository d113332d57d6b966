/* What visitors and operators do with waitingroom-api, in one line each, for tests.
 *
 *     WR_AUTO(mem_free_at) char *token = api_join(stack_url(stack, 0), "demo");
 *     WR_AUTO(http_answer_free_at) struct http_answer *answer = api_poll(url, "/heartbeat", token);
 *     api_expect_problem(answer, 410, "place_left");
 *
 * Functions fail the running test (cmocka) instead of returning errors.
 */
#ifndef SUPPORT_API_H
#define SUPPORT_API_H

#include <stdbool.h>
#include <stdint.h>

#include "support/http.h"
#include "support/stack.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- queues and keys, for stack_options ---- */

/* QUEUES(QUEUE("demo", HELD) "," QUEUE("default/vip", "\"capacity\":0")) */
#define QUEUE(name, members) "{\"queue\":\"" name "\"," members "}"
#define QUEUES(list) "{\"queues\":[" list "]}"
/* Everybody waits until an operator lets them in. */
#define HELD "\"state\":\"hold\""
/* For 'env': tests poll faster than any visitor may. */
#define NO_RATE_LIMITS "WR_REQUESTS_PER_ADDRESS=0", "WR_REQUESTS_PER_NETWORK=0"

#define API_ADMIN_KEY "wrk_for-tests-only"
#define API_ADMIN_KEYS_FILE                                                                        \
	"{\"keys\":[{\"id\":\"tests\",\"sha256\":"                                                     \
	"\"25b50f23f69d4e4a8f2581fd98cda6581906c3471981512c1b33ca9080e32e8f\"}]}"

/* ---- visitors ---- */

/* POST /enqueue {"queue_id":queue}; key NULL: no Idempotency-Key. gives */
struct http_answer *api_enqueue(const char *url, const char *queue, const char *key);
/* A new place in line; gives its token. */
char *api_join(const char *url, const char *queue);
/* The same with all that the answer says: 201 and "waiting". gives */
struct http_answer *api_join_answer(const char *url, const char *queue);
/* GET for /status, otherwise POST, with the token as bearer. gives */
struct http_answer *api_poll(const char *url, const char *path, const char *token);
void api_send_poll(struct http_client *client, const char *path, const char *token);
/* Polls /status until it is answered with this code (of a problem) or status (of a place). */
void api_await(const char *url, const char *token, int deadline_ms, const char *word);
/* Until the pod's own picture has the place: then it tells the position without asking the
 * store. */
void api_await_position(const struct stack *stack, int pod, const char *token);
/* A place that counts as present: a heartbeat of it is in the store. gives its token */
char *api_join_present(struct stack *stack, int pod, const char *queue);

/* Status, content type, code and request id of an RFC 9457 answer. */
void api_expect_problem(const struct http_answer *answer, int status, const char *code);
void api_expect_status(const struct http_answer *answer, int status);
/* Status 200 or 201 and the member "status" of a place. */
void api_expect_place(const struct http_answer *answer, const char *status);
/* Exactly these members, each of one of the types s(tring), n(umber), b(oolean), o(bject), a(rray),
 * 0 (null): "status:s estimated_wait_s:o0". */
void api_expect_members(const struct http_answer *answer, const char *members);

/* ---- operators ---- */

/* With API_ADMIN_KEY; path behind "/admin/v1/queues". body NULL: none. gives */
struct http_answer *api_admin(const struct stack *stack, int pod, const char *method,
							  const char *path, const char *body);
/* The same with another key and the whole path. gives */
struct http_answer *api_admin_as(const struct stack *stack, int pod, const char *key,
								 const char *method, const char *path, const char *body);
/* A queue can only be made in a tenant that there is; "default" always is. */
void api_make_tenant(const struct stack *stack, const char *tenant);
/* tenant "*": all of them. Fills the id (may be NULL); gives the key */
char *api_make_key(const struct stack *stack, const char *role, const char *tenant, char ret_id[9]);
/* A new queue, "tenant/queue", that every pod knows. settings: JSON */
void api_make_queue(const struct stack *stack, const char *queue, const char *settings);
/* Until every pod knows a queue that was just made. */
void api_await_queue(const struct stack *stack, const char *queue);
/* Is the text in what a pod tells visitors of the queue? */
bool api_pod_shows(const struct stack *stack, int pod, const char *queue, const char *text);
/* Lets 'count' people in; all of them must be there. queue "default/demo" */
void api_admit(const struct stack *stack, const char *queue, int count);

/* ---- the store ---- */

/* A number that a command replies; INT64_MIN for nil. */
int64_t api_store_number(struct stack *stack, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Score of a place in wr:{queue}:heartbeats: negative until its first heartbeat; INT64_MIN: none */
int64_t api_score(struct stack *stack, const char *queue, const char *position_id);
/* A hash of everything that is stored but clocks, leases, and who is there; gives */
char *api_store_digest(struct stack *stack);

/* "sub" of a token: the place that it names; not verified. gives */
char *api_position_id(const char *token);

#endif
