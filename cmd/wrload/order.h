/* Order: was anybody let in ahead of somebody who had joined before?
 *
 * What     Remembers admissions in the order in which they were noticed, and finds, for somebody
 *          who still waits, the youngest of them. Pure; times in ms of one clock.
 * Used by  checker.
 * Threads  one.
 */
#ifndef WRLOAD_ORDER_H
#define WRLOAD_ORDER_H

#include <stddef.h>
#include <stdint.h>

#define ORDER_ID_BYTES 64

struct order_admission {
	int64_t noticed_ms; /* when the answer that said so had come */
	int64_t joined_ms;	/* when the enqueue was first called: the place is younger than this */
	char position_id[ORDER_ID_BYTES];
};

struct order { /* zero-filled is a valid start */
	struct order_admission *records;
	size_t first, count, room;
};

void order_fini(struct order *order);

/* noticed_ms must not decrease from call to call. */
void order_admitted(struct order *order, const struct order_admission *admission);

/* Who joined last of all who were noticed before 'noticed_before_ms', or NULL. Lends until the next
 * order_admitted or order_forget. */
const struct order_admission *order_youngest(const struct order *order, int64_t noticed_before_ms);

/* Nobody will ask about moments before 'ms' any more. */
void order_forget(struct order *order, int64_t ms);

#endif
