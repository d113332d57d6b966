/* The scripts of operators: keys and tenants on the shard system/admin, and the audit of every step
 * that somebody asks for.
 */
#include "support/cmocka.h"
#include "support/room.h"
#include "support/shared_redis.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARD "wr:{system/admin}:"
#define ENTRY "{\"id\":\"one\",\"before\":null,\"after\":null}"
#define NOW "1700000000000" /* ROOM_START_MS */

static struct room *shard;

static int empty_shard(void **state)
{
	(void)state;
	freeReplyObject(redis_run(client, "FLUSHALL"));
	shard = room_of_nobody(client);
	print_into(shard->prefix, SHARD);
	print_into(shard->settings_key, SHARD "settings");
	return 0;
}

static int leave_shard(void **state)
{
	(void)state;
	room_free(shard);
	return 0;
}

#define RUN(script, ...)                                                                           \
	room_call(shard, script, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *),          \
			  (const char *const[]){__VA_ARGS__})

/* What was written down last, in the stream and in the outbox alike; gives, NULL: nothing */
static char *last_entry(const char *prefix)
{
	char *texts[2] = {NULL, NULL};
	static const char *const streams[] = {"audit", "outbox"};
	for (int i = 0; i < 2; i++) {
		redisReply *reply = redis_run(client, "XREVRANGE %s%s + - COUNT 20", prefix, streams[i]);
		for (size_t k = 0; k < reply->elements && texts[i] == NULL; k++) {
			const redisReply *fields = reply->element[k]->element[1];
			bool is_audit = i == 0 || strcmp(fields->element[1]->str, "audit") == 0;
			if (is_audit)
				texts[i] = mem_copy_string(fields->element[fields->elements - 1]->str);
		}
		freeReplyObject(reply);
	}
	if (texts[0] == NULL) {
		assert_null(texts[1]);
		return NULL;
	}
	assert_string_equal(texts[0], texts[1]);
	free(texts[1]);
	return texts[0];
}

static void expect_entry(const char *prefix, const char *before)
{
	char expected[512];
	print_into(expected, "{\"at_ms\":" NOW ",\"id\":\"one\",\"before\":%s,\"after\":null}", before);
	WR_AUTO(mem_free_at) char *entry = last_entry(prefix);
	assert_non_null(entry);
	assert_string_equal(entry, expected);
}

/* ---- keys ---- */

#define KEY_ROW "{\"tenant\":\"acme\",\"id\":\"aaaa\"}"

static void make_acme(void)
{
	assert_string_equal(
		RUN("admin_tenant_put", "acme", "{\"queues_max\":2,\"title\":\"\"}", "10", "", "100"),
		"created 0");
}

static void a_key_is_found_until_it_is_dropped(void **state)
{
	(void)state;
	make_acme();
	assert_string_equal(RUN("admin_key_look", "aaaa"), "nokey");
	assert_string_equal(RUN("admin_key_put", "aaaa", KEY_ROW, "acme", "10", ENTRY, "100"),
						"ok " NOW);
	expect_entry(SHARD, "null");
	assert_string_equal(RUN("admin_key_look", "aaaa"), "ok " NOW " {\"created_ms\":" NOW
													   ",\"tenant\":\"acme\",\"id\":\"aaaa\"} 0");
	freeReplyObject(redis_run(client, "HSET " SHARD "keys_used aaaa 5"));
	assert_string_equal(RUN("admin_keys", ""), "ok " NOW " aaaa {\"created_ms\":" NOW
											   ",\"tenant\":\"acme\",\"id\":\"aaaa\"} 5");
	assert_string_equal(RUN("admin_key_drop", "aaaa", "", "100"), "ok " NOW);
	assert_string_equal(RUN("admin_key_look", "aaaa"), "nokey");
	assert_string_equal(RUN("admin_key_drop", "aaaa", ENTRY, "100"), "nokey 0");
	assert_int_equal(redis_number(client, "EXISTS " SHARD "keys_used"), 0);
	assert_int_equal(redis_number(client, "XLEN " SHARD "audit"), 1);
}

static void a_key_is_refused_without_a_trace(void **state)
{
	(void)state;
	assert_string_equal(RUN("admin_key_put", "aaaa", KEY_ROW, "acme", "10", ENTRY, "100"),
						"notenant 0");
	assert_string_equal(RUN("admin_key_put", "aaaa", KEY_ROW, "*", "1", "", "100"), "ok " NOW);
	assert_string_equal(RUN("admin_key_put", "aaaa", KEY_ROW, "*", "10", ENTRY, "100"), "taken 0");
	assert_string_equal(RUN("admin_key_put", "bbbb", KEY_ROW, "default", "1", ENTRY, "100"),
						"full 0");
	assert_null(last_entry(SHARD));
	assert_int_equal(redis_number(client, "HLEN " SHARD "keys"), 1);
}

/* ---- tenants ---- */

static void a_tenant_is_made_changed_and_keeps_its_time(void **state)
{
	(void)state;
	static const char row[] = "{\"queues_max\":2,\"title\":\"a\"}";
	assert_string_equal(RUN("admin_tenants", "acme"), "ok " NOW);
	assert_string_equal(RUN("admin_tenant_put", "acme", row, "1", ENTRY, "100"), "created 0");
	expect_entry(SHARD, "null");
	shard->now_ms += 1000;
	assert_string_equal(RUN("admin_tenant_put", "acme", row, "1", ENTRY, "100"), "same 0");
	assert_int_equal(redis_number(client, "XLEN " SHARD "audit"), 1);
	assert_string_equal(
		RUN("admin_tenant_put", "acme", "{\"queues_max\":3,\"title\":\"b\"}", "1", "", "100"),
		"changed 0");
	assert_string_equal(RUN("admin_tenant_put", "other", row, "1", ENTRY, "100"), "full 0");
	assert_string_equal(RUN("admin_tenants", "acme"), "ok 1700000001000 acme {\"created_ms\":" NOW
													  ",\"queues_max\":3,\"title\":\"b\"} 0");
	/* That which is always there comes last, and has no row. */
	assert_string_equal(RUN("admin_tenants", ""),
						"ok 1700000001000 acme {\"created_ms\":" NOW
						",\"queues_max\":3,\"title\":\"b\"} 0 default  0");
	assert_string_equal(RUN("admin_tenants", "default"), "ok 1700000001000 default  0");
}

static void what_was_before_is_told_by_the_step_that_changes_it(void **state)
{
	(void)state;
	assert_string_equal(RUN("admin_tenant_put", "acme",
							"{\"queues_max\":2,\"title\":\"\\\"before\\\":null\"}", "10", "",
							"100"),
						"created 0");
	assert_string_equal(
		RUN("admin_tenant_put", "acme", "{\"queues_max\":1,\"title\":\"\"}", "10", ENTRY, "100"),
		"changed 0");
	expect_entry(SHARD,
				 "{\"created_ms\":" NOW ",\"queues_max\":2,\"title\":\"\\\"before\\\":null\"}");
}

static void a_tenant_with_queues_stays(void **state)
{
	(void)state;
	make_acme();
	assert_string_equal(RUN("admin_tenant_drop", "other", ENTRY, "100"), "notenant 0");
	assert_string_equal(RUN("admin_tenant_claim", "claim", "acme", "sale", "9"), "ok 1");
	assert_string_equal(RUN("admin_tenant_drop", "acme", ENTRY, "100"), "queues 1");
	assert_null(last_entry(SHARD));
	freeReplyObject(redis_run(client, "SREM " SHARD "queues:acme sale"));
	assert_string_equal(RUN("admin_tenant_drop", "acme", ENTRY, "100"), "ok 0");
	expect_entry(SHARD, "{\"created_ms\":" NOW ",\"queues_max\":2,\"title\":\"\"}");
}

static void a_tenant_takes_its_keys_with_it_and_no_others(void **state)
{
	(void)state;
	make_acme();
	RUN("admin_key_put", "aaaa", KEY_ROW, "acme", "10", "", "100");
	RUN("admin_key_put", "bbbb", "{\"tenant\":\"*\",\"name\":\"\\\"tenant\\\":\\\"acme\\\"\"}", "*",
		"10", "", "100");
	RUN("admin_key_put", "cccc", KEY_ROW, "acme", "10", "", "100");
	freeReplyObject(redis_run(client, "HSET " SHARD "keys_used aaaa 5"));
	assert_string_equal(RUN("admin_tenant_drop", "acme", "", "100"), "ok 2");
	assert_string_equal(RUN("admin_key_look", "aaaa"), "nokey");
	assert_string_equal(RUN("admin_key_look", "cccc"), "nokey");
	assert_memory_equal(RUN("admin_key_look", "bbbb"), "ok", 2);
	assert_int_equal(redis_number(client, "EXISTS " SHARD "keys_used"), 0);
}

static void a_tenant_has_as_many_queues_as_it_may(void **state)
{
	(void)state;
	assert_string_equal(RUN("admin_tenant_claim", "claim", "acme", "a", "9"), "notenant 0");
	make_acme();
	assert_string_equal(RUN("admin_tenant_claim", "claim", "acme", "a", "9"), "ok 1");
	assert_string_equal(RUN("admin_tenant_claim", "claim", "acme", "b", "9"), "ok 2");
	assert_string_equal(RUN("admin_tenant_claim", "claim", "acme", "b", "9"), "ok 2");
	assert_string_equal(RUN("admin_tenant_claim", "claim", "acme", "c", "9"), "full 2");
	assert_string_equal(RUN("admin_tenant_claim", "make", "acme", "c", "9"), "ok 3");
	assert_string_equal(RUN("admin_tenant_claim", "claim", "default", "a", "1"), "ok 1");
	assert_string_equal(RUN("admin_tenant_claim", "claim", "default", "b", "1"), "full 1");
	assert_string_equal(RUN("admin_tenant_claim", "make", "new", "a", "7"), "ok 1");
	assert_string_equal(RUN("admin_tenants", "new"),
						"ok " NOW " new {\"created_ms\":" NOW
						",\"queues_max\":7,\"title\":\"\",\"note\":\"\"} 1");
}

/* ---- the audit ---- */

static void an_entry_alone_is_written_where_there_is_a_queue(void **state)
{
	(void)state;
	assert_string_equal(RUN("audit", ENTRY, "100"), "ok " NOW);
	expect_entry(SHARD, "null");
	struct room *nobody = room_of_nobody(client);
	const char *argv[] = {ENTRY, "100"};
	assert_string_equal(room_call(nobody, "audit", 2, argv), "noqueue");
	assert_null(last_entry(nobody->prefix));
	room_free(nobody);
	struct room *room = room_open(client, "");
	assert_string_equal(room_call(room, "audit", 2, argv), "ok " NOW);
	expect_entry(room->prefix, "null");
	room_free(room);
}

static void a_change_of_settings_is_written_down_once_and_only_when_it_changes(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=5");
	const char *same[] = {"patch", "", "-", "{}", "1", "capacity", "5", ENTRY, "100"};
	const char *late[] = {"patch", "9", "-", "{}", "1", "capacity", "6", ENTRY, "100"};
	const char *good[] = {"patch", "1", "-", "{}", "1", "capacity", "6", ENTRY, "100"};
	assert_memory_equal(room_call(room, "queue_put", 9, same), "same", 4);
	assert_memory_equal(room_call(room, "queue_put", 9, late), "conflict", 8);
	assert_null(last_entry(room->prefix));
	assert_memory_equal(room_call(room, "queue_put", 9, good), "changed", 7);
	expect_entry(room->prefix, "null");
	room_free(room);
}

static void the_audit_of_a_deleted_queue_stays_for_its_time(void **state)
{
	(void)state;
	struct room *room = room_open(client, "");
	const char *argv[] = {"500", "{}", "1", ENTRY, "100", "3600"};
	assert_string_equal(room_call(room, "queue_delete", 6, argv), "more");
	expect_entry(room->prefix, "null");
	assert_string_equal(room_delete(room), "done");
	int64_t left_s = redis_number(client, "TTL %saudit", room->prefix);
	assert_in_range(left_s, 3590, 3600);
	/* A queue of that name that is made later keeps it on. */
	const char *made[] = {"put", "0", "E9", "{}", "1", "lanes", "main:1:open", ENTRY, "100"};
	assert_memory_equal(room_call(room, "queue_put", 9, made), "created", 7);
	assert_int_equal(redis_number(client, "TTL %saudit", room->prefix), -1);
	assert_int_equal(redis_number(client, "XLEN %saudit", room->prefix), 2);
	room_free(room);
}

static void who_revokes_is_written_down_with_what_the_place_was(void **state)
{
	(void)state;
	struct room *room = room_open(client, "capacity=1");
	room_join(room, "ann bob");
	room_poll(room, "ann");
	const char *waiting[] = {"operator", ENTRY, "100", "bob"};
	const char *inside[] = {"operator", ENTRY, "100", "ann"};
	room_call(room, "release", 4, waiting);
	assert_null(last_entry(room->prefix));
	room_call(room, "release", 4, inside);
	expect_entry(room->prefix, "{\"state\":\"claimed\"}");
	room_free(room);
}

static void about_as_many_entries_are_kept_as_was_said(void **state)
{
	(void)state;
	for (int i = 0; i < 400; i++)
		assert_string_equal(RUN("audit", ENTRY, "100"), "ok " NOW);
	assert_in_range(redis_number(client, "XLEN " SHARD "audit"), 100, 250);
	assert_int_equal(redis_number(client, "XLEN " SHARD "outbox"), 400);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, empty_shard, leave_shard)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_is_found_until_it_is_dropped),
		TEST(a_key_is_refused_without_a_trace),
		TEST(a_tenant_is_made_changed_and_keeps_its_time),
		TEST(what_was_before_is_told_by_the_step_that_changes_it),
		TEST(a_tenant_with_queues_stays),
		TEST(a_tenant_takes_its_keys_with_it_and_no_others),
		TEST(a_tenant_has_as_many_queues_as_it_may),
		TEST(an_entry_alone_is_written_where_there_is_a_queue),
		TEST(a_change_of_settings_is_written_down_once_and_only_when_it_changes),
		TEST(the_audit_of_a_deleted_queue_stays_for_its_time),
		TEST(who_revokes_is_written_down_with_what_the_place_was),
		TEST(about_as_many_entries_are_kept_as_was_said),
	};
	return cmocka_run_group_tests_name("scripts_admin", tests, shared_redis_open,
									   shared_redis_close);
}
