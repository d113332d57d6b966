/* Order: admissions that could be somebody's overtaking.
 *
 * A question names a moment and asks for the youngest place among all admissions noticed before
 * it. So only admissions matter that are younger than every one noticed earlier: the records. They
 * ascend in both times, the answer to a question is the last record before the moment, and that is
 * found by halving. In a fair line nearly every admission is a record, and old ones are dropped
 * from the front, all but the one that still answers questions about the oldest moment.
 */
#include "order.h"

#include "waitingroom/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void order_fini(struct order *order)
{
	free(order->records);
	*order = (struct order){0};
}

void order_admitted(struct order *order, const struct order_admission *admission)
{
	size_t end = order->first + order->count;
	if (order->count) {
		const struct order_admission *last = &order->records[end - 1];
		assert(admission->noticed_ms >= last->noticed_ms);
		if (admission->joined_ms <= last->joined_ms)
			return;
	}
	if (end == order->room) {
		order->room = order->room ? order->room * 2 : 256;
		order->records = mem_grow(order->records, order->room, sizeof(*order->records));
	}
	order->records[end] = *admission;
	order->count++;
}

/* How many records were noticed before 'ms'. */
static size_t records_before(const struct order *order, int64_t ms)
{
	size_t low = 0, high = order->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (order->records[order->first + middle].noticed_ms < ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct order_admission *order_youngest(const struct order *order, int64_t noticed_before_ms)
{
	size_t before = records_before(order, noticed_before_ms);
	return before ? &order->records[order->first + before - 1] : NULL;
}

void order_forget(struct order *order, int64_t ms)
{
	size_t before = records_before(order, ms);
	if (before < 2)
		return;
	order->first += before - 1;
	order->count -= before - 1;
	if (order->first > order->count) { /* moving is paid for by what was dropped */
		memmove(order->records, order->records + order->first,
				order->count * sizeof(*order->records));
		order->first = 0;
	}
}
