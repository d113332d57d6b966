/* Store addresses: what is taken, what is refused and why, and where connections are made to. */
#include "lib/store/client.h"

#include "support/cmocka.h"

#include <string.h>

static struct store_address *parsed(const char *url)
{
	struct store_address *address = NULL;
	struct err_detail detail = {0};
	if (store_address_parse(url, &address, &detail))
		fail_msg("%s: %s", url, detail.text);
	return address;
}

static void each_part_of_a_url_is_taken(void **state)
{
	(void)state;
	static const struct {
		const char *url, *host, *user, *password;
		int port, database;
	} urls[] = {
		{"redis://127.0.0.1", "127.0.0.1", "", "", 6379, 0},
		{"redis://127.0.0.1/", "127.0.0.1", "", "", 6379, 0},
		{"redis://127.0.0.1:7000/3", "127.0.0.1", "", "", 7000, 3},
		{"redis://:secret@127.0.0.1", "127.0.0.1", "", "secret", 6379, 0},
		{"redis://app:se%3Acret%40@127.0.0.1:1/0", "127.0.0.1", "app", "se:cret@", 1, 0},
		{"redis://app:p@ss@127.0.0.1", "127.0.0.1", "app", "p@ss", 6379, 0},
		{"redis://[::1]", "::1", "", "", 6379, 0},
		{"redis://u:p@[::1]:7001/9", "::1", "u", "p", 7001, 9},
		{"unix:///run/redis.sock", "/run/redis.sock", "", "", 0, 0},
		{"unix:///run/a%20b?db=12", "/run/a b", "", "", 0, 12},
	};
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct store_address *address = parsed(urls[i].url);
		struct store_endpoint endpoint;
		assert_true(store_address_pick(address, 0, &endpoint));
		assert_string_equal(endpoint.host, urls[i].host);
		assert_int_equal(endpoint.port, urls[i].port);
		assert_string_equal(store_address_user(address), urls[i].user);
		assert_string_equal(store_address_password(address), urls[i].password);
		assert_int_equal(store_address_database(address), urls[i].database);
		store_address_free(address);
	}
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *url, *word;
	} urls[] = {
		{"", "must be redis://"},
		{"127.0.0.1:6379", "must be redis://"},
#ifndef WR_STORE_TLS
		{"rediss://127.0.0.1", "TLS"},
#endif
		{"rediss://h?x=1", "behind"},
		{"redis://", "host"},
		{"redis://:6379", "host"},
		{"redis://127.0.0.1:", "port"},
		{"redis://127.0.0.1:0", "port"},
		{"redis://127.0.0.1:65536", "port"},
		{"redis://127.0.0.1:63x9", "port"},
		{"redis://[::1", "host"},
		{"redis://[::1]6379", "port"},
		{"redis://a/b", "database"},
		{"redis://a/0/1", "database"},
		{"redis://u:%zz@a", "escape"},
		{"redis://u:%00@a", "escape"},
		{"unix://run/redis.sock", "absolute"},
		{"unix:///run/redis.sock?db=x", "?db="},
		{"unix:///run/redis.sock?timeout=1", "?db="},
	};
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct store_address *address = NULL;
		struct err_detail detail = {0};
		assert_int_equal(store_address_parse(urls[i].url, &address, &detail), WR_BAD_CONFIG);
		assert_null(address);
		if (!strstr(detail.text, urls[i].word))
			fail_msg("%s: %s", urls[i].url, detail.text);
		assert_null(strstr(detail.text, "%zz"));
	}
}

static void attempts_go_around_all_addresses_of_a_name(void **state)
{
	(void)state;
	struct store_address *address = parsed("redis://localhost:7000");
	bool has_ipv4 = false;
	for (unsigned attempt = 0; attempt < 8; attempt++) {
		struct store_endpoint endpoint;
		assert_true(store_address_pick(address, attempt, &endpoint));
		has_ipv4 |= strcmp(endpoint.host, "127.0.0.1") == 0;
	}
	assert_true(has_ipv4);
	store_address_free(address);
}

static void a_path_too_long_for_a_socket_is_refused(void **state)
{
	(void)state;
	char url[256] = "unix:///";
	memset(url + strlen(url), 'x', 107);
	struct store_address *address = NULL;
	struct err_detail detail = {0};
	assert_int_equal(store_address_parse(url, &address, &detail), WR_BAD_CONFIG);
	url[strlen(url) - 1] = '\0';
	store_address_free(parsed(url));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_of_a_url_is_taken),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(attempts_go_around_all_addresses_of_a_name),
		cmocka_unit_test(a_path_too_long_for_a_socket_is_refused),
	};
	return cmocka_run_group_tests_name("store_address", tests, NULL, NULL);
}
