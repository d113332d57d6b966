/* The outbox as the relay gets it, from what the real scripts wrote into a real Redis. */
#include "support/cmocka.h"
#include "support/demo_queue.h"

#include <stdio.h>
#include <string.h>

static void join_two(void)
{
	struct join people[] = {{.position_id = "person0000000001", .lane = "main"},
							{.position_id = "person0000000002", .lane = "main"}};
	assert_int_equal(ask_join(ask, &demo, people, 2)->err, WR_OK);
}

static void the_relay_reads_and_removes_what_happened(void **state)
{
	(void)state;
	demo_put_held();
	join_two();
	struct store_outbox *outbox = store_outbox_new(ask->address, "relay-1", 60000, 1000);
	struct store_outbox *second = store_outbox_new(ask->address, "relay-2", 60000, 1000);
	struct outbox_source source = store_outbox_source(outbox), other = store_outbox_source(second);
	struct queue_name names[4];
	size_t count = 0;
	bool mine = false;
	assert_int_equal(source.queues(source.ctx, names, 4, &count), WR_OK);
	assert_int_equal(count, 2);
	assert_true(queue_name_equal(&names[0], &system_shard));
	assert_true(queue_name_equal(&names[1], &demo));
	assert_int_equal(source.lease(source.ctx, &demo, &mine), WR_OK);
	assert_true(mine);
	assert_int_equal(other.lease(other.ctx, &demo, &mine), WR_OK);
	assert_false(mine);

	struct outbox_batch batch = {0}, rest = {0};
	assert_int_equal(source.read(source.ctx, &demo, "0", 10, &batch), WR_OK);
	assert_int_equal(batch.count, 2);
	assert_string_equal(batch.entries[0].type, "queue-created");
	assert_string_equal(batch.entries[0].data, "{}");
	assert_int_equal(batch.entries[0].n, 1);
	assert_int_equal(batch.entries[0].people_len, 0);
	assert_string_equal(batch.entries[1].type, "enqueued");
	assert_string_equal(batch.entries[1].people,
						"person0000000001 main 1\nperson0000000002 main 2");
	assert_int_equal(batch.entries[1].people_len, strlen(batch.entries[1].people));
	assert_int_equal(strlen(batch.entries[1].epoch), EPOCH_CHARS);
	assert_true(batch.entries[1].at_ms > 1700000000000);
	assert_int_equal(source.read(source.ctx, &demo, batch.entries[0].id, 1, &rest), WR_OK);
	assert_int_equal(rest.count, 1);
	assert_string_equal(rest.entries[0].id, batch.entries[1].id);
	outbox_batch_free(&rest);

	char ids[2][48];
	strcpy(ids[0], batch.entries[1].id);
	strcpy(ids[1], "1-1"); /* removed by somebody else before */
	assert_int_equal(source.remove(source.ctx, &demo, ids, 2), WR_OK);
	outbox_batch_free(&batch);
	assert_int_equal(source.read(source.ctx, &demo, "0", 10, &batch), WR_OK);
	assert_int_equal(batch.count, 1);
	assert_string_equal(batch.entries[0].type, "queue-created");
	outbox_batch_free(&batch);

	source.release(source.ctx);
	assert_int_equal(other.lease(other.ctx, &demo, &mine), WR_OK);
	assert_true(mine);
	store_outbox_free(outbox);
	store_outbox_free(second);
}

static void entries_of_another_version_are_read_as_far_as_they_go(void **state)
{
	(void)state;
	ask_do(ask, "XADD " DEMO "outbox * type later-kind at soon colour red n -1");
	struct store_outbox *outbox = store_outbox_new(ask->address, "relay-1", 60000, 1000);
	struct outbox_source source = store_outbox_source(outbox);
	struct outbox_batch batch = {0};
	assert_int_equal(source.read(source.ctx, &demo, "0", 10, &batch), WR_OK);
	assert_int_equal(batch.count, 1);
	assert_string_equal(batch.entries[0].type, "later-kind");
	assert_int_equal(batch.entries[0].at_ms, -1);
	assert_string_equal(batch.entries[0].people, "");
	outbox_batch_free(&batch);
	store_outbox_free(outbox);
}

static void the_relay_waits_for_the_store_as_long_as_it_is_told(void **state)
{
	(void)state;
	demo_put_held();
	struct store_outbox *outbox = store_outbox_new(ask->address, "relay-1", 60000, 10000);
	struct outbox_source source = store_outbox_source(outbox);
	bool mine = false;
	assert_int_equal(source.lease(source.ctx, &demo, &mine), WR_OK);
	ask_do(ask, "CLIENT PAUSE 1500 ALL"); /* longer than the default */
	struct outbox_batch batch = {0};
	assert_int_equal(source.read(source.ctx, &demo, "0", 10, &batch), WR_OK);
	outbox_batch_free(&batch);
	store_outbox_free(outbox);
}

#define TEST(name) cmocka_unit_test_setup(name, shared_ask_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_relay_reads_and_removes_what_happened),
		TEST(entries_of_another_version_are_read_as_far_as_they_go),
		TEST(the_relay_waits_for_the_store_as_long_as_it_is_told),
	};
	return cmocka_run_group_tests_name("store_outbox", tests, shared_ask_open, shared_ask_close);
}
