/* Waiting for a condition with a deadline: what tests do instead of sleeping.
 *
 *     WAIT_UNTIL(2000, queue_length(q) == 3, "three people in line");
 *
 * Looks every few milliseconds. Fails the test with 'what' when the deadline passes, and at once
 * when a process that the test started has died unasked. Deadlines are multiplied by
 * WR_TEST_SLOWNESS, which sanitizer builds set.
 */
#ifndef SUPPORT_WAIT_H
#define SUPPORT_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "waitingroom/clock.h"

#define WAIT_UNTIL(deadline_ms, condition, what)                                                   \
	do {                                                                                           \
		struct mono_time wait_end_ = wait_deadline(deadline_ms);                                   \
		while (!(condition))                                                                       \
			wait_a_little(wait_end_, (deadline_ms), (what), __FILE__, __LINE__);                   \
	} while (0)

/* The moment 'ms' from now, times WR_TEST_SLOWNESS. */
struct mono_time wait_deadline(int64_t ms);

/* Milliseconds left for poll(2); 0 when it is over. */
int wait_left_ms(struct mono_time deadline);

/* For WAIT_UNTIL. */
void wait_a_little(struct mono_time deadline, int64_t deadline_ms, const char *what,
				   const char *file, int line);

#endif
