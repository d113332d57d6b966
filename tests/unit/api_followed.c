/* Followed: what a picture shows outlives it, also when the next picture comes late or never. */
#include "cmd/api/followed.h"

#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"

struct fixture {
	struct quiescence *quiescence;
	struct queue_table *table;
	struct followed *followed;
	struct queue_name name;
	int worker;
};

static int begin(void **state)
{
	static struct fixture f;
	f.name = (struct queue_name){.tenant = "default", .queue = "demo"};
	f.quiescence = quiescence_new();
	f.worker = quiescence_add_reader(f.quiescence);
	f.table = queue_table_new(f.quiescence, 4);
	f.followed = followed_new(&f.name, 0);
	*state = &f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;
	queue_table_remove(f->table, &f->name);
	followed_free(f->followed, f->quiescence);
	queue_table_free(f->table);
	quiescence_free(f->quiescence);
	return 0;
}

static struct synced answer_of(uint64_t version, const char *epoch)
{
	struct synced answer = {
		.now_ms = 1000, .version = version, .has_settings = true, .lane_count = 1};
	strcpy(answer.epoch, epoch);
	queue_settings_default(&answer.settings);
	answer.settings.version = version;
	strcpy(answer.lanes[0].lane, answer.settings.lanes[0].name);
	return answer;
}

static void show(struct fixture *f, const struct synced *answer)
{
	struct queue_snapshot *snapshot =
		followed_snapshot(f->followed, answer, (struct mono_time){.ns = 1});
	assert_int_equal(queue_table_put(f->table, snapshot), WR_OK);
	followed_shown(f->followed, f->quiescence);
}

/* A worker's turn that begins now, with a sweep in its middle; what it reads, it reads last. */
static uint64_t version_in_a_turn(struct fixture *f)
{
	quiescence_enter(f->quiescence, f->worker);
	const struct queue_snapshot *snapshot = queue_table_find(f->table, &f->name);
	quiescence_sweep(f->quiescence);
	uint64_t version = snapshot->settings->version;
	assert_int_equal(position_index_last(snapshot->lanes[0]), 0);
	quiescence_leave(f->quiescence, f->worker);
	return version;
}

static void old_settings_stay_while_the_new_picture_cannot_be_made(void **state)
{
	struct fixture *f = *state;
	struct synced first = answer_of(1, "aaaaaaaaaaa"), second = answer_of(2, first.epoch);
	followed_apply(f->followed, &first);
	show(f, &first);
	followed_apply(f->followed, &second); /* and then the store goes away */
	quiescence_sweep(f->quiescence);
	assert_int_equal(quiescence_pending(f->quiescence), 0); /* nothing was even retired */
	assert_int_equal(version_in_a_turn(f), 1);
	show(f, &second);
	assert_int_equal(version_in_a_turn(f), 2);
	quiescence_sweep(f->quiescence);
	assert_int_equal(quiescence_pending(f->quiescence), 0);
}

static void old_indexes_stay_while_a_new_life_has_not_been_shown(void **state)
{
	struct fixture *f = *state;
	struct synced first = answer_of(1, "aaaaaaaaaaa"), second = answer_of(1, "bbbbbbbbbbb");
	second.has_settings = false;
	followed_apply(f->followed, &first);
	show(f, &first);
	followed_apply(f->followed, &second);
	assert_int_equal(quiescence_pending(f->quiescence), 0);
	assert_int_equal(version_in_a_turn(f), 1);
	show(f, &second);
	quiescence_enter(f->quiescence, f->worker);
	assert_string_equal(queue_table_find(f->table, &f->name)->epoch, second.epoch);
	quiescence_leave(f->quiescence, f->worker);
	quiescence_sweep(f->quiescence);
	assert_int_equal(quiescence_pending(f->quiescence), 0);
}

static void what_never_came_to_be_shown_is_freed_with_the_queue(void **state)
{
	struct fixture *f = *state;
	struct synced first = answer_of(1, "aaaaaaaaaaa"), second = answer_of(2, first.epoch);
	followed_apply(f->followed, &first);
	show(f, &first);
	followed_apply(f->followed, &second);
	queue_table_remove(f->table, &f->name);
	followed_free(f->followed, f->quiescence);
	quiescence_sweep(f->quiescence);
	assert_int_equal(quiescence_pending(f->quiescence), 0);
	f->followed = followed_new(&f->name, 0); /* for end() */
}

/* A pod that is new, and whose store is lost before it could load what had left: numbers that were
 * given out must not be given again. */
static void a_lane_that_is_not_loaded_yet_knows_its_last_ticket(void **state)
{
	struct fixture *f = *state;
	struct synced answer = answer_of(1, "aaaaaaaaaaa");
	answer.lanes[0].ticket = 10;
	answer.lanes[0].gone = 3;
	followed_apply(f->followed, &answer);
	assert_false(f->followed->lanes[0].is_loaded);
	assert_int_equal(followed_behind(f->followed, &answer), 1);
	assert_int_equal(f->followed->lanes[0].last_ticket, 10);
	answer.lanes[0].ticket = 8; /* a replica took over */
	followed_apply(f->followed, &answer);
	assert_int_equal(f->followed->lanes[0].last_ticket, 10);
}

/* The store is lost once more before the line was rebuilt: who came meanwhile has a number, too. */
static void last_tickets_are_remembered_also_while_the_line_is_rebuilt(void **state)
{
	struct fixture *f = *state;
	struct synced first = answer_of(1, "aaaaaaaaaaa"), second = answer_of(1, "bbbbbbbbbbb");
	first.lanes[0].ticket = 10;
	followed_apply(f->followed, &first);
	strcpy(second.lost_epochs, first.epoch);
	second.recovering = true;
	second.lanes[0].ticket = 14;
	followed_apply(f->followed, &second);
	assert_int_equal(f->followed->lanes[0].last_ticket, 14);
	assert_int_equal(position_index_highest(f->followed->lanes[0].index), 14);
	assert_int_equal(position_index_last(f->followed->lanes[0].index), 10); /* frozen */
	assert_string_equal(f->followed->lost_epochs, first.epoch);
}

/* Deleted, made anew and lost while this pod slept: its index is about other people. */
static void the_index_of_another_queue_does_not_go_on_answering(void **state)
{
	struct fixture *f = *state;
	struct synced first = answer_of(1, "aaaaaaaaaaa"), second = answer_of(1, "bbbbbbbbbbb");
	first.lanes[0].ticket = 10;
	followed_apply(f->followed, &first);
	show(f, &first);
	strcpy(second.lost_epochs, "ccccccccccc");
	second.recovering = true;
	second.lanes[0].ticket = 3;
	followed_apply(f->followed, &second);
	show(f, &second);
	assert_int_equal(position_index_last(f->followed->lanes[0].index), 0);
	assert_int_equal(f->followed->lanes[0].last_ticket, 3);
}

#define ANN "annannannannanna"

static bool ann_is_revoked_in_a_turn(struct fixture *f)
{
	quiescence_enter(f->quiescence, f->worker);
	const struct queue_snapshot *snapshot = queue_table_find(f->table, &f->name);
	quiescence_sweep(f->quiescence);
	bool is_revoked = revocations_has_session(snapshot->revocations, ANN);
	quiescence_leave(f->quiescence, f->worker);
	return is_revoked;
}

static void a_table_of_revocations_that_was_replaced_stays_until_the_new_one_is_shown(void **state)
{
	struct fixture *f = *state;
	struct synced first = answer_of(1, "aaaaaaaaaaa"), second = answer_of(1, first.epoch);
	struct revocation ended[1000];
	for (size_t i = 0; i < 1000; i++) {
		ended[i] = (struct revocation){.until_s = 1000};
		snprintf(ended[i].position_id, sizeof(store_id), "person%010zu", i);
	}
	second.has_settings = false;
	followed_apply(f->followed, &first);
	show(f, &first);
	assert_false(ann_is_revoked_in_a_turn(f));
	memcpy(ended[999].position_id, ANN, sizeof(store_id));
	second.revocations = ended;
	second.revocation_count = 1000;
	followed_apply(f->followed, &second); /* grows more than once */
	quiescence_sweep(f->quiescence);
	assert_int_equal(quiescence_pending(f->quiescence), 0);
	assert_false(ann_is_revoked_in_a_turn(f)); /* looks into the table that is shown */
	show(f, &second);
	assert_true(ann_is_revoked_in_a_turn(f));
	quiescence_sweep(f->quiescence);
	assert_int_equal(quiescence_pending(f->quiescence), 0);
}

static void revocations_outlive_the_life_of_the_queue_in_which_they_were_told(void **state)
{
	struct fixture *f = *state;
	struct synced first = answer_of(1, "aaaaaaaaaaa"), second = answer_of(1, "bbbbbbbbbbb");
	struct revocation ended = {.position_id = ANN, .until_s = 1000};
	first.revocations = &ended;
	first.revocation_count = 1;
	strcpy(second.lost_epochs, first.epoch);
	followed_apply(f->followed, &first);
	show(f, &first);
	followed_apply(f->followed, &second);
	show(f, &second);
	assert_true(ann_is_revoked_in_a_turn(f));
}

static void streams_are_followed_also_while_the_line_is_rebuilt(void **state)
{
	struct fixture *f = *state;
	struct synced answer = answer_of(1, "aaaaaaaaaaa");
	answer.recovering = true;
	strcpy(answer.last_departure, "7-0");
	strcpy(answer.last_revocation, "8-0");
	followed_apply(f->followed, &answer);
	assert_string_equal(f->followed->last_departure, "7-0");
	assert_string_equal(f->followed->last_revocation, "8-0");
	followed_ask_revocations(f->followed);
	assert_string_equal(f->followed->last_revocation, "0");
}

/* A minute of a line of 1000 that moves at two a second, whatever is set; then another rate. */
static double pace_after_another_rate(struct fixture *f, uint64_t active, int64_t rate_per_minute)
{
	double pace = 0;
	for (int64_t second = 0; second <= 61; second++) {
		struct synced answer = answer_of(second < 61 ? 1 : 2, "aaaaaaaaaaa");
		answer.now_ms += second * 1000;
		answer.active = active;
		answer.has_settings = second == 0 || second == 61;
		answer.settings.rate_per_minute = second < 61 ? 120 : rate_per_minute;
		answer.settings.capacity = 50;
		answer.lanes[0].ticket = 1000;
		answer.lanes[0].admitted = answer.lanes[0].gone = (uint64_t)second * 2;
		followed_apply(f->followed, &answer);
		show(f, &answer);
		quiescence_enter(f->quiescence, f->worker);
		pace = queue_table_find(f->table, &f->name)->waits[0].rate_mid;
		quiescence_leave(f->quiescence, f->worker);
	}
	return pace;
}

static void waits_follow_a_rate_that_was_set_at_once(void **state)
{
	double pace = pace_after_another_rate(*state, 10, 1200);
	assert_true(pace > 19.99 && pace < 20.01);
}

static void waits_do_not_follow_the_rate_where_the_site_is_full(void **state)
{
	double pace = pace_after_another_rate(*state, 50, 1200);
	assert_true(pace > 1.9 && pace < 2.1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(old_settings_stay_while_the_new_picture_cannot_be_made,
										begin, end),
		cmocka_unit_test_setup_teardown(old_indexes_stay_while_a_new_life_has_not_been_shown, begin,
										end),
		cmocka_unit_test_setup_teardown(what_never_came_to_be_shown_is_freed_with_the_queue, begin,
										end),
		cmocka_unit_test_setup_teardown(a_lane_that_is_not_loaded_yet_knows_its_last_ticket, begin,
										end),
		cmocka_unit_test_setup_teardown(last_tickets_are_remembered_also_while_the_line_is_rebuilt,
										begin, end),
		cmocka_unit_test_setup_teardown(the_index_of_another_queue_does_not_go_on_answering, begin,
										end),
		cmocka_unit_test_setup_teardown(
			a_table_of_revocations_that_was_replaced_stays_until_the_new_one_is_shown, begin, end),
		cmocka_unit_test_setup_teardown(
			revocations_outlive_the_life_of_the_queue_in_which_they_were_told, begin, end),
		cmocka_unit_test_setup_teardown(streams_are_followed_also_while_the_line_is_rebuilt, begin,
										end),
		cmocka_unit_test_setup_teardown(waits_follow_a_rate_that_was_set_at_once, begin, end),
		cmocka_unit_test_setup_teardown(waits_do_not_follow_the_rate_where_the_site_is_full, begin,
										end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
