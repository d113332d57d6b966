/* Calibration: probes are sent down the line, and their waits compared with what was predicted.
 *
 * There is room for a few dozen. When it is used up every second probe is dropped and the next ones
 * come half as often, so that a wait of hours is sampled over its whole length; once the old ones
 * are through, the gap shrinks again.
 */
#include "waitingroom/calibration.h"

#include <string.h>

const double calibration_bounds[CALIBRATION_BOUNDS] = {0.25, 0.5, 0.7, 0.8, 0.9,
													   1.1,	 1.2, 1.4, 2.0, 4.0};

void calibration_add(struct calibration_counts *sum, const struct calibration_counts *more)
{
	for (size_t i = 0; i <= CALIBRATION_BOUNDS; i++)
		sum->ratio[i] += more->ratio[i];
	sum->ratio_sum += more->ratio_sum;
	sum->within += more->within;
	sum->early += more->early;
	sum->late += more->late;
}

static void thin_out(struct calibration *calibration)
{
	size_t kept = 0;
	for (size_t i = 0; i < calibration->probe_count; i += 2)
		calibration->probes[kept++] = calibration->probes[i];
	calibration->probe_count = kept;
	calibration->gap_ms *= 2;
}

/* People in line before the ticket; 0 as well when the index does not know it (any more). */
static uint64_t people_before(const struct position_index *index, uint64_t ticket)
{
	struct index_answer answer;
	if (position_index_find(index, ticket, &answer) != WR_OK)
		return 0;
	return answer.position - 1;
}

void calibration_ask(struct calibration *calibration, int64_t now_ms,
					 const struct position_index *index, const struct wait_model *model)
{
	uint64_t ticket = position_index_last(index);
	size_t count = calibration->probe_count;
	if (!model->known || ticket == 0)
		return;
	if (count > 0) {
		const struct calibration_probe *last = &calibration->probes[count - 1];
		if (last->ticket == ticket || now_ms - last->at_ms < calibration->gap_ms)
			return;
	}
	uint64_t ahead = people_before(index, ticket);
	double mean_s = wait_mean_s(model, ahead);
	if (mean_s < CALIBRATION_SHORTEST_S)
		return;
	if (count == 0)
		calibration->gap_ms = CALIBRATION_GAP_MS;
	if (count == CALIBRATION_PROBES)
		thin_out(calibration);
	struct wait_range range = wait_estimate(model, ahead);
	calibration->probes[calibration->probe_count++] =
		(struct calibration_probe){.ticket = ticket,
								   .at_ms = now_ms,
								   .mean_s = mean_s,
								   .low_s = range.low_s,
								   .high_s = range.high_s};
}

static void judge(struct calibration_counts *counts, const struct calibration_probe *probe,
				  int64_t now_ms)
{
	double actual_s = (double)(now_ms - probe->at_ms) / 1000;
	double ratio = actual_s / probe->mean_s;
	size_t bound = 0;
	while (bound < CALIBRATION_BOUNDS && ratio > calibration_bounds[bound])
		bound++;
	counts->ratio[bound]++;
	counts->ratio_sum += ratio;
	if (actual_s < (double)probe->low_s)
		counts->early++;
	else if (actual_s > (double)probe->high_s)
		counts->late++;
	else
		counts->within++;
}

/* Tickets rise from probe to probe, so those whose turn has come stand at the beginning. */
void calibration_check(struct calibration *calibration, int64_t now_ms,
					   const struct position_index *index)
{
	size_t through = 0;
	while (through < calibration->probe_count &&
		   people_before(index, calibration->probes[through].ticket) == 0)
		judge(&calibration->counts, &calibration->probes[through++], now_ms);
	calibration->probe_count -= through;
	memmove(calibration->probes, calibration->probes + through,
			calibration->probe_count * sizeof(calibration->probes[0]));
	if (through > 0 && calibration->probe_count < CALIBRATION_PROBES / 4 &&
		calibration->gap_ms > CALIBRATION_GAP_MS)
		calibration->gap_ms /= 2;
}

void calibration_forget(struct calibration *calibration)
{
	calibration->probe_count = 0;
}
