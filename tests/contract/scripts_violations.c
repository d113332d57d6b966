/* What must never be: planted behind the scripts' back, it is counted, and nothing else is.
 *
 * The histories of admission_model.c hold the other half: in all that they do, nothing is counted.
 */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"

#include <stdio.h>
#include <string.h>

/* double, inversion, capacity */
static void expect_counts(struct room *room, const char *expected)
{
	static const char *const argv[] = {"0", "9", "100"};
	const char *text = room_call(room, "sync", 3, argv);
	const char *counts = strrchr(text, '[');
	char wanted[64];
	snprintf(wanted, sizeof(wanted), "[%s]", expected);
	assert_non_null(counts);
	assert_memory_equal(counts, wanted, strlen(wanted));
}

static void ordinary_admission_counts_nothing(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=3 lanes=main:1:open,vip:1:open");
	room_join(room, "ann bob cid@vip dan eve@vip fay");
	room_poll(room, "ann bob cid dan eve fay");
	room_admit(room);
	room_release(room, "release", "ann");
	room_admit(room);
	expect_counts(room, "0 0 0");
	room_free(room);
}

static void somebody_let_in_who_has_a_session_is_a_double_admission(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "zoe ann bob");
	room_poll(room, "ann bob");
	redis_number(client, "ZADD %ssessions 9999999999999 ann", room->prefix);
	room_set(room, "capacity=4");
	assert_string_equal(room_admit(room), "2 in 0 aside");
	expect_counts(room, "1 0 0");
	room_free(room);
}

static void somebody_let_in_after_those_behind_is_an_inversion(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "zoe ann bob");
	room_poll(room, "ann bob");
	/* The line, turned round. */
	redis_number(client, "LREM %swaiting:main 1 ann", room->prefix);
	redis_number(client, "LPUSH %swaiting:main ann", room->prefix);
	room_set(room, "capacity=2");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	expect_counts(room, "0 0 0");
	room_set(room, "capacity=3");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	expect_counts(room, "0 1 0");
	room_free(room);
}

static void somebody_back_from_absence_or_loss_is_no_inversion(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1 absent_after_ms=10000");
	room_join(room, "zoe ann bob cid");
	room_pass(room, 20000);
	room_poll(room, "bob cid");
	room_set(room, "capacity=2");
	assert_string_equal(room_admit(room), "1 in 1 aside"); /* ann was not there */
	room_poll(room, "ann");
	room_set(room, "capacity=3");
	assert_string_equal(room_admit(room), "1 in 0 aside");
	expect_counts(room, "0 0 0");
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_admission_counts_nothing),
		cmocka_unit_test(somebody_let_in_who_has_a_session_is_a_double_admission),
		cmocka_unit_test(somebody_let_in_after_those_behind_is_an_inversion),
		cmocka_unit_test(somebody_back_from_absence_or_loss_is_no_inversion),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
