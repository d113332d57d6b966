/* Event loop: timers, descriptors, hooks and wake-ups. */
#include "support/cmocka.h"
#include "support/wait.h"
#include "waitingroom/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int new_loop(void **state)
{
	*state = loop_new();
	return 0;
}

static int free_loop(void **state)
{
	loop_free(*state);
	return 0;
}

/* What has happened, one letter each. */
static char story[256];

static void tell(char letter)
{
	size_t len = strlen(story);
	assert_true(len + 1 < sizeof(story));
	story[len] = letter;
	story[len + 1] = '\0';
}

static void begin(void)
{
	story[0] = '\0';
}

static void tell_ctx(void *ctx)
{
	tell(*(const char *)ctx);
}

static void turn_until(struct loop *loop, const char *expected)
{
	struct mono_time deadline = wait_deadline(2000);
	while (strcmp(story, expected) && wait_left_ms(deadline))
		loop_turn(loop, 10);
	assert_string_equal(story, expected);
}

/* ---- timers ---- */

static void timers_fire_in_order_of_time_and_then_of_arming(void **state)
{
	struct loop *loop = *state;
	begin();
	struct mono_time now = loop_now(loop);
	struct loop_timer *timers[6];
	static const struct {
		const char *letter;
		int ms;
	} plan[6] = {{"e", 9}, {"c", 4}, {"a", 1}, {"f", 9}, {"b", 2}, {"d", 4}};
	for (int i = 0; i < 6; i++) {
		timers[i] = loop_timer_new(loop, tell_ctx, (void *)plan[i].letter);
		loop_timer_arm(timers[i], mono_add_ms(now, plan[i].ms));
	}
	turn_until(loop, "abcdef");
	assert_true(mono_diff_ms(now, loop_now(loop)) >= 9);
	for (int i = 0; i < 6; i++) {
		assert_false(loop_timer_is_armed(timers[i]));
		loop_timer_free(timers[i]);
	}
}

struct random_timer {
	struct loop_timer *timer;
	struct mono_time due;
	bool fired;
};

static struct mono_time last_due;

static void check_order(void *ctx)
{
	struct random_timer *random = ctx;
	assert_true(random->due.ns >= last_due.ns);
	last_due = random->due;
	random->fired = true;
}

static void a_thousand_timers_armed_moved_and_disarmed_fire_in_order(void **state)
{
	struct loop *loop = *state;
	enum { TIMERS = 1000 };
	static struct random_timer timers[TIMERS];
	unsigned seed = (unsigned)clock_wall().ms;
	print_message("# seed %u\n", seed);
	srandom(seed);
	struct mono_time base = mono_add_ms(loop_now(loop), 2);
	int disarmed = 0;
	for (int i = 0; i < TIMERS; i++)
		timers[i].timer = loop_timer_new(loop, check_order, &timers[i]);
	for (int move = 0; move < 5 * TIMERS; move++) {
		struct random_timer *one = &timers[random() % TIMERS];
		one->due.ns = base.ns + random() % 10000000;
		loop_timer_arm(one->timer, one->due);
		if (random() % 4 == 0)
			loop_timer_disarm(one->timer);
	}
	for (int i = 0; i < TIMERS; i++)
		disarmed += !loop_timer_is_armed(timers[i].timer);
	last_due.ns = 0;
	struct mono_time end = mono_add_ms(base, 11);
	while (loop_now(loop).ns < end.ns)
		loop_turn(loop, 5);
	int fired = 0;
	for (int i = 0; i < TIMERS; i++) {
		fired += timers[i].fired;
		loop_timer_free(timers[i].timer);
	}
	assert_int_equal(fired, TIMERS - disarmed);
}

static struct loop_timer *self, *other;

static void rearm_myself(void *ctx)
{
	(void)ctx;
	tell('r');
	loop_timer_arm(self, (struct mono_time){0});
}

static void a_timer_that_rearms_itself_for_the_past_starves_nobody(void **state)
{
	struct loop *loop = *state;
	begin();
	self = loop_timer_new(loop, rearm_myself, loop);
	other = loop_timer_new(loop, tell_ctx, (void *)"o");
	loop_timer_arm(self, (struct mono_time){0});
	loop_timer_arm(other, loop_now(loop));
	loop_turn(loop, 1000);
	assert_non_null(strchr(story, 'o'));
	assert_true(loop_timer_is_armed(self));
	loop_timer_free(self);
	loop_timer_free(other);
}

static void free_both(void *ctx)
{
	tell_ctx(ctx);
	loop_timer_free(self);
	loop_timer_free(other);
}

static void a_timer_may_free_itself_and_another_that_is_due(void **state)
{
	struct loop *loop = *state;
	begin();
	self = loop_timer_new(loop, free_both, (void *)"f");
	other = loop_timer_new(loop, tell_ctx, (void *)"x");
	loop_timer_arm(self, loop_now(loop));
	loop_timer_arm(other, loop_now(loop));
	loop_turn(loop, 100);
	loop_turn(loop, 0);
	assert_string_equal(story, "f");
}

static void a_wait_ends_when_the_first_timer_is_due_and_not_before(void **state)
{
	struct loop *loop = *state;
	begin();
	struct loop_timer *timer = loop_timer_new(loop, tell_ctx, (void *)"t");
	struct mono_time due = mono_add_ms(clock_mono(), 15);
	loop_timer_arm(timer, due);
	loop_turn(loop, -1);
	assert_string_equal(story, "t");
	assert_true(loop_now(loop).ns >= due.ns);
	loop_timer_free(timer);
}

/* ---- descriptors ---- */

struct watched {
	int fds[2]; /* ours is the first */
	struct loop_watch *watch;
	unsigned seen;
};

static struct watched left, right;

static void open_watched(struct watched *watched)
{
	memset(watched, 0, sizeof(*watched));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, watched->fds), 0);
}

static void close_watched(struct watched *watched)
{
	loop_unwatch(watched->watch);
	close(watched->fds[0]);
	if (watched->fds[1] >= 0)
		close(watched->fds[1]);
}

static void note_events(void *ctx, unsigned events)
{
	((struct watched *)ctx)->seen |= events;
	tell('.');
}

static void a_watch_reports_what_it_was_asked_for(void **state)
{
	struct loop *loop = *state;
	begin();
	open_watched(&left);
	left.watch = loop_watch(loop, left.fds[0], LOOP_READ, note_events, &left);
	loop_turn(loop, 0);
	assert_int_equal(left.seen, 0);
	assert_int_equal(write(left.fds[1], "x", 1), 1);
	loop_turn(loop, 1000);
	assert_int_equal(left.seen, LOOP_READ);
	left.seen = 0;
	loop_watch_events(left.watch, LOOP_WRITE);
	loop_turn(loop, 1000);
	assert_int_equal(left.seen, LOOP_WRITE);
	left.seen = 0;
	loop_watch_events(left.watch, LOOP_READ | LOOP_WRITE);
	loop_turn(loop, 1000);
	assert_int_equal(left.seen, LOOP_READ | LOOP_WRITE);
	close_watched(&left);
}

static void a_hang_up_arrives_as_read_and_write(void **state)
{
	struct loop *loop = *state;
	open_watched(&left);
	left.watch = loop_watch(loop, left.fds[0], LOOP_READ, note_events, &left);
	close(left.fds[1]);
	left.fds[1] = -1;
	loop_turn(loop, 1000);
	assert_int_equal(left.seen, LOOP_READ | LOOP_WRITE);
	close_watched(&left);
}

static void a_watch_that_waits_for_nothing_is_not_told_of_a_hang_up(void **state)
{
	struct loop *loop = *state;
	open_watched(&left);
	left.watch = loop_watch(loop, left.fds[0], 0, note_events, &left);
	close(left.fds[1]);
	left.fds[1] = -1;
	loop_turn(loop, 0);
	assert_int_equal(left.seen, 0);
	loop_watch_events(left.watch, LOOP_READ);
	loop_turn(loop, 1000);
	assert_int_equal(left.seen, LOOP_READ | LOOP_WRITE);
	close_watched(&left);
}

static void remove_both(void *ctx, unsigned events)
{
	note_events(ctx, events);
	loop_unwatch(left.watch);
	loop_unwatch(right.watch);
	left.watch = right.watch = NULL;
}

static void a_callback_may_remove_its_own_watch_and_one_that_is_ready_too(void **state)
{
	struct loop *loop = *state;
	begin();
	open_watched(&left);
	open_watched(&right);
	left.watch = loop_watch(loop, left.fds[0], LOOP_READ, remove_both, &left);
	right.watch = loop_watch(loop, right.fds[0], LOOP_READ, remove_both, &right);
	assert_int_equal(write(left.fds[1], "x", 1), 1);
	assert_int_equal(write(right.fds[1], "x", 1), 1);
	loop_turn(loop, 1000);
	loop_turn(loop, 0);
	assert_string_equal(story, ".");
	close_watched(&left);
	close_watched(&right);
}

static void replace_right(void *ctx, unsigned events)
{
	struct loop *loop = ctx;
	(void)events;
	if (!right.watch)
		return;
	/* The same number again: an event of the old socket must not reach the new watch. */
	int old = right.fds[0];
	loop_unwatch(right.watch);
	close(right.fds[0]);
	close(right.fds[1]);
	open_watched(&right);
	assert_true(right.fds[0] == old || right.fds[1] == old);
	right.watch = loop_watch(loop, old, LOOP_READ, note_events, &right);
	loop_unwatch(left.watch);
	left.watch = NULL;
}

static void an_event_of_a_closed_socket_does_not_reach_its_successor(void **state)
{
	struct loop *loop = *state;
	begin();
	open_watched(&left);
	open_watched(&right);
	left.watch = loop_watch(loop, left.fds[0], LOOP_READ, replace_right, loop);
	right.watch = loop_watch(loop, right.fds[0], LOOP_READ, note_events, &right);
	assert_int_equal(write(left.fds[1], "x", 1), 1); /* ready first, so reported first */
	assert_int_equal(write(right.fds[1], "x", 1), 1);
	loop_turn(loop, 1000);
	assert_null(left.watch);
	assert_string_equal(story, "");
	close_watched(&left);
	close_watched(&right);
}

/* ---- hooks, marks, wake-ups ---- */

static int64_t hook_says;

static int64_t hook(void *ctx)
{
	tell_ctx(ctx);
	return hook_says;
}

static void hooks_run_in_order_before_the_wait_and_may_shorten_it(void **state)
{
	struct loop *loop = *state;
	begin();
	loop_add_before_wait(loop, hook, (void *)"1");
	loop_add_before_wait(loop, hook, (void *)"2");
	loop_set_wait_marks(loop, tell_ctx, tell_ctx, (void *)"w");
	hook_says = 0;
	struct mono_time start = clock_mono();
	loop_turn(loop, 60000);
	assert_string_equal(story, "12ww");
	assert_true(mono_diff_ms(start, clock_mono()) < 30000);
	hook_says = -1;
	loop_turn(loop, 0);
	assert_string_equal(story, "12ww12ww");
}

static void stop_it(void *ctx)
{
	tell('s');
	loop_stop(ctx);
}

static void *wake_it(void *loop)
{
	loop_wake(loop);
	return NULL;
}

static void another_thread_can_end_the_wait(void **state)
{
	struct loop *loop = *state;
	begin();
	loop_set_on_wake(loop, stop_it, loop);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, wake_it, loop), 0);
	loop_run(loop); /* returns only because of the wake-up: it has no timer and no descriptor */
	pthread_join(thread, NULL);
	assert_string_equal(story, "s");
}

static void wake_ups_that_come_before_the_wait_are_one(void **state)
{
	struct loop *loop = *state;
	begin();
	loop_set_on_wake(loop, tell_ctx, (void *)"w");
	for (int i = 0; i < 1000; i++)
		loop_wake(loop);
	loop_turn(loop, 1000);
	loop_turn(loop, 0);
	assert_string_equal(story, "w");
}

static void a_loop_can_run_again_after_a_stop(void **state)
{
	struct loop *loop = *state;
	begin();
	struct loop_timer *timer = loop_timer_new(loop, stop_it, loop);
	for (int i = 0; i < 2; i++) {
		loop_timer_arm(timer, loop_now(loop));
		loop_run(loop);
	}
	assert_string_equal(story, "ss");
	loop_timer_free(timer);
}

static void a_timer_that_outlives_its_loop_is_disarmed(void **state)
{
	(void)state;
	struct loop *loop = loop_new();
	struct loop_timer *timer = loop_timer_new(loop, tell_ctx, (void *)"x");
	loop_timer_arm(timer, mono_add_ms(loop_now(loop), 1000));
	loop_free(loop);
	assert_false(loop_timer_is_armed(timer));
	loop_timer_free(timer);
}

int main(void)
{
#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, new_loop, free_loop)
	const struct CMUnitTest tests[] = {
		WITH_LOOP(timers_fire_in_order_of_time_and_then_of_arming),
		WITH_LOOP(a_thousand_timers_armed_moved_and_disarmed_fire_in_order),
		WITH_LOOP(a_timer_that_rearms_itself_for_the_past_starves_nobody),
		WITH_LOOP(a_timer_may_free_itself_and_another_that_is_due),
		WITH_LOOP(a_wait_ends_when_the_first_timer_is_due_and_not_before),
		WITH_LOOP(a_watch_reports_what_it_was_asked_for),
		WITH_LOOP(a_hang_up_arrives_as_read_and_write),
		WITH_LOOP(a_watch_that_waits_for_nothing_is_not_told_of_a_hang_up),
		WITH_LOOP(a_callback_may_remove_its_own_watch_and_one_that_is_ready_too),
		WITH_LOOP(an_event_of_a_closed_socket_does_not_reach_its_successor),
		WITH_LOOP(hooks_run_in_order_before_the_wait_and_may_shorten_it),
		WITH_LOOP(another_thread_can_end_the_wait),
		WITH_LOOP(wake_ups_that_come_before_the_wait_are_one),
		WITH_LOOP(a_loop_can_run_again_after_a_stop),
		cmocka_unit_test(a_timer_that_outlives_its_loop_is_disarmed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
