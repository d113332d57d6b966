/* Join rate: how many have joined lately, by key, in memory that does not grow.
 *
 * A sliding window of ten seconds from two counters a key. When all slots of a bucket are in use
 * the oldest goes, and its key counts as calm again: under a flood from more networks than there
 * are slots the difficulty becomes lower for each of them, while that of the queue rises.
 *
 * What     The numbers that the difficulty of challenges follows (challenge.h).
 * Used by  cmd/api, one a worker.
 * Threads  belongs to one thread.
 */
#ifndef WAITINGROOM_JOIN_RATE_H
#define WAITINGROOM_JOIN_RATE_H

#include <stdint.h>

struct join_rate;
struct join_rate *join_rate_new(uint32_t slots); /* gives */
void join_rate_free(struct join_rate *rate);
void join_rate_add(struct join_rate *rate, uint64_t key, int64_t now_ms);
uint64_t join_rate_per_minute(const struct join_rate *rate, uint64_t key, int64_t now_ms);

#endif
