/* Bypass: which requests pass without a session; above all, which do not although they look so. */
#include "waitingroom/bypass.h"

#include "support/cmocka.h"
#include "support/dice.h"
#include "support/settings_json.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct queue_settings ruled(const char *rules)
{
	char json[16384];
	snprintf(json, sizeof(json), "{\"bypass\":%s}", rules);
	return settings_json_good(json);
}

static int match(const char *rules, const struct bypass_request *request)
{
	struct queue_settings settings = ruled(rules);
	int number = bypass_match(&settings, request);
	queue_settings_clear(&settings);
	return number;
}

static bool path_passes(const char *rule, const char *path)
{
	char rules[512];
	snprintf(rules, sizeof(rules), "[%s]", rule);
	struct bypass_request request = {.method = "GET", .path = path};
	return match(rules, &request) == 0;
}

/* ---- paths ---- */

static void a_path_prefix_ends_at_a_slash(void **state)
{
	(void)state;
	static const char rule[] = "{\"path_prefix\":\"/static\"}";
	assert_true(path_passes(rule, "/static"));
	assert_true(path_passes(rule, "/static/"));
	assert_true(path_passes(rule, "/static/a/b.css"));
	assert_true(path_passes(rule, "/static?x=/../y"));
	assert_true(path_passes(rule, "/static/a%20b%C3%a9.css"));
	assert_false(path_passes(rule, "/statics"));
	assert_false(path_passes(rule, "/Static"));
	assert_false(path_passes(rule, "/a/static"));
	assert_false(path_passes(rule, "/stati"));
	assert_true(path_passes("{\"path_prefix\":\"/static/\"}", "/static/a"));
	assert_false(path_passes("{\"path_prefix\":\"/static/\"}", "/static"));
	assert_true(path_passes("{\"path_prefix\":\"/\"}", "/anything"));
}

static void a_path_that_can_be_read_in_two_ways_fits_no_rule(void **state)
{
	(void)state;
	static const char *const tricks[] = {
		"/static/../checkout.css",
		"/static/./checkout.css",
		"/static/..;/checkout.css",
		"/static/%2e%2e/checkout.css",
		"/static/%2E./checkout.css",
		"/static/..%2fcheckout.css",
		"/static/..\\checkout.css",
		"/static/%5c..%5cx.css",
		"/static//checkout.css",
		"//static/checkout.css",
		"/static/a;b/x.css",
		"/static/a%00.css",
		"/static/a%2",
		"/static/a%zz.css",
		"/static/%252e%252e/x.css",
		"/static/a%3fx.css",
		"/static/a%7f.css",
		"/static/a b.css",
		"/static/\xc3\xa9.css",
		"static/a.css",
		"/static/a\x01.css",
		"/checkout.css/..",
		"",
		"http://x/static/a.css",
		"/static/a.css/.",
	};
	for (size_t i = 0; i < COUNT_OF(tricks); i++) {
		if (path_passes("{\"path_prefix\":\"/static\"}", tricks[i]))
			fail_msg("prefix: %s passes", tricks[i]);
		if (path_passes("{\"extension\":\"css\"}", tricks[i]))
			fail_msg("extension: %s passes", tricks[i]);
	}
}

static void an_extension_is_that_of_the_last_part(void **state)
{
	(void)state;
	static const char rule[] = "{\"extension\":\"CSS\"}";
	assert_true(path_passes(rule, "/a/b.css"));
	assert_true(path_passes(rule, "/a/b.CsS"));
	assert_true(path_passes(rule, "/a/b.min.css?v=1"));
	assert_false(path_passes(rule, "/a/b.css/c"));
	assert_false(path_passes(rule, "/a/b.css/"));
	assert_false(path_passes(rule, "/a/.css"));
	assert_false(path_passes(rule, "/a/bcss"));
	assert_false(path_passes(rule, "/css"));
	assert_false(path_passes(rule, "/checkout?x=.css"));
	assert_false(path_passes(rule, "/checkout#.css"));
}

/* ---- networks ---- */

static bool address_passes(const char *network, const char *address)
{
	char rules[256];
	snprintf(rules, sizeof(rules), "[{\"network\":\"%s\"}]", network);
	struct bypass_request request = {.address = address};
	return match(rules, &request) == 0;
}

static void a_network_is_its_prefix_to_the_bit(void **state)
{
	(void)state;
	assert_true(address_passes("192.0.2.0/24", "192.0.2.255"));
	assert_false(address_passes("192.0.2.0/24", "192.0.3.0"));
	assert_true(address_passes("192.0.2.64/26", "192.0.2.127"));
	assert_false(address_passes("192.0.2.64/26", "192.0.2.128"));
	assert_false(address_passes("192.0.2.64/26", "192.0.2.63"));
	assert_true(address_passes("192.0.2.7", "192.0.2.7"));
	assert_false(address_passes("192.0.2.7", "192.0.2.6"));
	assert_true(address_passes("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(address_passes("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(address_passes("::1", "::1"));
	assert_true(address_passes("0.0.0.0/0", "203.0.113.9"));
	assert_false(address_passes("0.0.0.0/0", "2001:db8::1"));
	assert_true(address_passes("192.0.2.0/24", "::ffff:192.0.2.9")); /* the same address */
	assert_false(address_passes("0.0.0.0/0", "unix"));
	assert_false(address_passes("0.0.0.0/0", NULL));
}

/* ---- user agents ---- */

static bool agent_passes(const char *pattern, const char *agent)
{
	char rules[600];
	snprintf(rules, sizeof(rules), "[{\"user_agent\":\"%s\"}]", pattern);
	struct bypass_request request = {.user_agent = agent};
	return match(rules, &request) == 0;
}

static void a_user_agent_fits_a_pattern_of_stars(void **state)
{
	(void)state;
	assert_true(agent_passes("*Googlebot/*", "Mozilla/5.0 (compatible; googleBOT/2.1)"));
	assert_false(agent_passes("*Googlebot/*", "Mozilla/5.0 (compatible; Googlebot 2.1)"));
	assert_true(agent_passes("curl/*", "curl/8.1"));
	assert_false(agent_passes("curl/*", "xcurl/8.1"));
	assert_true(agent_passes("*monitor", "a monitor monitor"));
	assert_false(agent_passes("*monitor", "a monitor."));
	assert_true(agent_passes("a*b*c", "a.b.b.c"));
	assert_true(agent_passes("a*b*c", "abc"));
	assert_false(agent_passes("a*b*c", "acb"));
	assert_false(agent_passes("ab*ba", "aba"));
	assert_true(agent_passes("exact", "Exact"));
	assert_false(agent_passes("exact", "exactly"));
	assert_false(agent_passes("exact", "exac"));
	assert_true(agent_passes("a**b", "ab"));
	assert_false(agent_passes("a*", ""));
	assert_false(agent_passes("a*", NULL));
}

/* Texts of a few letters, so that they often fit. */
static void a_pattern_fits_what_the_shell_would_say(void **state)
{
	(void)state;
	dice_start();
	unsigned fits = 0;
	for (unsigned round = 0; round < 20000; round++) {
		char pattern[12] = "", text[12] = "";
		for (uint64_t i = 0, chars = 1 + dice(8); i < chars; i++)
			pattern[i] = "ab*"[dice(3)];
		for (uint64_t i = 0, chars = dice(10); i < chars; i++)
			text[i] = "abAB"[dice(4)];
		if (pattern[strspn(pattern, "*")] == '\0')
			continue; /* nothing but stars is refused */
		bool expected = fnmatch(pattern, text, FNM_CASEFOLD) == 0;
		if (agent_passes(pattern, text) != expected)
			fail_msg("\"%s\" and \"%s\": should be %d", pattern, text, expected);
		fits += expected;
	}
	assert_true(fits > 1000);
}

static void a_long_user_agent_is_looked_at_in_part(void **state)
{
	(void)state;
	char agent[2000];
	memset(agent, 'a', sizeof(agent));
	memcpy(agent + 600, "robot", 5);
	agent[sizeof(agent) - 1] = '\0';
	assert_false(agent_passes("*robot*", agent));
	memcpy(agent + 100, "robot", 5);
	assert_true(agent_passes("*robot*", agent));
}

/* ---- headers and methods ---- */

static const char *header_of(void *ctx, const char *name)
{
	assert_string_equal(name, "x-monitor");
	return ctx;
}

static void a_header_passes_with_its_secret_only(void **state)
{
	(void)state;
	/* printf %s open-sesame | sha256sum */
	static const char rules[] =
		"[{\"header\":\"X-Monitor\",\"secret_sha256\":"
		"\"d7ecdf25eaf3deba0f2628771dbdd22d4138ab6cf38f91ed02a2ca0dec7c8ab7\"}]";
	char secret[] = "open-sesame", wrong[] = "open-sesamE", longer[] = "open-sesame ";
	struct bypass_request request = {.header = header_of, .ctx = secret};
	assert_int_equal(match(rules, &request), 0);
	request.ctx = wrong;
	assert_int_equal(match(rules, &request), -1);
	request.ctx = longer;
	assert_int_equal(match(rules, &request), -1);
	request.ctx = NULL;
	assert_int_equal(match(rules, &request), -1);
	request.header = NULL;
	assert_int_equal(match(rules, &request), -1);
}

static void methods_are_those_that_are_listed(void **state)
{
	(void)state;
	static const char rules[] = "[{\"methods\":[\"HEAD\",\"OPTIONS\"]}]";
	assert_int_equal(match(rules, &(struct bypass_request){.method = "OPTIONS"}), 0);
	assert_int_equal(match(rules, &(struct bypass_request){.method = "HEAD"}), 0);
	assert_int_equal(match(rules, &(struct bypass_request){.method = "GET"}), -1);
	assert_int_equal(match(rules, &(struct bypass_request){.method = "head"}), -1);
	assert_int_equal(match(rules, &(struct bypass_request){.method = "BREW"}), -1);
	assert_int_equal(match(rules, &(struct bypass_request){.method = NULL}), -1);
}

/* ---- rules together ---- */

static void all_members_of_a_rule_must_fit(void **state)
{
	(void)state;
	static const char rules[] = "[{\"path_prefix\":\"/health\",\"network\":\"10.0.0.0/8\","
								"\"user_agent\":\"probe*\",\"methods\":[\"GET\"]}]";
	struct bypass_request request = {
		.method = "GET", .path = "/health", .address = "10.1.2.3", .user_agent = "probe/1"};
	assert_int_equal(match(rules, &request), 0);
	struct bypass_request other = request;
	other.method = "POST";
	assert_int_equal(match(rules, &other), -1);
	other = request;
	other.path = "/";
	assert_int_equal(match(rules, &other), -1);
	other = request;
	other.address = "11.1.2.3";
	assert_int_equal(match(rules, &other), -1);
	other = request;
	other.user_agent = "curl";
	assert_int_equal(match(rules, &other), -1);
}

static void the_first_rule_that_fits_is_given(void **state)
{
	(void)state;
	static const char rules[] =
		"[{\"path_prefix\":\"/a\"},{\"path_prefix\":\"/b\"},{\"methods\":[\"GET\"]}]";
	assert_int_equal(match(rules, &(struct bypass_request){.method = "GET", .path = "/b"}), 1);
	assert_int_equal(match(rules, &(struct bypass_request){.method = "GET", .path = "/c"}), 2);
	assert_int_equal(match(rules, &(struct bypass_request){.method = "PUT", .path = "/c"}), -1);
	assert_int_equal(match("[]", &(struct bypass_request){.method = "GET", .path = "/a"}), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_prefix_ends_at_a_slash),
		cmocka_unit_test(a_path_that_can_be_read_in_two_ways_fits_no_rule),
		cmocka_unit_test(an_extension_is_that_of_the_last_part),
		cmocka_unit_test(a_network_is_its_prefix_to_the_bit),
		cmocka_unit_test(a_user_agent_fits_a_pattern_of_stars),
		cmocka_unit_test(a_pattern_fits_what_the_shell_would_say),
		cmocka_unit_test(a_long_user_agent_is_looked_at_in_part),
		cmocka_unit_test(a_header_passes_with_its_secret_only),
		cmocka_unit_test(methods_are_those_that_are_listed),
		cmocka_unit_test(all_members_of_a_rule_must_fit),
		cmocka_unit_test(the_first_rule_that_fits_is_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
