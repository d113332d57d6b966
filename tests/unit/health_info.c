/* What a store says of itself in INFO, as the doctor understands it. */
#include "waitingroom/health.h"

#include "support/cmocka.h"

static void info_of_redis_valkey_and_dragonfly_is_understood(void **state)
{
	(void)state;
	struct health_store store = {.reachable = true};
	health_read_info(&store,
					 "# Server\r\nredis_version:7.0.15\r\n# Memory\r\nused_memory:1048576\r\n"
					 "used_memory_human:1M\r\nmaxmemory:2097152\r\nmaxmemory_policy:allkeys-lru\r\n"
					 "loading:0\r\nrdb_last_bgsave_status:err\r\naof_enabled:0\r\n"
					 "aof_last_write_status:err\r\nrole:master\r\nconnected_slaves:2\r\n");
	assert_string_equal(store.server, "Redis");
	assert_string_equal(store.version, "7.0.15");
	assert_int_equal(store.used_bytes, 1048576);
	assert_int_equal(store.max_bytes, 2097152);
	assert_int_equal(store.replicas, 2);
	assert_true(store.evicts);
	assert_true(store.saving_failed);
	assert_false(store.appending_failed); /* it is off */
	store = (struct health_store){.reachable = true};
	health_read_info(&store, "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n"
							 "maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n");
	assert_string_equal(store.server, "Valkey");
	assert_string_equal(store.version, "8.0.1");
	assert_false(store.evicts); /* nothing to make room for */
	store = (struct health_store){.reachable = true};
	health_read_info(&store, "redis_version:7.4.0\r\ndragonfly_version:df-v1.39.0\r\n"
							 "maxmemory:1000\r\ncache_mode:cache\r\nrole:master\r\n");
	assert_string_equal(store.server, "DragonflyDB");
	assert_true(store.evicts);
	health_read_info(&store, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info_of_redis_valkey_and_dragonfly_is_understood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
