/* The queue default/demo and its people. */
#include "support/demo_queue.h"

#include "support/cmocka.h"

#include <stdio.h>

const struct queue_name demo = {"default", "demo"};

struct queue_settings demo_held_settings(void)
{
	struct queue_settings settings;
	queue_settings_default(&settings);
	settings.state = QUEUE_HOLD;
	settings.rate_per_minute = 6000000;
	settings.burst = 1000000;
	settings.capacity = 1000;
	return settings;
}

void demo_put_held(void)
{
	struct queue_settings settings = demo_held_settings();
	assert_int_equal(ask_put(ask, &demo, &settings, UINT64_MAX, NULL)->err, WR_OK);
}

void demo_person_id(store_id ret_id, int number)
{
	snprintf(ret_id, sizeof(store_id), "person%010u", (unsigned)number % 100000);
}

void demo_join(const char *lane, int first, int last, bool heard)
{
	static store_id ids[STORE_PEOPLE_MAX];
	static struct join people[STORE_PEOPLE_MAX];
	size_t count = 0;
	for (int i = first; i <= last; i++, count++) {
		demo_person_id(ids[count], i);
		people[count] = (struct join){.position_id = ids[count], .lane = lane};
	}
	const struct ask_people *answer = ask_join(ask, &demo, people, count);
	assert_int_equal(answer->err, WR_OK);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(answer->joined[i].code, JOIN_NEW);
	if (heard)
		assert_int_equal(ask_heartbeat(ask, &demo, ids, count)->count, 0);
}

void demo_make_older(int last)
{
	assert_int_equal(ask_heartbeat(ask, &demo, NULL, 0)->err, WR_OK);
	assert_int_equal(ask_admit(ask, &demo, 500, 0)->admitted.set_aside, 0);
	ask_do(ask, "HINCRBY " DEMO "clock since_ms -3000");
	for (int i = 1; i <= last; i++) {
		store_id id;
		demo_person_id(id, i);
		ask_do(ask, "ZINCRBY " DEMO "heartbeats 3000 %s", id);
	}
}
