/* Documents of the page: small enough, nothing runs in them but what their policy names, and no
 * text of settings gets out of its place.
 */
#include "cmd/api/page_build.h"

#include <stdio.h>
#include <string.h>

#include "cmd/api/page_parts.h"
#include "support/cmocka.h"
#include "support/settings_json.h"
#include "waitingroom/memory.h"
#include "waitingroom/theme.h"
#include "waitingroom/token.h"

/* Ten segments of 1460 bytes are a server's first flight; the headers of the answer take some. */
#define FIRST_FLIGHT_BYTES (14 * 1024)

static struct languages *languages;

static int begin(void **state)
{
	(void)state;
	languages = languages_new();
	return 0;
}

static int end(void **state)
{
	(void)state;
	languages_free(languages);
	return 0;
}

static void page_free_at(struct page **page)
{
	page_free(*page);
}

static struct page_look plain_look(void)
{
	struct page_look look;
	page_look_init(&look, NULL, "");
	return look;
}

static struct page *build(const struct page_look *look)
{
	return page_build(languages, languages->english, look, COMPRESS_QUICK);
}

/* The identity form with a NUL behind it; gives */
static char *text_of(const struct page *page)
{
	return mem_copy(page->body[HTTP_IDENTITY], page->len[HTTP_IDENTITY]);
}

static size_t count_of(const char *text, const char *word)
{
	size_t count = 0;
	for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word))
		count++;
	return count;
}

/* ---- weight ---- */

static void every_language_s_document_fits_into_the_first_flight(void **state)
{
	(void)state;
	struct page_look look = plain_look();
	for (size_t i = 0; i < languages->count; i++) {
		WR_AUTO(page_free_at)
		struct page *page = page_build(languages, i, &look, COMPRESS_SMALL);
		print_message("%-7s %6zu plain %6zu gzip %6zu brotli\n", languages->all[i].code,
					  page->len[HTTP_IDENTITY], page->len[HTTP_GZIP], page->len[HTTP_BROTLI]);
		assert_true(page->len[HTTP_GZIP] <= FIRST_FLIGHT_BYTES);
		assert_true(page->len[HTTP_BROTLI] <= FIRST_FLIGHT_BYTES);
	}
}

static void a_document_has_no_placeholder_left_and_names_its_language(void **state)
{
	(void)state;
	struct page_look look = plain_look();
	for (size_t i = 0; i < languages->count; i++) {
		WR_AUTO(page_free_at)
		struct page *page = page_build(languages, i, &look, COMPRESS_QUICK);
		WR_AUTO(mem_free_at) char *text = text_of(page);
		char html[64];
		snprintf(html, sizeof(html), "<html lang=\"%s\" dir=\"%s\"", languages->all[i].code,
				 language_string(languages, i, "_dir"));
		assert_non_null(strstr(text, html));
		assert_null(strstr(text, "{{"));
		assert_null(strstr(text, "http-equiv=\"Content-Security-Policy\""));
	}
}

static void the_same_look_gives_the_same_bytes_and_tag(void **state)
{
	(void)state;
	struct page_look look = plain_look();
	WR_AUTO(page_free_at) struct page *a = build(&look);
	WR_AUTO(page_free_at) struct page *b = build(&look);
	look.name = "Shop";
	WR_AUTO(page_free_at) struct page *c = build(&look);
	assert_int_equal(a->len[HTTP_BROTLI], b->len[HTTP_BROTLI]);
	assert_memory_equal(a->body[HTTP_BROTLI], b->body[HTTP_BROTLI], a->len[HTTP_BROTLI]);
	assert_string_equal(a->tag, b->tag);
	assert_string_not_equal(a->tag, c->tag);
}

/* ---- what runs ---- */

/* Fails unless the policy names the text between these tags. */
static void expect_allowed(const struct page *page, const char *text, const char *open,
						   const char *close, const char *directive)
{
	const char *begin = strstr(text, open);
	assert_non_null(begin);
	begin += strlen(open);
	char hash[45], source[64];
	sha256_base64(begin, (size_t)(strstr(begin, close) - begin), hash);
	snprintf(source, sizeof(source), "'sha256-%s'", hash);
	const char *list = strstr(page->policy, directive), *named = strstr(page->policy, source);
	assert_non_null(list);
	assert_non_null(named);
	assert_true(named > list && named < list + strcspn(list, ";"));
}

static void the_policy_names_the_document_s_script_and_style_and_nothing_else(void **state)
{
	(void)state;
	struct page_look look = plain_look();
	look.colour = "#123456";
	WR_AUTO(page_free_at) struct page *page = build(&look);
	WR_AUTO(mem_free_at) char *text = text_of(page);
	expect_allowed(page, text, "<script>", "</script>", "script-src");
	expect_allowed(page, text, "<style>", "</style>", "style-src");
	assert_int_equal(count_of(page->policy, "'sha256-"), 2);
	assert_null(strstr(page->policy, "unsafe"));
	assert_null(strstr(page->policy, "http"));
	assert_int_equal(strncmp(page->policy, "default-src 'none'; ", 20), 0);
	static const char *const others[] = {"; connect-src 'self'; ",	"; worker-src 'self'; ",
										 "; img-src data:; ",		"; manifest-src 'none'; ",
										 "; base-uri 'none'; ",		"; form-action 'self'; ",
										 "; frame-ancestors 'none'"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_non_null(strstr(page->policy, others[i]));
}

static void nothing_in_the_document_needs_more_than_the_policy_gives(void **state)
{
	(void)state;
	struct page_look look = plain_look();
	WR_AUTO(page_free_at) struct page *page = build(&look);
	const struct web_file *files[] = {web_file_get("room.html"), web_file_get("noscript.html")};
	static const char *const words[] = {
		" style=", " onclick=", " onload=", " onsubmit=", "javascript:", "https://"};
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
			assert_null(page_find(files[i]->text, files[i]->len, words[k]));
	assert_int_equal(page->version, 0);
}

static void captcha_hosts_are_allowed_only_when_that_provider_is_on(void **state)
{
	static const struct {
		enum queue_challenge challenge;
		const char *host;
	} cases[] = {{QUEUE_CHALLENGE_OFF, NULL},
				 {QUEUE_CHALLENGE_POW, NULL},
				 {QUEUE_CHALLENGE_TURNSTILE, "https://challenges.cloudflare.com"},
				 {QUEUE_CHALLENGE_HCAPTCHA, "https://hcaptcha.com"},
				 {QUEUE_CHALLENGE_FRIENDLY, "https://cdn.jsdelivr.net/npm/@friendlycaptcha/"}};
	(void)state;
	struct queue_settings settings;
	queue_settings_default(&settings);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct page_look look;
		settings.challenge = cases[i].challenge;
		page_look_init(&look, &settings, "en");
		WR_AUTO(page_free_at) struct page *page = build(&look);
		assert_int_equal(page_look_is_plain(&settings), cases[i].host == NULL);
		if (cases[i].host != NULL)
			assert_int_equal(count_of(page->policy, cases[i].host), 4);
		else
			assert_null(strstr(page->policy, "http"));
	}
}

/* ---- foreign text ---- */

#define EVIL "</title></style></script><script>alert(1)</script><!--\"'>&"

static void texts_of_a_theme_stay_text(void **state)
{
	(void)state;
	struct page_look look = plain_look();
	look.name = look.title = look.intro = look.logo = EVIL;
	look.colour = "#12345;}body{display:none";
	snprintf(look.colour_dark, sizeof(look.colour_dark), "red;}{");
	struct page_look none = plain_look();
	WR_AUTO(page_free_at) struct page *plain = build(&none);
	WR_AUTO(page_free_at) struct page *page = build(&look);
	WR_AUTO(mem_free_at) char *text = text_of(page);
	assert_null(strstr(text, "<script>alert"));
	assert_null(strstr(text, "display:none}body"));
	assert_null(strstr(text, "red;}"));
	assert_non_null(strstr(text, "&lt;/title&gt;"));
	/* Scripts and styles are those of the plain document: nothing has got into them. */
	assert_string_equal(page->policy, plain->policy);
	assert_int_equal(count_of(text, "</script"), 2);
	assert_int_equal(count_of(text, "</title>"), 1);
}

/* The strings as the page's script reads them; gives (json_free). */
static struct json_value *strings_of(const char *text)
{
	static const char open[] = "<script type=\"application/json\" id=\"strings\">";
	const char *begin = strstr(text, open);
	struct json_value *strings = NULL;
	struct err_detail detail = {""};
	assert_non_null(begin);
	begin += strlen(open);
	if (json_parse(begin, (size_t)(strstr(begin, "</script") - begin), &strings, &detail) != WR_OK)
		fail_msg("strings: %s", detail.text);
	return strings;
}

static void strings_reach_the_script_as_they_are_however_they_are_escaped(void **state)
{
	(void)state;
	struct page_look look = plain_look();
	const char *intro = NULL, *leave = NULL;
	look.intro = EVIL "\xe2\x80\xa8\xe2\x80\xa9<!-- \\ \t";
	WR_AUTO(page_free_at) struct page *page = build(&look);
	WR_AUTO(mem_free_at) char *text = text_of(page);
	WR_AUTO(json_free_at) struct json_value *strings = strings_of(text);
	assert_true(json_string(json_member(strings, "intro"), &intro));
	assert_string_equal(intro, look.intro);
	assert_true(json_string(json_member(strings, "leave"), &leave));
	assert_string_equal(leave, language_string(languages, languages->english, "leave"));
	const char *json = strstr(text, "id=\"strings\">");
	assert_null(memmem(json, strcspn(json, "<"), "\xe2\x80\xa8", 3));
	assert_null(json_member(strings, "_name"));
	assert_null(json_member(strings, "nojs.join"));
}

static void a_theme_s_texts_replace_those_of_their_language(void **state)
{
	(void)state;
	static const char json[] =
		"{\"theme\":{\"name\":\"Tickets & Co\",\"colour\":\"#0b5c57\",\"texts\":"
		"{\"de\":{\"title\":\"Gleich geht es los\",\"intro\":\"Danke!\"}}}}";
	struct page_look german, english;
	struct queue_settings settings = settings_json_good(json);
	page_look_init(&german, &settings, "de");
	page_look_init(&english, &settings, "en");
	assert_false(page_look_is_plain(&settings));
	assert_string_equal(german.title, "Gleich geht es los");
	assert_string_equal(english.title, "");
	WR_AUTO(page_free_at) struct page *page = build(&german);
	WR_AUTO(mem_free_at) char *text = text_of(page);
	assert_non_null(strstr(text, "<title>Gleich geht es los</title>"));
	assert_non_null(strstr(text, "Tickets &amp; Co"));
	assert_non_null(strstr(text, ":root{--accent:#0b5c57}"));
	assert_non_null(strstr(text, "prefers-color-scheme:dark){:root{--accent:#"));
	queue_settings_clear(&settings);
}

/* ---- templates ---- */

#define TEMPLATE                                                                                   \
	"<!doctype html><html lang=\"{{lang}}\" dir=\"{{dir}}\"><head><title>{{title}} at "            \
	"ours</title><style>h2{color:red}</style><script>ours()</script></head><body><h2>{{s:leave}}"  \
	"</h2>" QUEUE_TEMPLATE_MARKER "<p>{{js}}{{css}}{{strings}}{{nonsense}}</p></body></html>"

static void a_template_holds_the_room_where_its_marker_stands(void **state)
{
	(void)state;
	struct page_look look = plain_look();
	look.template_html = TEMPLATE;
	WR_AUTO(page_free_at) struct page *page = build(&look);
	WR_AUTO(mem_free_at) char *text = text_of(page);
	const char *heading = strstr(text, "<h2>Leave the line</h2>"),
			   *room = strstr(text, "id=\"room\""), *behind = strstr(text, "<p>{{js}}");
	assert_true(heading != NULL && heading < room && room < behind);
	assert_int_equal(count_of(text, "<html"), 1);
	assert_int_equal(count_of(text, "</head>"), 1);
	assert_int_equal(count_of(text, "<body"), 1);
	assert_null(strstr(text, QUEUE_TEMPLATE_MARKER));
	assert_non_null(strstr(text, "<html lang=\"en\" dir=\"ltr\">"));
	assert_non_null(strstr(text, "http-equiv=\"refresh\""));
	assert_non_null(strstr(text, "{{js}}{{css}}{{strings}}{{nonsense}}"));
}

static void a_template_s_styles_apply_and_its_scripts_do_not_run(void **state)
{
	(void)state;
	struct page_look look = plain_look();
	look.template_html = TEMPLATE;
	WR_AUTO(page_free_at) struct page *page = build(&look);
	WR_AUTO(mem_free_at) char *text = text_of(page);
	char hash[45];
	sha256_base64("h2{color:red}", 13, hash);
	assert_non_null(strstr(page->policy, hash));
	sha256_base64("ours()", 6, hash);
	assert_null(strstr(page->policy, hash));
	assert_int_equal(count_of(page->policy, "'sha256-"), 3);
	expect_allowed(page, strstr(text, "id=\"strings\""), "<script>", "</script>", "script-src");
}

static void a_template_of_any_size_and_shape_makes_a_document(void **state)
{
	static const char *const templates[] = {
		QUEUE_TEMPLATE_MARKER,
		"no marker at all",
		"</head>" QUEUE_TEMPLATE_MARKER "</head>",
		QUEUE_TEMPLATE_MARKER "</head><style>",
		"{{" QUEUE_TEMPLATE_MARKER "}}",
		"<script>" QUEUE_TEMPLATE_MARKER,
		"<style></style><style></style><style></style><style></style><style></style>"
		"<style></style><style></style><style></style><style></style><style></style>"};
	(void)state;
	struct page_look look = plain_look();
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		look.template_html = templates[i];
		WR_AUTO(page_free_at) struct page *page = build(&look);
		WR_AUTO(mem_free_at) char *text = text_of(page);
		assert_int_equal(count_of(text, "id=\"room\""), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_language_s_document_fits_into_the_first_flight),
		cmocka_unit_test(a_document_has_no_placeholder_left_and_names_its_language),
		cmocka_unit_test(the_same_look_gives_the_same_bytes_and_tag),
		cmocka_unit_test(the_policy_names_the_document_s_script_and_style_and_nothing_else),
		cmocka_unit_test(nothing_in_the_document_needs_more_than_the_policy_gives),
		cmocka_unit_test(captcha_hosts_are_allowed_only_when_that_provider_is_on),
		cmocka_unit_test(texts_of_a_theme_stay_text),
		cmocka_unit_test(strings_reach_the_script_as_they_are_however_they_are_escaped),
		cmocka_unit_test(a_theme_s_texts_replace_those_of_their_language),
		cmocka_unit_test(a_template_holds_the_room_where_its_marker_stands),
		cmocka_unit_test(a_template_s_styles_apply_and_its_scripts_do_not_run),
		cmocka_unit_test(a_template_of_any_size_and_shape_makes_a_document),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
