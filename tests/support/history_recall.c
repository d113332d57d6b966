/* Steps of random histories that operators take: support puts somebody back, more often than not
 * somebody who is lost; and the line is emptied, in steps between which others join.
 */
#include "support/dice.h"
#include "support/history.h"

#include <string.h>

static bool one_in(uint64_t n)
{
	return dice(n) == 0;
}

void history_recall(struct history *history)
{
	struct history_person *person = &history->people[dice(HISTORY_PEOPLE)];
	for (int i = 0; i < 20 && !place_state_is_terminal(person->told); i++)
		person = &history->people[dice(HISTORY_PEOPLE)];
	struct admission_token token = {
		.id = one_in(33) ? "nobody" : person->id, .lane = -1, .epoch = ""};
	/* Nobody has a token that names the ticket of somebody else. */
	bool is_of_this_life =
		token.id == person->id && strcmp(person->epoch, history->twin->model->epoch) == 0;
	if (person->has_token && is_of_this_life && one_in(2)) {
		token.lane = one_in(20) ? -1 : person->lane;
		token.ticket = person->ticket + (one_in(20) ? 1000 : 0);
		token.joined_ms = person->joined_ms;
	}
	struct admission_recalled recalled;
	twin_recall(history->twin, &token, &recalled);
	if (recalled.outcome == ADMISSION_RECALLED && recalled.front)
		history_mark(MARK_RECALLED_FRONT);
	history_check_events(history, false);
}

void history_empty(struct history *history)
{
	const struct admission *model = history->twin->model;
	struct admission_emptied emptied = {.more = true};
	uint64_t bound[QUEUE_LANES_MAX] = {0};
	for (size_t i = 0; i < model->settings.lane_count; i++)
		bound[i] = one_in(2) ? model->lanes[i].ticket : dice(model->lanes[i].ticket + 1);
	for (int i = 0; emptied.more && i < 4; i++) {
		twin_empty(history->twin, one_in(2) ? 500 : 1 + dice(4), bound, &emptied);
		history_check_events(history, false);
		twin_compare(history->twin);
	}
}
