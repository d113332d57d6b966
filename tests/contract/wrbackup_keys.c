/* Keys of every type out of a store and back: what is missing is added, what is there stays, and
 * what has another value is only taken over when that is asked for. */
#include "cmd/wrbackup/keys.h"
#include "support/cmocka.h"
#include "support/redis.h"
#include "support/servers.h"
#include "waitingroom/memory.h"

#include <stdlib.h>
#include <string.h>

static struct redis_server *server;
static struct redis_client *client;
static struct loop *loop;
static struct store_address *address;
static struct store *store;

static int start(void **state)
{
	(void)state;
	struct err_detail detail;
	struct store_options options;
	static const char *const extra[] = {"--enable-debug-command", "local", NULL};
	server = redis_start(&(struct redis_options){.extra = extra});
	client = redis_client_new(server);
	loop = loop_new();
	assert_int_equal(store_address_parse(redis_url(server), &address, &detail), WR_OK);
	store_options_default(&options);
	store = store_new(loop, address, &options);
	assert_true(store_wait_ready(store, 10000));
	return 0;
}

static int stop(void **state)
{
	(void)state;
	store_free(store);
	loop_free(loop);
	store_address_free(address);
	redis_client_free(client);
	redis_free(server);
	return 0;
}

static void run(const char *command)
{
	freeReplyObject(redis_run(client, command));
}

/* Of the value, by the store; gives */
static char *digest(void)
{
	redisReply *reply = redis_run(client, "DEBUG DIGEST-VALUE k");
	assert_int_equal(reply->elements, 1);
	char *text = mem_copy_string(reply->element[0]->str);
	freeReplyObject(reply);
	return text;
}

static struct key read_key(const char *name)
{
	struct key key;
	struct err_detail detail = {{0}};
	assert_int_equal(key_read(store, name, &key, &detail), WR_OK);
	return key;
}

static enum key_state put(const struct key *key, bool write, bool replace)
{
	enum key_state state = KEY_DIFFERENT;
	struct err_detail detail = {{0}};
	assert_int_equal(key_put(store, "k", key, write, replace, &state, &detail), WR_OK);
	return state;
}

static const struct {
	const char *make, *word, *count; /* count: a command that tells how many there are */
	int64_t many;
	const char *change; /* another value for something that is there; NULL: such a thing has none */
} types[] = {
	{"SET k value", "string", "STRLEN k", 5, "SET k other"},
	{"HSET k a 1 b 2 c 3", "hash", "HLEN k", 3, "HSET k b 9"},
	{"SADD k a b c", "set", "SCARD k", 3, NULL},
	{"ZADD k 1 a 2 b 3 c", "zset", "ZCARD k", 3, "ZADD k 9 b"},
	{"RPUSH k a b a", "list", "LLEN k", 3, "LSET k 1 other"},
	{"XADD k 5-1 f v g w", "stream", "XLEN k", 1, NULL},
};
#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

static void a_key_that_is_missing_comes_back_as_it_was(void **state)
{
	(void)state;
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		run("DEL k");
		run(types[i].make);
		struct key key = read_key("k");
		assert_string_equal(key_type_word(key.type), types[i].word);
		WR_AUTO(mem_free_at) char *before = digest();
		run("DEL k");
		assert_int_equal(put(&key, false, false), KEY_MISSING);
		assert_int_equal(redis_number(client, "EXISTS k"), 0); /* it was only looked at */
		assert_int_equal(put(&key, true, false), KEY_MISSING);
		assert_int_equal(redis_number(client, types[i].count), types[i].many);
		assert_int_equal(put(&key, true, false), KEY_SAME);
		assert_int_equal(redis_number(client, types[i].count), types[i].many);
		WR_AUTO(mem_free_at) char *after = digest();
		assert_string_equal(after, before);
		key_clear(&key);
	}
}

static void another_value_is_replaced_only_when_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (!types[i].change)
			continue;
		run("DEL k");
		run(types[i].make);
		struct key key = read_key("k");
		run(types[i].change);
		WR_AUTO(mem_free_at) char *changed = digest();
		assert_int_equal(put(&key, true, false), KEY_DIFFERENT);
		WR_AUTO(mem_free_at) char *still = digest();
		assert_string_equal(still, changed);
		assert_int_equal(put(&key, true, true), KEY_DIFFERENT);
		assert_int_equal(put(&key, false, false), KEY_SAME);
		key_clear(&key);
	}
}

static void nothing_that_is_only_in_the_store_is_taken_away(void **state)
{
	(void)state;
	run("DEL k");
	run("HSET k a 1");
	struct key key = read_key("k");
	run("HSET k later 2");
	run("HDEL k a");
	assert_int_equal(put(&key, true, true), KEY_MISSING);
	assert_int_equal(redis_number(client, "HLEN k"), 2);
	key_clear(&key);
}

static void entries_of_a_stream_are_put_between_those_that_are_there(void **state)
{
	(void)state;
	run("DEL k");
	for (int i = 1; i <= 9; i++)
		freeReplyObject(redis_run(client, "XADD k %d-%d n %d", i, i % 2 ? 9 : 10, i));
	struct key key = read_key("k");
	for (int i = 1; i <= 9; i += 2)
		freeReplyObject(redis_run(client, "XDEL k %d-9", i));
	run("XADD k 20-1 n new");
	assert_int_equal(put(&key, true, false), KEY_MISSING);
	redisReply *entries = redis_run(client, "XRANGE k - +");
	assert_int_equal(entries->elements, 10);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(atoi(entries->element[i]->element[1]->element[1]->str), (int)i + 1);
	assert_string_equal(entries->element[9]->element[0]->str, "20-1");
	freeReplyObject(entries);
	assert_int_equal(redis_number(client, "EXISTS k:restoring"), 0);
	key_clear(&key);
}

static void a_key_of_another_type_is_left_alone(void **state)
{
	(void)state;
	run("DEL k");
	run("SADD k a");
	struct key key = read_key("k");
	run("DEL k");
	run("SET k mine");
	assert_int_equal(put(&key, true, true), KEY_DIFFERENT);
	assert_int_equal(redis_number(client, "STRLEN k"), 4);
	key_clear(&key);
}

static void any_bytes_are_taken(void **state)
{
	(void)state;
	run("DEL k");
	freeReplyObject(redis_run(client, "HSET k %b %b", "a\0b", (size_t)3, "\xff\r\n", (size_t)3));
	freeReplyObject(redis_run(client, "HSET k %s %b", "empty", "", (size_t)0));
	struct key key = read_key("k");
	assert_int_equal(key.items.count, 4);
	run("DEL k");
	assert_int_equal(put(&key, true, false), KEY_MISSING);
	redisReply *value = redis_run(client, "HGET k %b", "a\0b", (size_t)3);
	assert_int_equal(value->len, 3);
	assert_memory_equal(value->str, "\xff\r\n", 3);
	freeReplyObject(value);
	key_clear(&key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_is_missing_comes_back_as_it_was),
		cmocka_unit_test(another_value_is_replaced_only_when_asked_for),
		cmocka_unit_test(nothing_that_is_only_in_the_store_is_taken_away),
		cmocka_unit_test(entries_of_a_stream_are_put_between_those_that_are_there),
		cmocka_unit_test(a_key_of_another_type_is_left_alone),
		cmocka_unit_test(any_bytes_are_taken),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
