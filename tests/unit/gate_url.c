/* Gate URLs: wr_pass goes and every other byte stays, and nobody is sent where the queue's operator
 * does not want people.
 */
#include "waitingroom/gate_url.h"

#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SHOP "https://shop.example"

static struct queue_settings allowing(const char *first, const char *second)
{
	struct queue_settings settings;
	queue_settings_default(&settings);
	if (first)
		strcpy(settings.targets[settings.target_count++], first);
	if (second)
		strcpy(settings.targets[settings.target_count++], second);
	return settings;
}

static struct gate_url parsed(const char *text)
{
	struct gate_url url;
	if (!gate_url_parse(text, &url))
		fail_msg("%s is no URL", text);
	return url;
}

/* ---- passes ---- */

static void a_pass_is_found_wherever_it_stands(void **state)
{
	(void)state;
	static const struct {
		const char *url, *pass;
	} rows[] = {
		{SHOP "/?wr_pass=abc", "abc"},
		{SHOP "?wr_pass=abc", "abc"},
		{SHOP "/a?b=1&wr_pass=abc&c", "abc"},
		{SHOP "/?&&wr_pass=abc", "abc"},
		{SHOP "/?wr_pass=a&wr_pass=b", "a"},
		{SHOP "/?wr_pass=", ""},
		{SHOP "/?wr_pass", ""},
		{SHOP "/?x=?wr_pass=1&wr_pass=a=b", "a=b"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct gate_url url = parsed(rows[i].url);
		const char *pass = NULL;
		size_t len = 0;
		if (!gate_url_find_pass(&url, &pass, &len))
			fail_msg("%s", rows[i].url);
		assert_int_equal(len, strlen(rows[i].pass));
		assert_memory_equal(pass, rows[i].pass, len);
	}
}

static void what_only_looks_like_a_pass_is_none(void **state)
{
	(void)state;
	static const char *const urls[] = {
		SHOP "/wr_pass=abc",
		SHOP "/",
		SHOP "/?",
		SHOP "/?xwr_pass=abc",
		SHOP "/?wr_passx=abc",
		SHOP "/?x=wr_pass=abc",
		SHOP "/?WR_PASS=abc",
		SHOP "/?wr%5fpass=a",
		SHOP "/?x=1;wr_pass=abc",
		SHOP "/?wr_pas&s=1",
		SHOP "/&wr_pass=abc",
		"https://wr_pass=a.example/",
	};
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct gate_url url = parsed(urls[i]);
		const char *pass;
		size_t len;
		if (gate_url_find_pass(&url, &pass, &len))
			fail_msg("%s", urls[i]);
	}
}

static void without_the_pass_the_address_is_as_it_was(void **state)
{
	(void)state;
	static const struct {
		const char *with, *without;
	} rows[] = {
		{SHOP "/?wr_pass=abc", SHOP "/"},
		{SHOP "?wr_pass=abc", SHOP},
		{SHOP "/a?wr_pass=abc&b=1", SHOP "/a?b=1"},
		{SHOP "/a?b=1&wr_pass=abc", SHOP "/a?b=1"},
		{SHOP "/a?b=1&wr_pass=abc&c=2", SHOP "/a?b=1&c=2"},
		{SHOP "/a?z&&y=&wr_pass=abc&&x=%41+%2f", SHOP "/a?z&&y=&&x=%41+%2f"},
		{SHOP "/?a=1&wr_pass=x&b=2&wr_pass=y&wr_pass", SHOP "/?a=1&b=2"},
		{SHOP "/?wr_passage=1&wr_pass=x", SHOP "/?wr_passage=1"},
		{SHOP "/?a=1", SHOP "/?a=1"},
		{SHOP "/?", SHOP "/?"},
		{"HTTPS://Shop.Example:443/?wr_pass=x", SHOP "/"},
	};
	struct queue_settings settings = allowing(SHOP, NULL);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[VISIT_TARGET_MAX_BYTES + 1] = "";
		struct gate_url url = parsed(rows[i].with);
		assert_true(gate_url_return(&settings, &url, text));
		assert_string_equal(text, rows[i].without);
	}
}

static void an_address_as_long_as_a_target_may_be_survives(void **state)
{
	(void)state;
	static const char pass[] = "&wr_pass=0123456789";
	struct queue_settings settings = allowing(SHOP, NULL);
	for (int over = 0; over <= 1; over++) {
		char with[VISIT_TARGET_MAX_BYTES + 64], text[VISIT_TARGET_MAX_BYTES + 1];
		size_t len = VISIT_TARGET_MAX_BYTES + over;
		memset(with, 'x', len);
		memcpy(with, SHOP "/?", strlen(SHOP "/?"));
		strcpy(with + len, pass);
		struct gate_url url = parsed(with);
		assert_int_equal(gate_url_return(&settings, &url, text), !over);
		if (!over)
			assert_int_equal(strlen(text), VISIT_TARGET_MAX_BYTES);
	}
}

static void every_arrangement_of_parameters_keeps_the_others_in_order(void **state)
{
	(void)state;
	static const char *const pieces[] = {"a=1", "wr_pass=t.o.k", "", "wr_pass", "b=%26wr_pass"};
	struct queue_settings settings = allowing(SHOP, NULL);
	for (unsigned number = 0; number < 5 * 5 * 5 * 5; number++) {
		char with[256] = SHOP "/", without[256] = SHOP "/", text[VISIT_TARGET_MAX_BYTES + 1];
		const char *mark = "?", *other_mark = "?";
		for (unsigned i = 0, rest = number; i < 4; i++, rest /= 5) {
			const char *piece = pieces[rest % 5];
			strcat(strcat(with, mark), piece);
			mark = "&";
			if (strncmp(piece, "wr_pass", 7) == 0)
				continue;
			strcat(strcat(without, other_mark), piece);
			other_mark = "&";
		}
		struct gate_url url = parsed(with);
		assert_true(gate_url_return(&settings, &url, text));
		assert_string_equal(text, without);
	}
}

/* ---- open redirects ---- */

/* Each is an address that some parser reads as being on the shop, or that leads elsewhere. */
static const char *const tricks[] = {
	"https://evil.example/?wr_pass=x",
	"http://shop.example/?wr_pass=x",
	"https://shop.example.evil.example/",
	"https://evilshop.example/",
	"https://shop.example@evil.example/",
	"https://shop.example:pw@evil.example/",
	"https://evil.example#@shop.example/",
	"https://evil.example\\@shop.example/",
	"https://shop.example\\.evil.example/",
	"https://shop.example:444/",
	"https://shop.example:0443/",
	"https://shop.example:/",
	"https://shop.example./",
	"https://shop.example /",
	"https://shop.example\t/",
	"https://shop.example%2eevil.example/",
	"https://shop\xd0\xbe.example/",
	"https://[shop.example]/",
	"https://[d:1]/",
	"https:///shop.example/",
	"https://shop.example/\r\nSet-Cookie: a=b",
	"https://shop.example/\x01",
	"https://shop.example/\x7f",
	"https://shop.example/a b",
	"https://shop.example/a\\..\\b",
	"https://shop.example/a/../../b",
	"https://shop.example/a/%2e%2e/b",
	"https://shop.example/a/..%2fb",
	"https://shop.example/a/..;x=1/b",
	"https://shop.example/<script>",
	"https://shop.example/\"onload",
};

static void no_trick_becomes_a_redirect(void **state)
{
	(void)state;
	struct queue_settings settings = allowing(SHOP, NULL);
	for (size_t i = 0; i < COUNT_OF(tricks); i++) {
		char text[VISIT_TARGET_MAX_BYTES + 1] = "untouched";
		struct gate_url url;
		if (gate_url_parse(tricks[i], &url) && gate_url_return(&settings, &url, text))
			fail_msg("%s -> %s", tricks[i], text);
	}
}

static void no_trick_becomes_a_way_back(void **state)
{
	(void)state;
	struct queue_settings settings = allowing(SHOP, NULL);
	struct queue_name queue = {.tenant = "default", .queue = "demo"};
	struct gate_url here = parsed(SHOP "/");
	for (size_t i = 0; i < COUNT_OF(tricks); i++) {
		char room[GATE_ROOM_URL_BYTES];
		bool has_target = true;
		struct gate_url from;
		if (!gate_url_parse(tricks[i], &from))
			continue;
		assert_true(gate_room_url(&settings, &queue, "https://room.example", &here, &from, room,
								  &has_target));
		if (has_target)
			fail_msg("%s -> %s", tricks[i], room);
		assert_string_equal(room, "https://room.example/q/default/demo");
	}
}

/* The checked request itself may be at such an address: the room is then not put on its host. */
static void no_trick_becomes_the_host_of_the_room(void **state)
{
	(void)state;
	struct queue_settings settings = allowing(SHOP, NULL);
	struct queue_name queue = {.tenant = "default", .queue = "demo"};
	for (size_t i = 0; i < COUNT_OF(tricks); i++) {
		char room[GATE_ROOM_URL_BYTES] = "";
		bool has_target = false;
		struct gate_url url;
		if (!gate_url_parse(tricks[i], &url) ||
			!gate_room_url(&settings, &queue, "", &url, &url, room, &has_target))
			continue;
		assert_false(has_target);
		const char *host = strstr(room, "://") + 3;
		if (strcmp(host + strspn(host, "abcdefghijklmnopqrstuvwxyz.-:0123456789"),
				   "/q/default/demo") != 0)
			fail_msg("%s -> %s", tricks[i], room);
	}
}

static void a_path_prefix_of_the_allowed_targets_counts(void **state)
{
	(void)state;
	struct queue_settings settings = allowing(SHOP "/tickets", "https://other.example:8443");
	char text[VISIT_TARGET_MAX_BYTES + 1];
	struct gate_url inside = parsed(SHOP "/tickets/1?wr_pass=x");
	struct gate_url outside = parsed(SHOP "/ticketsx?wr_pass=x");
	struct gate_url second = parsed("https://other.example:8443/?wr_pass=x");
	assert_true(gate_url_return(&settings, &inside, text));
	assert_string_equal(text, SHOP "/tickets/1");
	assert_false(gate_url_return(&settings, &outside, text));
	assert_true(gate_url_return(&settings, &second, text));
}

/* ---- the room ---- */

static void expect_room(const struct queue_settings *settings, const char *public_url,
						const char *from, const char *room, const char *target)
{
	struct queue_name queue = {.tenant = "acme", .queue = "demo"};
	struct gate_url url = parsed(from);
	char text[GATE_ROOM_URL_BYTES], expected[8192], encoded[4096] = "";
	bool has_target = false;
	assert_true(gate_room_url(settings, &queue, public_url, &url, &url, text, &has_target));
	if (target)
		encoded[base64url_encode(target, strlen(target), encoded)] = '\0';
	snprintf(expected, sizeof(expected), "%s/q/acme/demo%s%s", room, target ? "?t=" : "", encoded);
	assert_string_equal(text, expected);
	assert_int_equal(has_target, target != NULL);
}

static void the_room_is_where_the_settings_say(void **state)
{
	(void)state;
	struct queue_settings settings = allowing(SHOP, NULL);
	static const char here[] = SHOP "/a?b=1&wr_pass=x";
	expect_room(&settings, "", here, SHOP, SHOP "/a?b=1");
	expect_room(&settings, "https://room.example/_wr", here, "https://room.example/_wr",
				SHOP "/a?b=1");
	strcpy(settings.room_url, "https://own.example");
	expect_room(&settings, "https://room.example/_wr", here, "https://own.example", SHOP "/a?b=1");
}

static void a_queue_without_targets_takes_paths_of_the_rooms_own_origin(void **state)
{
	(void)state;
	struct queue_settings settings = allowing(NULL, NULL);
	expect_room(&settings, SHOP "/_wr", SHOP "/a?b=1&wr_pass=x", SHOP "/_wr", "/a?b=1");
	expect_room(&settings, "", "http://shop.example:8080/a", "http://shop.example:8080", "/a");
	expect_room(&settings, "https://room.example", SHOP "/a", "https://room.example", NULL);
	expect_room(&settings, SHOP, "http://shop.example/a", SHOP, NULL);
	expect_room(&settings, SHOP, SHOP "//evil.example", SHOP, NULL);
}

static void the_longest_of_everything_fits(void **state)
{
	(void)state;
	struct queue_settings settings = allowing(SHOP, NULL);
	struct queue_name queue;
	char from[VISIT_TARGET_MAX_BYTES + 1], room[GATE_ROOM_BYTES + 1], text[GATE_ROOM_URL_BYTES];
	bool has_target = false;
	memset(&queue, 0, sizeof(queue));
	memset(queue.tenant, 't', NAME_MAX_CHARS);
	memset(queue.queue, 'q', NAME_MAX_CHARS);
	memset(from, 'x', sizeof(from) - 1);
	memcpy(from, SHOP "/", strlen(SHOP "/"));
	from[sizeof(from) - 1] = '\0';
	memset(room, 'r', sizeof(room) - 1);
	memcpy(room, SHOP "/", strlen(SHOP "/"));
	room[sizeof(room) - 1] = '\0';
	assert_int_equal(gate_room_check(room, NULL), WR_OK);
	struct gate_url url = parsed(from);
	assert_true(gate_room_url(&settings, &queue, room, &url, &url, text, &has_target));
	assert_true(has_target);
	assert_int_equal(strlen(text), GATE_ROOM_URL_BYTES - 1 - 1); /* -1: the name's own NUL */
}

static void a_public_url_is_an_origin_and_a_path(void **state)
{
	(void)state;
	static const char *const good[] = {"", SHOP, SHOP "/_wr", "http://localhost:8080/_wr"};
	static const char *const bad[] = {
		"shop.example", "/_wr",		 SHOP "/",		 SHOP "/_wr/",		SHOP "/?a",
		SHOP "/#a",		"ftp://a.b", SHOP "/a/../b", "https://a b.com", "https://",
	};
	struct err_detail detail;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_int_equal(gate_room_check(good[i], NULL), WR_OK);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		detail.text[0] = '\0';
		if (gate_room_check(bad[i], &detail) != WR_INVALID)
			fail_msg("%s", bad[i]);
		assert_true(strlen(detail.text) > 0);
	}
}

static void schemes_of_websockets_are_those_of_pages(void **state)
{
	(void)state;
	bool is_https = false;
	assert_true(gate_url_parse_scheme("wss", &is_https) && is_https);
	assert_true(gate_url_parse_scheme("ws", &is_https) && !is_https);
	assert_true(gate_url_parse_scheme("HTTPS", &is_https) && is_https);
	assert_false(gate_url_parse_scheme("https,http", &is_https));
	assert_false(gate_url_parse_scheme("", &is_https));
	assert_false(gate_url_parse_scheme("javascript", &is_https));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pass_is_found_wherever_it_stands),
		cmocka_unit_test(what_only_looks_like_a_pass_is_none),
		cmocka_unit_test(without_the_pass_the_address_is_as_it_was),
		cmocka_unit_test(an_address_as_long_as_a_target_may_be_survives),
		cmocka_unit_test(every_arrangement_of_parameters_keeps_the_others_in_order),
		cmocka_unit_test(no_trick_becomes_a_redirect),
		cmocka_unit_test(no_trick_becomes_a_way_back),
		cmocka_unit_test(no_trick_becomes_the_host_of_the_room),
		cmocka_unit_test(a_path_prefix_of_the_allowed_targets_counts),
		cmocka_unit_test(the_room_is_where_the_settings_say),
		cmocka_unit_test(a_queue_without_targets_takes_paths_of_the_rooms_own_origin),
		cmocka_unit_test(the_longest_of_everything_fits),
		cmocka_unit_test(a_public_url_is_an_origin_and_a_path),
		cmocka_unit_test(schemes_of_websockets_are_those_of_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
