/* GET /q/<tenant>/<queue>: the document, its headers, and who gets which form of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/token.h"

static const char *url;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_WORKERS=1", NULL},
		.queues = QUEUES(QUEUE("demo", HELD) "," QUEUE("acme/demo", HELD))});
	url = stack_url(stack, 0);
	return 0;
}

static struct http_answer *get(const char *path, const char *headers)
{
	return http_call(url, "GET", path, headers, NULL);
}

static void expect_header(const struct http_answer *answer, const char *name, const char *value)
{
	const char *given = http_answer_header(answer, name);
	assert_non_null(given);
	assert_string_equal(given, value);
}

static void the_page_of_a_queue_is_html_that_a_cache_may_keep(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *answer = get("/q/default/demo", NULL);
	api_expect_status(answer, 200);
	expect_header(answer, "Content-Type", "text/html; charset=utf-8");
	expect_header(answer, "Cache-Control", "public, max-age=60");
	expect_header(answer, "Vary", "Accept-Encoding, Accept-Language, Cookie");
	expect_header(answer, "Content-Language", "en");
	assert_null(http_answer_header(answer, "Set-Cookie"));
	assert_non_null(strstr(answer->body, "<html lang=\"en\" dir=\"ltr\">"));
	assert_null(strstr(answer->body, "{{"));
}

static void every_page_has_the_security_headers(void **state)
{
	static const char *const paths[] = {"/q/default/demo", "/q/default/demo?nojs=1",
										"/q/default/nowhere", "/q/default/demo?preview=1",
										"/room-worker.js"};
	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *answer = get(paths[i], NULL);
		const char *policy = http_answer_header(answer, "Content-Security-Policy");
		assert_non_null(policy);
		assert_int_equal(strncmp(policy, "default-src 'none'; ", 20), 0);
		expect_header(answer, "Referrer-Policy", "no-referrer");
		expect_header(answer, "X-Content-Type-Options", "nosniff");
		expect_header(answer, "X-Robots-Tag", "noindex");
		assert_non_null(http_answer_header(answer, "X-Request-Id"));
	}
}

static void everybody_gets_the_same_bytes(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *token = api_join(url, "demo");
	char cookie[2048];
	snprintf(cookie, sizeof(cookie), "Cookie: wr-place-demo=%s\r\n", token);
	WR_AUTO(http_answer_free_at) struct http_answer *one = get("/q/default/demo", NULL);
	WR_AUTO(http_answer_free_at) struct http_answer *two = get("/q/default/demo", cookie);
	WR_AUTO(http_answer_free_at) struct http_answer *other = get("/q/acme/demo?t=x", NULL);
	assert_string_equal(one->body, two->body);
	assert_string_equal(one->body, other->body);
	assert_null(http_answer_header(two, "Set-Cookie"));
}

static void a_browser_that_has_the_page_gets_304(void **state)
{
	(void)state;
	char header[256];
	WR_AUTO(http_answer_free_at) struct http_answer *first = get("/q/default/demo", NULL);
	const char *tag = http_answer_header(first, "ETag");
	assert_non_null(tag);
	assert_int_equal(tag[0], '"');
	static const char *const before[] = {"", "W/", "\"other\", ", "*"};
	for (size_t i = 0; i < COUNT(before); i++) {
		snprintf(header, sizeof(header), "If-None-Match: %s%s\r\n", before[i],
				 strcmp(before[i], "*") == 0 ? "" : tag);
		WR_AUTO(http_answer_free_at) struct http_answer *again = get("/q/default/demo", header);
		api_expect_status(again, 304);
		assert_int_equal(again->body_len, 0);
		expect_header(again, "ETag", tag);
		expect_header(again, "Cache-Control", "public, max-age=60");
		assert_non_null(http_answer_header(again, "Vary"));
	}
	WR_AUTO(http_answer_free_at)
	struct http_answer *changed = get("/q/default/demo", "If-None-Match: \"0123456789abcdef\"\r\n");
	api_expect_status(changed, 200);
}

static void the_page_comes_compressed_as_the_browser_asks(void **state)
{
	static const struct {
		const char *header, *coding;
	} cases[] = {{"Accept-Encoding: gzip, deflate, br, zstd\r\n", "br"},
				 {"Accept-Encoding: gzip\r\n", "gzip"},
				 {"Accept-Encoding: br;q=0, gzip;q=0.5\r\n", "gzip"},
				 {"Accept-Encoding: identity\r\n", NULL}};
	(void)state;
	char tags[COUNT(cases)][64];
	for (size_t i = 0; i < COUNT(cases); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = get("/q/default/demo", cases[i].header);
		const char *coding = http_answer_header(answer, "Content-Encoding");
		api_expect_status(answer, 200);
		if (cases[i].coding == NULL) {
			assert_null(coding);
			assert_true(answer->body_len > 14336);
		} else {
			assert_non_null(coding);
			assert_string_equal(coding, cases[i].coding);
			assert_true(answer->body_len <= 14336);
		}
		snprintf(tags[i], sizeof(tags[i]), "%s", http_answer_header(answer, "ETag"));
	}
	/* A strong tag stands for bytes, so each form has its own. */
	assert_string_not_equal(tags[0], tags[1]);
	assert_string_equal(tags[1], tags[2]);
	assert_string_not_equal(tags[1], tags[3]);
}

static void head_tells_of_the_page_without_it(void **state)
{
	(void)state;
	struct http_client *client = http_client_open(url);
	http_client_send(client, "HEAD", "/q/default/demo", NULL, NULL);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = http_client_read_head(client, 5000);
	http_client_close(client);
	WR_AUTO(http_answer_free_at) struct http_answer *whole = get("/q/default/demo", NULL);
	api_expect_status(answer, 200);
	expect_header(answer, "ETag", http_answer_header(whole, "ETag"));
	assert_int_equal(strtoul(http_answer_header(answer, "Content-Length"), NULL, 10),
					 whole->body_len);
}

static void an_address_that_names_its_language_is_cached_for_everybody(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at)
	struct http_answer *named = get("/q/default/demo?lang=en-GB", "Accept-Language: ja\r\n");
	expect_header(named, "Content-Language", "en");
	expect_header(named, "Vary", "Accept-Encoding");
	WR_AUTO(http_answer_free_at)
	struct http_answer *unknown = get("/q/default/demo?lang=tlh", NULL);
	expect_header(unknown, "Vary", "Accept-Encoding, Accept-Language, Cookie");
}

static void a_queue_that_is_not_there_has_a_friendly_page(void **state)
{
	static const char *const paths[] = {"/q/default/nowhere", "/q/nobody/demo", "/q/default/UPPER",
										"/q/default/demo%2f", "/q/default/nowhere?nojs=1"};
	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *answer = get(paths[i], NULL);
		api_expect_status(answer, 404);
		expect_header(answer, "Content-Type", "text/html; charset=utf-8");
		expect_header(answer, "Cache-Control", "no-store");
		assert_non_null(strstr(answer->body, "<h1>There is no line here</h1>"));
		assert_non_null(strstr(answer->body, http_answer_header(answer, "X-Request-Id")));
		assert_null(http_answer_header(answer, "Refresh"));
	}
}

static void the_worker_s_script_is_kept_for_good_under_its_own_name(void **state)
{
	(void)state;
	WR_AUTO(http_answer_free_at) struct http_answer *page = get("/q/default/demo", NULL);
	const char *address = strstr(page->body, "room-worker.js?v=");
	assert_non_null(address);
	char path[64];
	snprintf(path, sizeof(path), "/%.*s", (int)strcspn(address, "\""), address);
	WR_AUTO(http_answer_free_at) struct http_answer *named = get(path, NULL);
	api_expect_status(named, 200);
	expect_header(named, "Content-Type", "text/javascript; charset=utf-8");
	expect_header(named, "Cache-Control", "public, max-age=31536000, immutable");
	expect_header(named, "Content-Security-Policy", "default-src 'none'; connect-src 'self'");
	assert_true(named->body_len > 0);
	static const char *const others[] = {"/room-worker.js",
										 "/room-worker.js?v=", "/room-worker.js?v=000000000000"};
	for (size_t i = 0; i < COUNT(others); i++) {
		WR_AUTO(http_answer_free_at) struct http_answer *other = get(others[i], NULL);
		expect_header(other, "Cache-Control", "public, max-age=60");
		assert_string_equal(other->body, named->body);
	}
}

/* ---- what a queue's settings change ---- */

static void put_settings(const char *queue, const char *settings)
{
	char path[64];
	snprintf(path, sizeof(path), "/default/%s", queue);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "PUT", path, settings);
	assert_true(answer->status == 200 || answer->status == 201);
}

/* Does the page of the queue hold this? */
static bool page_says(const char *path, const char *text)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = get(path, NULL);
	return answer->status == 200 && strstr(answer->body, text) != NULL;
}

static void a_saved_theme_shows_on_every_form_of_the_page(void **state)
{
	(void)state;
	put_settings("themed", "{\"theme\":{\"name\":\"Tickets & Co\",\"colour\":\"#0b5c57\","
						   "\"texts\":{\"en\":{\"title\":\"Soon\",\"intro\":\"Thank you!\"}}}}");
	WAIT_UNTIL(2000, page_says("/q/default/themed", "Tickets &amp; Co"), "the theme shows");
	assert_true(page_says("/q/default/themed", "--accent:#0b5c57"));
	assert_true(page_says("/q/default/themed", "<title>Soon</title>"));
	assert_true(page_says("/q/default/themed?nojs=1", "Tickets &amp; Co"));
	assert_false(page_says("/q/default/demo", "Tickets"));
	put_settings("themed", "{\"theme\":{\"name\":\"Another name\"}}");
	WAIT_UNTIL(2000, page_says("/q/default/themed", "Another name"), "the change shows");
	assert_false(page_says("/q/default/themed", "Tickets"));
}

static void a_saved_template_holds_the_room(void **state)
{
	(void)state;
	put_settings("own",
				 "{\"template\":\"<!doctype html><html><head><title>Ours</title></head><body>"
				 "<h2>Our shop</h2><!--waitingroom--></body></html>\"}");
	WAIT_UNTIL(2000, page_says("/q/default/own", "<h2>Our shop</h2>"), "the template shows");
	assert_true(page_says("/q/default/own", "<title>Ours</title>"));
	assert_true(page_says("/q/default/own", "id=\"room\""));
}

static void a_captcha_s_hosts_are_in_the_policy_of_its_queue_alone(void **state)
{
	(void)state;
	put_settings("checked", "{\"challenge\":\"turnstile\",\"captcha_site_key\":\"k\","
							"\"captcha_secret\":\"s\"}");
	WAIT_UNTIL(2000, page_says("/q/default/checked", "id=\"room\""), "the queue is known");
	WR_AUTO(http_answer_free_at) struct http_answer *checked = get("/q/default/checked", NULL);
	WR_AUTO(http_answer_free_at) struct http_answer *other = get("/q/default/demo", NULL);
	static const char host[] = "https://challenges.cloudflare.com";
	assert_non_null(strstr(http_answer_header(checked, "Content-Security-Policy"), host));
	assert_null(strstr(http_answer_header(other, "Content-Security-Policy"), host));
}

static void before_the_queues_are_known_the_page_says_so_and_comes_again(void **state)
{
	(void)state;
	struct stack *absent = stack_start(&(struct stack_options){.without_nats = true});
	redis_kill(absent->redis);
	int pod = stack_launch_pod(absent);
	static const char *const paths[] = {"/q/default/demo", "/q/default/demo?nojs=1"};
	for (size_t i = 0; i < COUNT(paths); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = http_call(stack_url(absent, pod), "GET", paths[i], NULL, NULL);
		api_expect_status(answer, 503);
		expect_header(answer, "Content-Type", "text/html; charset=utf-8");
		expect_header(answer, "Cache-Control", "no-store");
		expect_header(answer, "Refresh", http_answer_header(answer, "Retry-After"));
		assert_non_null(strstr(answer->body, "This page tries again by itself."));
	}
	redis_restart(absent->redis);
	stack_free(absent);
}

/* ---- preview ---- */

/* gives the link of a preview */
static char *preview_link(const char *body)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "POST", "/default/demo/preview", body);
	api_expect_status(answer, 200);
	api_expect_members(answer, "url:s expires_in_s:n");
	return http_answer_text(answer, "url");
}

static void an_operator_s_link_shows_a_state_without_joining(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *link = preview_link("{\"state\":\"your_turn\",\"lang\":\"en\"}");
	assert_non_null(strstr(link, "preview=1&state=your_turn&lang=en&"));
	WR_AUTO(http_answer_free_at) struct http_answer *shown = get(strstr(link, "/q/"), NULL);
	WR_AUTO(http_answer_free_at) struct http_answer *page = get("/q/default/demo?lang=en", NULL);
	api_expect_status(shown, 200);
	expect_header(shown, "Cache-Control", "no-store");
	assert_string_equal(shown->body, page->body);
}

static void a_preview_link_leads_to_where_visitors_reach_the_room(void **state)
{
	(void)state;
	put_settings("away", "{\"room_url\":\"https://shop.example/_wr\"}");
	WAIT_UNTIL(2000, page_says("/q/default/away", "id=\"room\""), "the queue is known");
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		api_admin(stack, 0, "POST", "/default/away/preview", "{\"state\":\"full\"}");
	WR_AUTO(mem_free_at) char *link = http_answer_text(answer, "url");
	static const char begin[] = "https://shop.example/_wr/q/default/away?preview=1&state=full&";
	assert_int_equal(strncmp(link, begin, strlen(begin)), 0);
}

static void a_preview_s_theme_is_in_its_link(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at)
	char *link = preview_link("{\"state\":\"waiting\",\"theme\":{\"name\":\"Try & see\","
							  "\"colour\":\"#0b5c57\"}}");
	WR_AUTO(http_answer_free_at) struct http_answer *shown = get(strstr(link, "/q/"), NULL);
	api_expect_status(shown, 200);
	expect_header(shown, "Cache-Control", "no-store");
	assert_non_null(strstr(shown->body, "Try &amp; see"));
	assert_non_null(strstr(shown->body, "--accent:#0b5c57"));
	WR_AUTO(http_answer_free_at) struct http_answer *page = get("/q/default/demo", NULL);
	assert_null(strstr(page->body, "Try &amp; see"));
}

static void a_preview_that_nobody_signed_is_refused(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *link = preview_link("{\"state\":\"paused\"}");
	char path[1024];
	static const struct {
		const char *from, *to;
	} changes[] = {{"state=paused", "state=closed"},
				   {"lang=en", "lang=de"},
				   {"exp=", "exp=9"},
				   {"sig=", "sig=A"},
				   {"sig=", "sick="},
				   {"/default/", "/acme/"},
				   {"&sig", "&theme=e30&sig"}};
	for (size_t i = 0; i < COUNT(changes); i++) {
		const char *at = strstr(link, changes[i].from);
		assert_non_null(at);
		snprintf(path, sizeof(path), "%.*s%s%s", (int)(at - link), link, changes[i].to,
				 at + strlen(changes[i].from));
		WR_AUTO(http_answer_free_at) struct http_answer *answer = get(strstr(path, "/q/"), NULL);
		api_expect_status(answer, 403);
		expect_header(answer, "Content-Type", "text/html; charset=utf-8");
	}
}

static void a_preview_link_is_made_for_an_operator_who_asks_for_what_there_is(void **state)
{
	static const struct {
		const char *path, *body;
		int status;
		const char *code;
	} cases[] = {
		{"/default/demo/preview", "{\"state\":\"dancing\"}", 422, "invalid_value"},
		{"/default/demo/preview", "{}", 422, "invalid_value"},
		{"/default/demo/preview", "{\"state\":\"full\",\"lang\":\"tlh\"}", 422, "invalid_value"},
		{"/default/demo/preview", "{\"state\":\"full\",\"more\":1}", 422, "invalid_value"},
		{"/default/demo/preview", "{\"state\":\"full\",\"theme\":{\"colour\":\"#ffff00\"}}", 422,
		 "invalid_value"},
		{"/default/demo/preview", "{\"state\":\"full\",\"theme\":3}", 422, "invalid_value"},
		{"/default/demo/preview", "nonsense", 400, "malformed"},
		{"/default/nowhere/preview", "{\"state\":\"full\"}", 404, "no_such_queue"}};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = api_admin(stack, 0, "POST", cases[i].path, cases[i].body);
		api_expect_problem(answer, cases[i].status, cases[i].code);
	}
	WR_AUTO(http_answer_free_at)
	struct http_answer *stranger =
		http_call(stack_internal_url(stack, 0), "POST", "/admin/v1/queues/default/demo/preview",
				  NULL, "{\"state\":\"full\"}");
	api_expect_problem(stranger, 401, "bad_token");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_of_a_queue_is_html_that_a_cache_may_keep),
		cmocka_unit_test(every_page_has_the_security_headers),
		cmocka_unit_test(everybody_gets_the_same_bytes),
		cmocka_unit_test(a_browser_that_has_the_page_gets_304),
		cmocka_unit_test(the_page_comes_compressed_as_the_browser_asks),
		cmocka_unit_test(head_tells_of_the_page_without_it),
		cmocka_unit_test(an_address_that_names_its_language_is_cached_for_everybody),
		cmocka_unit_test(a_queue_that_is_not_there_has_a_friendly_page),
		cmocka_unit_test(the_worker_s_script_is_kept_for_good_under_its_own_name),
		cmocka_unit_test(a_saved_theme_shows_on_every_form_of_the_page),
		cmocka_unit_test(a_saved_template_holds_the_room),
		cmocka_unit_test(a_captcha_s_hosts_are_in_the_policy_of_its_queue_alone),
		cmocka_unit_test(before_the_queues_are_known_the_page_says_so_and_comes_again),
		cmocka_unit_test(an_operator_s_link_shows_a_state_without_joining),
		cmocka_unit_test(a_preview_link_leads_to_where_visitors_reach_the_room),
		cmocka_unit_test(a_preview_s_theme_is_in_its_link),
		cmocka_unit_test(a_preview_that_nobody_signed_is_refused),
		cmocka_unit_test(a_preview_link_is_made_for_an_operator_who_asks_for_what_there_is),
	};
	return cmocka_run_group_tests(tests, open_room, shared_stack_close);
}
