/* Crowd: wrload as a process of a test, and the report that it leaves.
 *
 *     struct crowd_process *crowd = crowd_start(stack, "default/demo",
 *         (const char *const[]){"--visitors=300", "--arrive-per-s=100", NULL});
 *     …
 *     crowd_await(crowd, 20000);
 *     assert_int_equal(crowd_count(crowd, "counts.lost"), 0);
 *     crowd_close(crowd);
 *
 * Functions fail the running test (cmocka) instead of returning errors.
 */
#ifndef SUPPORT_CROWD_H
#define SUPPORT_CROWD_H

#include <stdint.h>

#include "support/stack.h"

struct crowd_process;

/* Visitors of all pods that the stack has now; arguments as on the command line, ends in NULL.
 * Nobody vanishes, sleeps or leaves unless the arguments say so. gives; crowd_close() */
struct crowd_process *crowd_start(const struct stack *stack, const char *queue,
								  const char *const arguments[]);
/* The same at these addresses, ends in NULL: those of a gateway, for example. gives */
struct crowd_process *crowd_start_at(const char *const urls[], const char *queue,
									 const char *const arguments[]);
struct process *crowd_process(struct crowd_process *crowd); /* lends */

/* Waits until everybody is done, or ends it early; then reads the report. It must have found no
 * violation: any is printed and fails the test. */
void crowd_await(struct crowd_process *crowd, int deadline_ms);
void crowd_end(struct crowd_process *crowd, int deadline_ms);

/* Another phase of the report begins now. */
void crowd_next_phase(struct crowd_process *crowd);

/* A number of the report: "counts.joined", "latency_ms.enqueue.max", "phases.1.latency_ms.p99". */
double crowd_number(const struct crowd_process *crowd, const char *path);
int64_t crowd_count(const struct crowd_process *crowd, const char *path);
/* The whole report, for a message; lends. */
const char *crowd_report(const struct crowd_process *crowd);
/* Everybody got what the service promises whatever breaks: nobody lost or expired who polled. */
void crowd_expect_nobody_lost(const struct crowd_process *crowd);

void crowd_close(struct crowd_process *crowd);

#endif
