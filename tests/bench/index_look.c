/* index_look: what a look into the position index costs, at 1 thousand and at 10 million tickets.
 *
 * Random tickets, a third of them gone at random. Prints one JSON object.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "waitingroom/clock.h"
#include "waitingroom/pacing.h"
#include "waitingroom/position_index.h"

#define LOOKS 5000000
#define TICKETS_AT_ONCE                                                                            \
	4096 /* random tickets made beforehand, so that making them is not measured */

static double look_ns(uint64_t tickets, size_t *ret_bytes)
{
	struct position_index *index = position_index_new();
	uint64_t state = 88172645463325252u, sum = 0;
	static uint64_t wanted[TICKETS_AT_ONCE];
	position_index_set_last(index, tickets);
	for (uint64_t t = 1; t <= tickets; t++) {
		struct ticket_range range = {t, t};
		if (jitter_next(&state) % 3 == 0 && position_index_apply(index, &range, 1) != WR_OK)
			abort();
	}
	for (size_t i = 0; i < TICKETS_AT_ONCE; i++)
		wanted[i] = 1 + ((uint64_t)jitter_next(&state) << 32 | jitter_next(&state)) % tickets;
	struct mono_time began = clock_mono();
	for (size_t i = 0; i < LOOKS; i++) {
		struct index_answer answer = {.position = 0};
		if (position_index_find(index, wanted[i % TICKETS_AT_ONCE], &answer) != WR_OK)
			abort();
		sum += answer.position;
	}
	double ns = (double)(clock_mono().ns - began.ns) / LOOKS;
	if (sum == 0)
		abort(); /* and the compiler may not drop the loop */
	*ret_bytes = position_index_bytes(index);
	position_index_free(index);
	return ns;
}

int main(void)
{
	size_t small_bytes = 0, large_bytes = 0;
	double small_ns = look_ns(1000, &small_bytes);
	double large_ns = look_ns(10000000, &large_bytes);
	printf("{\"look_1k_ns\":%.1f,\"look_10m_ns\":%.1f,\"bytes_per_ticket\":%.4f}\n", small_ns,
		   large_ns, (double)large_bytes / 1e7);
	return 0;
}
