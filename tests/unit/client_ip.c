/* Client addresses: parsing, networks, and the walk through X-Forwarded-For. */
#include "waitingroom/client_ip.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

static struct trusted_proxies *proxies_of(const char *text)
{
	struct trusted_proxies *list;
	struct err_detail detail = {""};
	if (trusted_proxies_parse(text, &list, &detail))
		fail_msg("%s", detail.text);
	return list;
}

static void expect_found(const char *proxies, const char *peer, const char *forwarded_for,
						 const char *expected)
{
	struct trusted_proxies *list = proxies ? proxies_of(proxies) : NULL;
	struct client_ip wanted, found = client_ip_find(peer, forwarded_for, list);
	assert_true(client_ip_parse(expected, &wanted));
	if (memcmp(&found, &wanted, sizeof(found)))
		fail_msg("peer %s, \"%s\": not %s", peer, forwarded_for ? forwarded_for : "", expected);
	trusted_proxies_free(list);
}

static void addresses_of_both_kinds_are_parsed_and_nothing_else(void **state)
{
	(void)state;
	struct client_ip ip;
	assert_true(client_ip_parse("192.0.2.1", &ip));
	assert_true(ip.is_v4);
	struct client_ip mapped;
	assert_true(client_ip_parse("::ffff:192.0.2.1", &mapped));
	assert_memory_equal(&ip, &mapped, sizeof(ip));
	assert_true(client_ip_parse("2001:db8::1", &ip));
	assert_false(ip.is_v4);
	static const char *const bad[] = {"",		   "unix",	   "1.2.3",			"1.2.3.4.5",
									  "256.1.1.1", "1.2.3.4 ", "2001:db8::1%1", "[2001:db8::1]",
									  "1.2.3.4:5", "::g"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(client_ip_parse(bad[i], &ip));
}

static void a_network_is_the_24_of_v4_and_the_48_of_v6(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"192.0.2.77", "192.0.2.0"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1::"},
		{"::ffff:203.0.113.9", "203.0.113.0"},
		{"::1", "::"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct client_ip ip;
		char text[NETWORK_TEXT_BYTES];
		assert_true(client_ip_parse(rows[i][0], &ip));
		client_ip_network(&ip, text);
		assert_string_equal(text, rows[i][1]);
	}
}

static uint64_t hash_of(const char *text, int v4_bits, int v6_bits)
{
	struct client_ip ip;
	assert_true(client_ip_parse(text, &ip));
	return client_ip_hash(&ip, v4_bits, v6_bits);
}

static void a_hash_covers_the_prefix_and_only_the_prefix(void **state)
{
	(void)state;
	assert_true(hash_of("192.0.2.1", 24, 48) == hash_of("192.0.2.254", 24, 48));
	assert_true(hash_of("192.0.2.1", 24, 48) != hash_of("192.0.3.1", 24, 48));
	assert_true(hash_of("192.0.2.1", 32, 64) != hash_of("192.0.2.2", 32, 64));
	assert_true(hash_of("192.0.2.128", 25, 64) != hash_of("192.0.2.127", 25, 64));
	assert_true(hash_of("2001:db8:0:1::1", 32, 64) == hash_of("2001:db8:0:1::2", 32, 64));
	assert_true(hash_of("2001:db8:0:1::1", 32, 64) != hash_of("2001:db8:0:2::1", 32, 64));
	assert_true(hash_of("2001:db8:0:1::1", 24, 48) == hash_of("2001:db8:0:2::1", 24, 48));
}

static void a_stranger_cannot_say_who_he_is(void **state)
{
	(void)state;
	expect_found(NULL, "192.0.2.1", "203.0.113.7", "192.0.2.1");
	expect_found("10.0.0.0/8", "192.0.2.1", "203.0.113.7", "192.0.2.1");
	expect_found("", "10.0.0.1", "203.0.113.7", "10.0.0.1");
}

static void the_walk_goes_from_the_right_over_our_proxies(void **state)
{
	(void)state;
	const char *ours = "10.0.0.0/8, 127.0.0.1,fd00::/8";
	expect_found(ours, "10.0.0.1", "203.0.113.7", "203.0.113.7");
	expect_found(ours, "10.0.0.1", "198.51.100.1, 203.0.113.7, 10.2.3.4", "203.0.113.7");
	expect_found(ours, "127.0.0.1", "203.0.113.7,fd12::1 ,\t10.9.9.9", "203.0.113.7");
	expect_found(ours, "fd00::5", "2001:db8::7", "2001:db8::7");
	expect_found(ours, "::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7");
	expect_found(ours, "10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"); /* all ours: the first */
	expect_found(ours, "10.0.0.1", NULL, "10.0.0.1");
	expect_found(ours, "unix", "203.0.113.7", "203.0.113.7");
	expect_found(NULL, "unix", NULL, "0.0.0.0");
}

static void garbage_ends_the_walk_at_the_peer(void **state)
{
	(void)state;
	static const char *const garbage[] = {
		"",
		",",
		", ,",
		"unknown",
		"203.0.113.7,",
		"203.0.113.7, x",
		"203.0.113.7 198.51.100.1",
		"203.0.113.7;10.0.0.1",
		"[::1",
		"1.2.3.4:5:6",
		"<script>",
		"203.0.113.7, _hidden, 10.0.0.2",
		"203.0.113.7, 000000000000000000000000000000000000000000000000000000000000000010.0.0.1"};
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		expect_found("10.0.0.0/8", "10.0.0.1", garbage[i], "10.0.0.1");
	expect_found(NULL, "unix", "garbage", "0.0.0.0");
}

static void ports_behind_addresses_are_ignored(void **state)
{
	(void)state;
	expect_found("10.0.0.0/8", "10.0.0.1", "203.0.113.7:4711", "203.0.113.7");
	expect_found("10.0.0.0/8", "10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7");
	expect_found("10.0.0.0/8", "10.0.0.1", "[2001:db8::7]", "2001:db8::7");
}

static void the_walk_ends_after_sixteen_hops(void **state)
{
	(void)state;
	char list[512] = "203.0.113.7";
	for (int i = 1; i <= 20; i++)
		sprintf(list + strlen(list), ", 10.0.0.%d", i);
	expect_found("10.0.0.0/8", "10.1.1.1", list, "10.0.0.5");
}

static void a_list_takes_addresses_networks_and_spaces(void **state)
{
	(void)state;
	trusted_proxies_free(proxies_of(""));
	trusted_proxies_free(proxies_of(" , ,"));
	expect_found("0.0.0.0/0", "8.8.8.8", "203.0.113.7", "203.0.113.7");
	expect_found("192.0.2.128/25", "192.0.2.127", "203.0.113.7", "192.0.2.127");
	expect_found("192.0.2.128/25", "192.0.2.129", "203.0.113.7", "203.0.113.7");
	expect_found("192.0.2.77/24", "192.0.2.1", "203.0.113.7", "203.0.113.7"); /* host bits */
	expect_found("0.0.0.0/0", "2001:db8::1", "203.0.113.7", "2001:db8::1");
}

static void a_bad_entry_of_the_list_is_named(void **state)
{
	(void)state;
	static const char *const bad[] = {"10.0.0.0/33", "10.0.0.0/",	 "fd00::/129",
									  "host",		 "10.0.0.0/8/8", "10.0.0/8",
									  "/8",			 "10.0.0.0/-1",	 "10.0.0.1 10.0.0.2"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];
		struct trusted_proxies *list = NULL;
		struct err_detail detail = {""};
		snprintf(text, sizeof(text), "127.0.0.1, %s ,::1", bad[i]);
		assert_int_equal(trusted_proxies_parse(text, &list, &detail), WR_BAD_CONFIG);
		assert_non_null(strstr(detail.text, bad[i]));
		assert_null(list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_both_kinds_are_parsed_and_nothing_else),
		cmocka_unit_test(a_network_is_the_24_of_v4_and_the_48_of_v6),
		cmocka_unit_test(a_hash_covers_the_prefix_and_only_the_prefix),
		cmocka_unit_test(a_stranger_cannot_say_who_he_is),
		cmocka_unit_test(the_walk_goes_from_the_right_over_our_proxies),
		cmocka_unit_test(garbage_ends_the_walk_at_the_peer),
		cmocka_unit_test(ports_behind_addresses_are_ignored),
		cmocka_unit_test(the_walk_ends_after_sixteen_hops),
		cmocka_unit_test(a_list_takes_addresses_networks_and_spaces),
		cmocka_unit_test(a_bad_entry_of_the_list_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
