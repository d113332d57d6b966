/* Pods: what each process of an installation tells about itself, every few seconds, through the
 * store.
 *
 * What     One table makes the struct, the row in the store, and GET /admin/v1/pods.
 * Used by  pod_reporter.c, cmd/api and cmd/admitter (write), cmd/api admin_pods and health (read), wrctl top.
 * Threads  any; plain data.
 */
#ifndef WAITINGROOM_PODS_H
#define WAITINGROOM_PODS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/text.h"

#define POD_INSTANCE_CHARS 63
#define POD_ROW_BYTES 2048 /* of its JSON, with NUL */
#define POD_MAX 512		   /* processes that are looked at */

/* T text (name, bytes with NUL), N number, B boolean; each with a sentence. */
#define POD_TABLE(T, N, B)                                                                         \
	N(seen_ms, "When it last reported, by the store's clock.")                                     \
	T(kind, 12, "api or admitter.")                                                                \
	T(instance, POD_INSTANCE_CHARS + 1, "Its name: WR_INSTANCE, or host name and process id.")     \
	T(version, 24, "Version of the program.")                                                      \
	T(address, 64, "Its internal address.")                                                        \
	N(started_ms, "When it started, by its own clock.")                                            \
	N(every_ms, "How often it reports.")                                                           \
	B(ready, "It has the queues (api) or the store (admitter).")                                   \
	B(draining, "It was asked to end.")                                                            \
	B(relay, "It helps to move events to NATS.")                                                   \
	B(nats, "Its relay has a connection to NATS.")                                                 \
	N(workers, "Threads that answer visitors.")                                                    \
	N(connections, "Open connections of visitors.")                                                \
	N(connections_max, "Most that it takes.")                                                      \
	N(requests_per_s, "Answers to visitors and gateways.")                                         \
	N(heartbeats_per_s, "Heartbeats among them.")                                                  \
	N(admitted_per_s, "People that this admitter let in.")                                         \
	N(steps_per_s, "Admission steps that this admitter did.")                                      \
	N(store_us, "Mean time of the store's answers since the last report.")                         \
	N(store_failures, "Store calls that failed since the last report.")                            \
	N(loop_ms, "Longest turn of a worker's loop in the last minute.")                              \
	N(clock_offset_ms, "The store's clock minus its own.")                                         \
	N(bugs, "Requests that ended in a bug of ours, since it started.")                             \
	N(places_lost, "Visitors whose place was not to be found, since it started.")                  \
	N(file_key_ms, "When something was last changed through it with a key of WR_ADMIN_KEYS_FILE.") \
	T(keys, 20, "Fingerprint of the keys that it signs and verifies with.")                        \
	T(settings, 20, "Fingerprint of the settings that all processes of a kind should share.")

struct pod_row {
#define POD_TEXT_FIELD(name, bytes, text) char name[bytes];
#define POD_NUMBER_FIELD(name, text) int64_t name;
#define POD_BOOL_FIELD(name, text) bool name;
	POD_TABLE(POD_TEXT_FIELD, POD_NUMBER_FIELD, POD_BOOL_FIELD)
#undef POD_TEXT_FIELD
#undef POD_NUMBER_FIELD
#undef POD_BOOL_FIELD
};

/* fills the members without braces and without seen_ms, which the store's script puts before
 * them */
void pod_row_print(const struct pod_row *row, char ret_members[POD_ROW_BYTES]);
/* The members of the row into an object that is open; with seen_ms. */
void pod_row_write(const struct pod_row *row, struct json_out *out);
/* false: not a row. Members that are missing are 0 or "" (a process of another version). */
bool pod_row_parse(const char *json, size_t len, struct pod_row *ret_row);

/* ---- how it is ---- */

#define POD_STATE_TABLE(X)                                                                         \
	X(POD_OK, "ok")                                                                                \
	X(POD_NOT_READY, "not ready")                                                                  \
	X(POD_DRAINING, "draining")                                                                    \
	X(POD_SILENT, "silent") /* it has not reported for POD_SILENT_REPORTS times its interval */
#define POD_STATE_ENUM(name, word) name,
enum pod_state { POD_STATE_TABLE(POD_STATE_ENUM) POD_STATE_COUNT };
#undef POD_STATE_ENUM
const char *pod_state_word(enum pod_state state);

#define POD_SILENT_REPORTS 3
#define POD_KEEP_REPORTS                                                                           \
	12 /* a row that was not renewed for so many times its interval is dropped */

/* now_ms: the store's clock */
enum pod_state pod_row_state(const struct pod_row *row, int64_t now_ms);

/* Per second, rounded to the next, from two readings of a counter. */
int64_t pod_rate(uint64_t before, uint64_t after, int64_t ms);

#endif
