/* Who wants a queue looked at gets a number, and what has been looked at is said by number. */
#include "cmd/api/looks.h"
#include "support/cmocka.h"

#include <string.h>

static struct queue_name named(const char *text)
{
	struct queue_name name;
	assert_true(queue_name_parse(text, strlen(text), &name));
	return name;
}

static void a_look_is_over_when_its_number_is_done(void **state)
{
	(void)state;
	struct looks looks = {.count = 0};
	struct queue_name names[LOOKS_MAX], one = named("default/one"), two = named("default/two");
	uint64_t number;
	looks_init(&looks);
	uint64_t first = looks_ask(&looks, &one);
	assert_true(looks_done(&looks) < first);
	assert_int_equal(looks_take(&looks, names, &number), 1);
	assert_true(queue_name_equal(&names[0], &one));
	uint64_t second = looks_ask(&looks, &two); /* while the first is under way */
	looks_finish(&looks, number);
	assert_true(looks_done(&looks) >= first);
	assert_true(looks_done(&looks) < second);
	assert_int_equal(looks_take(&looks, names, &number), 1);
	assert_true(queue_name_equal(&names[0], &two));
	looks_finish(&looks, number);
	assert_true(looks_done(&looks) >= second);
	assert_int_equal(looks_take(&looks, names, &number), 0);
}

static void more_than_there_is_room_for_wait_no_longer_than_the_others(void **state)
{
	(void)state;
	struct looks looks = {.count = 0};
	struct queue_name names[LOOKS_MAX], name = named("default/many");
	uint64_t number, last = 0;
	looks_init(&looks);
	for (int i = 0; i < LOOKS_MAX + 5; i++)
		last = looks_ask(&looks, &name);
	assert_int_equal(looks_take(&looks, names, &number), LOOKS_MAX);
	looks_finish(&looks, number);
	assert_true(looks_done(&looks) >= last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_is_over_when_its_number_is_done),
		cmocka_unit_test(more_than_there_is_room_for_wait_no_longer_than_the_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
