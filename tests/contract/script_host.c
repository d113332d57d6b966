/* Does the strict Lua of the tests (support/script_host.h) refuse what it is there to refuse?
 *
 * Each planted script breaks one rule; most of them run without complaint in Redis. Both
 * interpreters must refuse it, or only the one in which it is wrong, and say why.
 */
#include "support/script_host.h"
#include "support/cmocka.h"
#include "support/redis.h"
#include "support/servers.h"

#include <stdio.h>
#include <string.h>

#define KEY "wr:{tests/rules}:settings"
#define LUA51 1u
#define LUA54 2u
#define BOTH (LUA51 | LUA54)

static struct redis_server *server;
static redisContext *context;
static struct script_host *hosts[2];

static int start(void **state)
{
	(void)state;
	server = redis_start(NULL);
	context = redisConnectUnix(redis_socket(server));
	hosts[0] = script_host_start("lua5.1");
	hosts[1] = script_host_start("lua5.4");
	return context && !context->err ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	script_host_stop(hosts[0]);
	script_host_stop(hosts[1]);
	redisFree(context);
	redis_free(server);
	return 0;
}

static redisReply *run(unsigned host, const char *text)
{
	static const char *const argv[] = {"first", "12"};
	return script_host_run(hosts[host], context, "planted", text, KEY, 1700000000123, 2, argv);
}

/* Refused by 'by' with this word in the reason, and by no other. */
static void refuses(unsigned by, const char *text, const char *why)
{
	for (unsigned host = 0; host < 2; host++) {
		redisReply *reply = run(host, text);
		bool refused = reply->type == REDIS_REPLY_ERROR;
		if (refused != !!(by & 1u << host))
			fail_msg("lua %s %s: %s", host ? "5.4" : "5.1", refused ? "refused" : "took", text);
		if (refused && !strstr(reply->str, why))
			fail_msg("%s\n  is refused for another reason: %s", text, reply->str);
		freeReplyObject(reply);
	}
}

static void takes(const char *text, const char *expected)
{
	for (unsigned host = 0; host < 2; host++) {
		redisReply *reply = run(host, text);
		char answer[128];
		snprintf(answer, sizeof(answer), "%lld", reply->integer);
		assert_string_equal(reply->type == REDIS_REPLY_INTEGER ? answer : reply->str, expected);
		freeReplyObject(reply);
	}
}

static void a_good_script_is_taken_and_answers(void **state)
{
	(void)state;
	takes("return KEYS[1] .. ' ' .. ARGV[1] .. ' ' .. #ARGV", KEY " first 2");
	takes("redis.call('HSET', KEYS[1], 'a', '7') return redis.call('HGET', KEYS[1], 'a')", "7");
	takes("local tag = string.match(KEYS[1], '^wr:{[^{}]+}:') "
		  "redis.call('SET', tag .. 'epoch', 'e') return redis.call('EXISTS', tag .. 'epoch')",
		  "1");
	takes("redis.call('ZADD', KEYS[1] .. 'z', '5', 'm') "
		  "return math.floor(tonumber(redis.call('ZSCORE', KEYS[1] .. 'z', 'm')))",
		  "5");
	takes("if redis.call('GET', KEYS[1] .. 'none') then return 1 else return 0 end", "0");
}

static void time_is_text_in_one_and_whole_milliseconds_in_the_other(void **state)
{
	(void)state;
	static const char text[] = "local t = redis.call('TIME') return type(t[1]) .. ' ' .. t[1] "
							   ".. ' ' .. t[2]";
	redisReply *as_redis = run(0, text), *as_dragonfly = run(1, text);
	assert_string_equal(as_redis->str, "string 1700000000 123000");
	assert_string_equal(as_dragonfly->str, "number 1700000000 123000");
	freeReplyObject(as_redis);
	freeReplyObject(as_dragonfly);
}

static void a_key_of_another_tag_is_refused(void **state)
{
	(void)state;
	refuses(BOTH, "return redis.call('GET', 'wr:queues')", "another tag");
	refuses(BOTH, "return redis.call('GET', 'wr:{tests/other}:epoch')", "another tag");
	refuses(BOTH, "return redis.call('EXISTS', KEYS[1], 'x')", "another tag");
	refuses(BOTH, "return redis.call('RENAME', KEYS[1], 'x')", "another tag");
	refuses(BOTH, "return redis.call('GET', ARGV[1])", "another tag");
}

static void a_command_that_not_every_store_has_is_refused(void **state)
{
	(void)state;
	static const char *const commands[] = {"FUNCTION", "BITFIELD", "LPOS",	"WAIT",	  "EVAL",
										   "KEYS",	   "SCAN",	   "DEBUG", "CONFIG", "PUBLISH"};
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		char text[96];
		snprintf(text, sizeof(text), "return redis.call('%s', KEYS[1], 'a')", commands[i]);
		refuses(BOTH, text, "not among the commands");
	}
}

static void a_number_with_a_fraction_is_refused(void **state)
{
	(void)state;
	refuses(BOTH, "return 7 / 2", "not whole");
	refuses(BOTH, "return { 'ok', 0.5 }", "not whole");
	refuses(BOTH, "return redis.call('SET', KEYS[1], 7 / 2)", "not whole");
}

static void a_whole_number_that_is_a_float_is_refused_where_it_would_be_printed_so(void **state)
{
	(void)state;
	refuses(LUA54, "return 6 / 2", "not whole");
	refuses(LUA54, "redis.call('SET', KEYS[1], 6 / 2) return 0", "not whole");
	refuses(LUA54,
			"redis.call('DEL', KEYS[1]) redis.call('ZADD', KEYS[1], '5', 'm') "
			"return tonumber(redis.call('ZSCORE', KEYS[1], 'm'))",
			"not whole");
}

static void a_global_is_refused(void **state)
{
	(void)state;
	refuses(BOTH, "count = 1 return count", "global variable count");
	refuses(BOTH, "local function f() total = 1 end f() return 0", "global variable total");
	refuses(BOTH, "return coutn", "coutn is not there");
	refuses(BOTH, "string.x = 1 return 0", "global variable string.x");
}

static void what_one_of_the_libraries_lacks_is_refused(void **state)
{
	(void)state;
	refuses(BOTH, "return table.getn({})", "table.getn");
	refuses(BOTH, "return math.pow(2, 2)", "math.pow");
	refuses(BOTH, "return cjson.encode({})", "cjson");
	refuses(BOTH, "return redis.log('x')", "redis.log");
	refuses(BOTH, "return os.time()", "os is not there");
}

static void what_only_one_lua_can_read_is_refused(void **state)
{
	(void)state;
	refuses(LUA51, "return 7 // 2", "unexpected symbol");
	refuses(LUA51, "goto done ::done:: return 0", "=");
	refuses(BOTH, "#!lua flags=no-writes\nreturn 0", "shebang");
}

static void an_answer_with_a_hole_is_refused(void **state)
{
	(void)state;
	refuses(BOTH, "return { 'ok', state = 'w' }", "a hole or names");
	refuses(BOTH, "return { 'ok', true }", "a boolean");
	refuses(BOTH, "return nil", "a nil");
}

static void a_time_to_live_over_2_to_28_ms_is_refused(void **state)
{
	(void)state;
	refuses(BOTH, "return redis.call('PEXPIRE', KEYS[1], '268435456')", "2^28");
	refuses(BOTH, "return redis.call('SET', KEYS[1], 'x', 'PX', '300000000')", "2^28");
}

static void a_run_without_bounds_is_refused(void **state)
{
	(void)state;
	refuses(BOTH, "for i = 1, 100000 do redis.call('EXISTS', KEYS[1]) end return 0",
			"more than 6000");
}

static void an_error_of_the_store_ends_the_script(void **state)
{
	(void)state;
	refuses(BOTH,
			"redis.call('DEL', KEYS[1]) redis.call('SET', KEYS[1], 'x') "
			"redis.call('HSET', KEYS[1], 'a', 'b') return 0",
			"WRONGTYPE");
}

static void a_cut_leaves_the_prefix_of_the_writes(void **state)
{
	(void)state;
	static const char text[] = "redis.call('DEL', KEYS[1]) redis.call('HSET', KEYS[1], 'a', '1') "
							   "redis.call('HGET', KEYS[1], 'a') "
							   "redis.call('HSET', KEYS[1], 'b', '1') return 0";
	for (unsigned host = 0; host < 2; host++) {
		script_host_cut_after(hosts[host], 2);
		redisReply *reply = run(host, text);
		assert_int_equal(reply->type, REDIS_REPLY_ERROR);
		assert_non_null(strstr(reply->str, "cut"));
		freeReplyObject(reply);
		reply = redisCommand(context, "HKEYS " KEY);
		assert_int_equal(reply->elements, 1);
		assert_string_equal(reply->element[0]->str, "a");
		freeReplyObject(reply);
		reply = run(host, text); /* the next run goes to its end again */
		assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
		freeReplyObject(reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_script_is_taken_and_answers),
		cmocka_unit_test(time_is_text_in_one_and_whole_milliseconds_in_the_other),
		cmocka_unit_test(a_key_of_another_tag_is_refused),
		cmocka_unit_test(a_command_that_not_every_store_has_is_refused),
		cmocka_unit_test(a_number_with_a_fraction_is_refused),
		cmocka_unit_test(a_whole_number_that_is_a_float_is_refused_where_it_would_be_printed_so),
		cmocka_unit_test(a_global_is_refused),
		cmocka_unit_test(what_one_of_the_libraries_lacks_is_refused),
		cmocka_unit_test(what_only_one_lua_can_read_is_refused),
		cmocka_unit_test(an_answer_with_a_hole_is_refused),
		cmocka_unit_test(a_time_to_live_over_2_to_28_ms_is_refused),
		cmocka_unit_test(a_run_without_bounds_is_refused),
		cmocka_unit_test(an_error_of_the_store_ends_the_script),
		cmocka_unit_test(a_cut_leaves_the_prefix_of_the_writes),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
