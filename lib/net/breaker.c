/* Circuit breaker.
 *
 * Questions that were let through while it was closed may still fail after it has opened; they
 * change nothing then, and a success of one of them closes it: somebody is there.
 */
#include "breaker.h"

bool breaker_is_closed_or_due(const struct breaker *breaker, struct mono_time now)
{
	return breaker->pause_ms == 0 ||
		   (!breaker->on_trial && mono_diff_ms(breaker->open_until, now) >= 0);
}

bool breaker_try(struct breaker *breaker, struct mono_time now)
{
	if (!breaker_is_closed_or_due(breaker, now))
		return false;
	breaker->on_trial = breaker->pause_ms != 0;
	return true;
}

static void open_for(struct breaker *breaker, struct mono_time now, int64_t pause_ms)
{
	breaker->pause_ms = pause_ms < BREAKER_PAUSE_MOST_MS ? pause_ms : BREAKER_PAUSE_MOST_MS;
	breaker->open_until = mono_add_ms(now, breaker->pause_ms);
	breaker->on_trial = false;
}

void breaker_done(struct breaker *breaker, struct mono_time now, bool succeeded)
{
	if (succeeded) {
		breaker->failures = 0;
		breaker->pause_ms = 0;
		breaker->on_trial = false;
		return;
	}
	if (breaker->failures < BREAKER_FAILURES)
		breaker->failures++;
	if (breaker->pause_ms == 0 && breaker->failures >= BREAKER_FAILURES) {
		breaker->opened++;
		open_for(breaker, now, BREAKER_PAUSE_MS);
	} else if (breaker->on_trial) {
		open_for(breaker, now, 2 * breaker->pause_ms);
	}
}
