/* A browser without scripts, for tests. Cookies are kept by name until they are taken back. */
#include "support/browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/api.h"
#include "support/cmocka.h"
#include "waitingroom/memory.h"

static void keep_cookie(struct browser *browser, const char *field)
{
	size_t name = strcspn(field, "=") + 1, len = strcspn(field, ";"), free_one = 0;
	for (size_t i = COUNT(browser->cookies); i-- > 0;) {
		if (strncmp(browser->cookies[i], field, name) == 0)
			browser->cookies[i][0] = '\0';
		if (browser->cookies[i][0] == '\0')
			free_one = i;
	}
	const char *expires = strstr(field, "Max-Age=0");
	if (expires == NULL || expires > field + strcspn(field, "\r"))
		snprintf(browser->cookies[free_one], sizeof(browser->cookies[0]), "%.*s", (int)len, field);
}

/* Every Set-Cookie line of the answer. */
static void keep_cookies(struct browser *browser, const struct http_answer *answer)
{
	static const char name[] = "\r\nSet-Cookie: ";
	for (const char *at = answer->head; (at = strstr(at, name)) != NULL; at++)
		keep_cookie(browser, at + sizeof(name) - 1);
}

struct http_answer *browser_request(struct browser *browser, const char *method, const char *path,
									const char *more, const char *body)
{
	char headers[8192];
	int len = snprintf(headers, sizeof(headers), "%sCookie: theme=dark", more);
	for (size_t i = 0; i < COUNT(browser->cookies); i++)
		if (browser->cookies[i][0] != '\0')
			len +=
				snprintf(headers + len, sizeof(headers) - (size_t)len, "; %s", browser->cookies[i]);
	snprintf(headers + len, sizeof(headers) - (size_t)len, "\r\n");
	struct http_answer *answer = http_call(browser->url, method, path, headers, body);
	keep_cookies(browser, answer);
	return answer;
}

struct http_answer *browser_look(struct browser *browser, const char *path)
{
	return browser_request(browser, "GET", path, "", NULL);
}

struct http_answer *browser_post(struct browser *browser, const char *path, const char *form)
{
	char more[160];
	snprintf(more, sizeof(more), "Content-Type: application/x-www-form-urlencoded\r\n%s%s%s",
			 browser->site != NULL ? "Sec-Fetch-Site: " : "",
			 browser->site != NULL ? browser->site : "", browser->site != NULL ? "\r\n" : "");
	return browser_request(browser, "POST", path, more, form);
}

char *browser_form(const struct http_answer *page, const char *what)
{
	char *form = mem_alloc_zero(1, 4096);
	for (const char *at = page->body; (at = strstr(at, "<form")) != NULL; at++) {
		const char *end = strstr(at, "</form>");
		form[0] = '\0';
		for (const char *field = at; (field = strstr(field, "name=\"")) != NULL && field < end;) {
			field += 6;
			size_t name = strcspn(field, "\"");
			const char *value = strstr(field, "value=\"") + 7;
			size_t len = strlen(form);
			snprintf(form + len, 4096 - len, "%s%.*s=%.*s", len > 0 ? "&" : "", (int)name, field,
					 (int)strcspn(value, "\""), value);
		}
		char wanted[32];
		snprintf(wanted, sizeof(wanted), "do=%s&", what);
		if (strncmp(form, wanted, strlen(wanted)) == 0)
			return form;
	}
	free(form);
	return NULL;
}

struct http_answer *browser_press(struct browser *browser, const char *path,
								  const struct http_answer *page, const char *what)
{
	WR_AUTO(mem_free_at) char *form = browser_form(page, what);
	assert_non_null(form);
	return browser_post(browser, path, form);
}

void page_expect_text(const struct http_answer *page, const char *text)
{
	if (strstr(page->body, text) == NULL)
		fail_msg("no \"%s\" in: %s", text, page->body);
}

void page_expect_no_text(const struct http_answer *page, const char *text)
{
	if (strstr(page->body, text) != NULL)
		fail_msg("\"%s\" in: %s", text, page->body);
}

void page_expect(const struct http_answer *page, int status, const char *heading)
{
	char element[256];
	api_expect_status(page, status);
	assert_string_equal(http_answer_header(page, "Content-Type"), "text/html; charset=utf-8");
	assert_string_equal(http_answer_header(page, "Cache-Control"), "no-store");
	snprintf(element, sizeof(element), "<h1>%s</h1>", heading);
	page_expect_text(page, element);
}

void page_expect_redirect(const struct http_answer *answer, const char *where)
{
	api_expect_status(answer, 303);
	const char *location = http_answer_header(answer, "Location");
	assert_non_null(location);
	if (strncmp(location, where, strlen(where)) != 0)
		fail_msg("led to %s instead of %s", location, where);
}

void page_expect_way_in(const struct http_answer *answer, const char *end)
{
	page_expect_redirect(answer, "https://shop.example/checkout?wr_pass=");
	const char *location = http_answer_header(answer, "Location");
	size_t len = strlen(location), end_len = strlen(end);
	assert_true(len > end_len);
	assert_string_equal(location + len - end_len, end);
}

const char *browser_place(const struct browser *browser)
{
	for (size_t i = 0; i < COUNT(browser->cookies); i++)
		if (strncmp(browser->cookies[i], "wr-place-", 9) == 0)
			return strchr(browser->cookies[i], '=') + 1;
	return NULL;
}

void browser_join(struct browser *browser, const char *path)
{
	WR_AUTO(http_answer_free_at) struct http_answer *first = browser_look(browser, path);
	page_expect(first, 200, "Join the line");
	WR_AUTO(http_answer_free_at)
	struct http_answer *joined = browser_press(browser, path, first, "join");
	page_expect_redirect(joined, "?nojs=1&lang=en");
	assert_non_null(browser_place(browser));
}
