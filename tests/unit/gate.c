/* Gate: who passes, who is told what, and how many during an outage. */
#include "waitingroom/gate.h"

#include "support/cmocka.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define NOW_S INT64_C(1000000)
#define NOW ((struct wall_time){.ms = NOW_S * 1000})

static struct queue_snapshot picture(void)
{
	return (struct queue_snapshot){.epoch = "now", .lost_epochs = "lost"};
}

static struct session_claims claims(const char *epoch, int64_t issued_s, int64_t expires_s)
{
	struct session_claims claims = {.issued_s = issued_s, .expires_s = expires_s};
	strcpy(claims.epoch, epoch);
	return claims;
}

/* ---- decisions ---- */

static enum gate_decision decide(struct gate_facts facts)
{
	return gate_decide(&facts);
}

static void a_session_passes_in_every_state(void **state)
{
	(void)state;
	for (int i = 0; i < QUEUE_STATE_COUNT; i++)
		assert_int_equal(decide((struct gate_facts){.session_is_good = true,
													.bypass_rule = -1,
													.state = (enum queue_state)i}),
						 GATE_ADMITTED);
}

static void without_a_session_only_passthrough_passes(void **state)
{
	(void)state;
	for (int i = 0; i < QUEUE_STATE_COUNT; i++)
		assert_int_equal(
			decide((struct gate_facts){.bypass_rule = -1, .state = (enum queue_state)i}),
			i == QUEUE_PASSTHROUGH ? GATE_PASSTHROUGH : GATE_ROOM);
}

static void a_rule_passes_before_the_queue_is_asked(void **state)
{
	(void)state;
	assert_int_equal(decide((struct gate_facts){.bypass_rule = 0}), GATE_BYPASS);
	assert_int_equal(decide((struct gate_facts){.bypass_rule = 31, .may_open = true}), GATE_BYPASS);
	assert_int_equal(decide((struct gate_facts){.bypass_rule = 3, .session_is_good = true}),
					 GATE_ADMITTED);
}

static void an_outage_opens_only_for_those_who_would_wait(void **state)
{
	(void)state;
	assert_int_equal(decide((struct gate_facts){.bypass_rule = -1, .may_open = true}), GATE_OPEN);
	assert_int_equal(
		decide((struct gate_facts){.bypass_rule = -1, .may_open = true, .session_is_good = true}),
		GATE_ADMITTED);
}

static void a_pass_is_redeemed_even_where_a_rule_would_pass(void **state)
{
	(void)state;
	assert_int_equal(
		decide((struct gate_facts){
			.has_pass = true, .pass_is_good = true, .bypass_rule = 0, .state = QUEUE_PASSTHROUGH}),
		GATE_REDEEM);
}

static void a_pass_beside_a_session_is_taken_out_and_not_spent(void **state)
{
	(void)state;
	struct gate_facts facts = {.has_pass = true,
							   .pass_is_good = true,
							   .session_is_good = true,
							   .can_strip = true,
							   .bypass_rule = -1};
	assert_int_equal(gate_decide(&facts), GATE_STRIP);
	facts.can_strip = false; /* nowhere to redirect to: the visitor must not go round in circles */
	assert_int_equal(gate_decide(&facts), GATE_ADMITTED);
}

static void a_bad_pass_is_as_none(void **state)
{
	(void)state;
	struct gate_facts facts = {.has_pass = true, .can_strip = true, .bypass_rule = -1};
	assert_int_equal(gate_decide(&facts), GATE_ROOM);
	facts.bypass_rule = 2;
	assert_int_equal(gate_decide(&facts), GATE_BYPASS);
}

static void only_four_decisions_pass(void **state)
{
	(void)state;
	int passing = 0;
	for (int i = 0; i < GATE_DECISION_COUNT; i++)
		passing += gate_decision_passes((enum gate_decision)i);
	assert_int_equal(passing, 4);
	assert_false(gate_decision_passes(GATE_ROOM));
	assert_false(gate_decision_passes(GATE_REDEEM));
	assert_false(gate_decision_passes(GATE_STRIP));
}

/* ---- sessions ---- */

static void a_session_of_this_life_or_the_lost_one_is_good(void **state)
{
	(void)state;
	struct queue_snapshot now = picture();
	struct session_claims session = claims("now", NOW_S - 10, NOW_S + 10);
	assert_int_equal(gate_session_judge(&session, &now, NOW), GATE_SESSION_GOOD);
	session = claims("lost", NOW_S - 10, NOW_S + 10);
	assert_int_equal(gate_session_judge(&session, &now, NOW), GATE_SESSION_GOOD);
}

static void a_session_of_a_deleted_queue_is_not(void **state)
{
	(void)state;
	struct queue_snapshot now = picture();
	struct session_claims session = claims("before", NOW_S - 10, NOW_S + 10);
	assert_int_equal(gate_session_judge(&session, &now, NOW), GATE_SESSION_OTHER_LIFE);
	session = claims("", NOW_S - 10, NOW_S + 10);
	now.lost_epochs[0] = '\0'; /* nothing was lost: no epoch is not that epoch */
	assert_int_equal(gate_session_judge(&session, &now, NOW), GATE_SESSION_OTHER_LIFE);
}

static void a_session_ends_a_leeway_after_its_time(void **state)
{
	(void)state;
	struct queue_snapshot now = picture();
	struct session_claims session = claims("now", NOW_S - 100, NOW_S - TOKEN_LEEWAY_S + 1);
	assert_int_equal(gate_session_judge(&session, &now, NOW), GATE_SESSION_GOOD);
	session.expires_s--;
	assert_int_equal(gate_session_judge(&session, &now, NOW), GATE_SESSION_EXPIRED);
}

static void a_session_that_was_ended_is_refused_and_no_other(void **state)
{
	(void)state;
	struct queue_snapshot now = picture();
	struct revocations *revocations = revocations_new();
	struct session_claims session = claims("now", NOW_S - 10, NOW_S + 10);
	now.revocations = revocations;
	strcpy(session.position_id, "AAAAAAAAAAAAAAAA");
	if (!revocations_add_session(revocations, "AAAAAAAAAAAAAAAA", NOW_S + 100)) {
		size_t dropped;
		struct revocations *larger = revocations_copy(revocations, NOW_S, &dropped);
		revocations_free(revocations);
		revocations = larger;
		now.revocations = revocations;
		assert_true(revocations_add_session(revocations, "AAAAAAAAAAAAAAAA", NOW_S + 100));
	}
	assert_int_equal(gate_session_judge(&session, &now, NOW), GATE_SESSION_REVOKED);
	strcpy(session.position_id, "AAAAAAAAAAAAAAAB");
	assert_int_equal(gate_session_judge(&session, &now, NOW), GATE_SESSION_GOOD);
	revocations_free(revocations);
}

static void a_session_slides_once_a_quarter_of_its_life_is_over(void **state)
{
	(void)state;
	struct queue_settings settings;
	queue_settings_default(&settings);
	settings.session_renewal = true;
	settings.session_ttl_ms = 100000;
	struct session_claims session = claims("now", NOW_S - 25, NOW_S + 75);
	session.renewal = true;
	assert_false(gate_session_is_due(&session, &settings, NOW));
	assert_true(gate_session_is_due(&session, &settings, (struct wall_time){NOW.ms + 1}));
	session.renewal = false; /* it was given for a fixed time */
	assert_false(gate_session_is_due(&session, &settings, (struct wall_time){NOW.ms + 1}));
	session.renewal = true;
	settings.session_renewal = false;
	assert_false(gate_session_is_due(&session, &settings, (struct wall_time){NOW.ms + 1}));
}

/* ---- who asks ---- */

static void what_a_browser_says_it_does_counts_more_than_what_it_takes(void **state)
{
	(void)state;
	static const char html[] = "text/html,*/*;q=0.8";
	static const struct {
		const char *method, *mode, *accept;
		enum gate_asker asker;
	} rows[] = {
		{"GET", "navigate", html, GATE_PAGE},	 {"GET", "navigate", NULL, GATE_PAGE},
		{"HEAD", "navigate", html, GATE_PAGE},	 {"POST", "navigate", html, GATE_FORM},
		{"GET", "cors", html, GATE_SCRIPT},		 {"GET", "no-cors", "image/*", GATE_SCRIPT},
		{"GET", "websocket", NULL, GATE_SCRIPT}, {"GET", "", html, GATE_SCRIPT},
		{"GET", NULL, html, GATE_PAGE},			 {"GET", NULL, "TEXT/HTML", GATE_PAGE},
		{"GET", NULL, "*/*", GATE_SCRIPT},		 {"GET", NULL, NULL, GATE_SCRIPT},
		{"POST", NULL, html, GATE_SCRIPT},		 {"PUT", "same-origin", html, GATE_SCRIPT},
		{"get", NULL, html, GATE_SCRIPT},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (gate_asker_of(rows[i].method, rows[i].mode, rows[i].accept) != rows[i].asker)
			fail_msg("row %zu", i);
}

/* ---- the limit of an outage ---- */

static int taken_in(int64_t *bucket, const struct queue_settings *settings, int64_t from_ms,
					int64_t to_ms)
{
	int taken = 0;
	for (int64_t ms = from_ms; ms < to_ms; ms++)
		while (gate_open_take(bucket, settings, (struct mono_time){ms * 1000000}))
			taken++;
	return taken;
}

static void an_outage_lets_in_the_rate_and_a_burst(void **state)
{
	(void)state;
	static const int64_t rates[] = {1, 7, 60, 600, 60000};
	for (size_t i = 0; i < COUNT_OF(rates); i++) {
		struct queue_settings settings;
		int64_t bucket = 0;
		queue_settings_default(&settings);
		settings.rate_per_minute = rates[i];
		settings.burst = 10;
		int taken = taken_in(&bucket, &settings, 5000000, 5060000);
		assert_in_range(taken, rates[i] + 9, rates[i] + 10 + rates[i] / 100);
		taken = taken_in(&bucket, &settings, 5060000, 5120000);
		assert_in_range(taken, rates[i] - 1, rates[i] + 1 + rates[i] / 100);
	}
}

static void a_rate_of_nobody_lets_nobody_in(void **state)
{
	(void)state;
	struct queue_settings settings;
	int64_t bucket = 0;
	queue_settings_default(&settings);
	settings.rate_per_minute = 0;
	assert_false(gate_open_take(&bucket, &settings, (struct mono_time){1}));
	assert_int_equal(bucket, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_passes_in_every_state),
		cmocka_unit_test(without_a_session_only_passthrough_passes),
		cmocka_unit_test(a_rule_passes_before_the_queue_is_asked),
		cmocka_unit_test(an_outage_opens_only_for_those_who_would_wait),
		cmocka_unit_test(a_pass_is_redeemed_even_where_a_rule_would_pass),
		cmocka_unit_test(a_pass_beside_a_session_is_taken_out_and_not_spent),
		cmocka_unit_test(a_bad_pass_is_as_none),
		cmocka_unit_test(only_four_decisions_pass),
		cmocka_unit_test(a_session_of_this_life_or_the_lost_one_is_good),
		cmocka_unit_test(a_session_of_a_deleted_queue_is_not),
		cmocka_unit_test(a_session_ends_a_leeway_after_its_time),
		cmocka_unit_test(a_session_that_was_ended_is_refused_and_no_other),
		cmocka_unit_test(a_session_slides_once_a_quarter_of_its_life_is_over),
		cmocka_unit_test(what_a_browser_says_it_does_counts_more_than_what_it_takes),
		cmocka_unit_test(an_outage_lets_in_the_rate_and_a_burst),
		cmocka_unit_test(a_rate_of_nobody_lets_nobody_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
