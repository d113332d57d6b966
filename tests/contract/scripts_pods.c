/* pods: who says that it is alive is listed, who says no more is dropped, and nobody needs a right
 * clock. */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *say(struct room *room, const char *instance, const char *members,
					   const char *keep_ms)
{
	return room_call(room, "pods", 3, (const char *const[]){instance, members, keep_ms});
}

/* Without the store's time before it. */
static const char *rows(struct room *room)
{
	const char *reply = say(room, "", "", "60000");
	const char *list = strchr(reply, '[');
	return list ? list : reply;
}

static void a_row_begins_with_the_time_of_the_store(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	const char *reply = say(room, "a", "\"kind\":\"api\"", "60000");
	int64_t now_ms = strtoll(reply, NULL, 10);
	char expected[128];
	assert_true(now_ms > 1000000000000);
	snprintf(expected, sizeof(expected), "[a {\"seen_ms\":%lld,\"kind\":\"api\"}]",
			 (long long)now_ms);
	assert_string_equal(rows(room), expected);
	room_free(room);
}

static void a_process_has_one_row_and_takes_it_away(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	say(room, "a", "\"n\":1", "60000");
	say(room, "a", "\"n\":2", "60000");
	assert_non_null(strstr(rows(room), "\"n\":2}"));
	assert_null(strstr(rows(room), "\"n\":1}"));
	say(room, "a", "", "60000");
	assert_string_equal(rows(room), "[]");
	room_free(room);
}

static void rows_that_nobody_renews_are_dropped(void **state)
{
	(void)state;
	struct room *room = room_of_nobody(client);
	char pods[160];
	snprintf(pods, sizeof(pods), "%.*spods",
			 (int)(strrchr(room->settings_key, ':') + 1 - room->settings_key), room->settings_key);
	say(room, "new", "\"n\":1", "60000");
	redis_number(client, "HSET %s old {\"seen_ms\":1000,\"n\":1}", pods);
	redis_number(client, "HSET %s ahead {\"seen_ms\":99999999999999,\"n\":1}", pods);
	redis_number(client, "HSET %s broken text", pods);
	assert_int_equal(redis_number(client, "HLEN %s", pods), 4);
	assert_null(strstr(rows(room), "old"));
	assert_int_equal(redis_number(client, "HLEN %s", pods), 1);
	assert_non_null(strstr(rows(room), "[new "));
	room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_begins_with_the_time_of_the_store),
		cmocka_unit_test(a_process_has_one_row_and_takes_it_away),
		cmocka_unit_test(rows_that_nobody_renews_are_dropped),
	};
	return cmocka_run_group_tests(tests, shared_redis_open, shared_redis_close);
}
