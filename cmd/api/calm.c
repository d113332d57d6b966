/* Calm: a queue that nobody is in is asked about in every other round.
 *
 *     answers say: nobody in line, on the site, set aside or under way, and nothing
 *     has happened, for CALM_AFTER rounds in a row          ─► every other round
 *     a request about the queue goes from here to the store ─► every round again
 *     an answer says anything else                          ─► every round again
 *
 * Most queues of a big installation are empty most of the time, and asking about them is what they
 * cost the store. A change of settings is still seen within a second. Whoever joins by another
 * pod has the first poll a second later, when this pod has looked; an earlier one is answered by
 * the store, as that of every ticket that a picture does not know.
 */
#include "calm.h"

#define CALM_AFTER 8
#define CALM_ROUNDS 2 /* one in so many */

void calm_astir(struct app *app, uint32_t slot)
{
	if (!atomic_load_explicit(&app->astir[slot], memory_order_relaxed))
		atomic_store_explicit(&app->astir[slot], true, memory_order_relaxed);
}

void calm_note(struct followed *followed, const struct synced *answer)
{
	bool calm = answer->active == 0 && answer->absent == 0 && answer->returned == 0 &&
				answer->outbox_length == 0 && answer->departure_count == 0 &&
				answer->revocation_count == 0 && !answer->recovering && !answer->has_settings;
	for (size_t i = 0; i < answer->lane_count; i++)
		calm = calm && answer->lanes[i].ticket == answer->lanes[i].gone;
	followed->calm_rounds = calm ? followed->calm_rounds + 1 : 0;
}

/* Pictures must stay well below the age at which answers from them are called stale (place.c). */
static bool is_fresh_enough(const struct config *config, const struct queue_settings *settings)
{
	int64_t age_ms = CALM_ROUNDS * config->sync_interval_ms;
	int64_t stale_ms = settings->poll_min_ms < config->stale_after_ms ? settings->poll_min_ms
																	  : config->stale_after_ms;
	return 2 * age_ms <= stale_ms;
}

bool calm_may_wait(struct app *app, struct followed *followed, uint64_t round)
{
	if (atomic_exchange_explicit(&app->astir[followed->slot], false, memory_order_relaxed))
		followed->calm_rounds = 0;
	return followed->calm_rounds >= CALM_AFTER && followed->settings != NULL &&
		   is_fresh_enough(&app->config, followed->settings) &&
		   (round + followed->slot) % CALM_ROUNDS != 0; /* half of the queues each time */
}
