/* What the page without scripts shows.
 *
 * Numbers are plain digits and waits whole minutes: without scripts there is no Intl, and guessing
 * a country's way of writing is worse than leaving it. Everything that came with the request is
 * checked for its alphabet before it goes into a link, and escaped when it goes into HTML.
 */
#include "noscript_view.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "page_build.h"

#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* ---- what was brought ---- */

/* From the page's own address: a <noscript> refresh leads here and cannot name what it does not
 * know, but its browser says where it came from. */
static bool of_referrer(const struct http_request *request, const char *name, char *ret_value,
						size_t room)
{
	const char *referrer = http_request_header(request, "Referer");
	const char *pair = referrer != NULL ? strchr(referrer, '?') : NULL;
	size_t name_len = strlen(name);
	while (pair != NULL) {
		pair++;
		size_t len = strcspn(pair, "&#");
		if (len > name_len && pair[name_len] == '=' && strncmp(pair, name, name_len) == 0 &&
			len - name_len - 1 < room) {
			memcpy(ret_value, pair + name_len + 1, len - name_len - 1);
			ret_value[len - name_len - 1] = '\0';
			return true;
		}
		pair = pair[len] == '&' ? pair + len : NULL;
	}
	return false;
}

/* Only of this alphabet; anything else was not made by us and is dropped. */
static void brought(const struct http_request *request, const char *name, const char *alphabet,
					char *ret_value, size_t room)
{
	bool found = http_request_form(request, name, ret_value, room) ||
				 http_request_query(request, name, ret_value, room) ||
				 of_referrer(request, name, ret_value, room);
	if (!found || ret_value[strspn(ret_value, alphabet)] != '\0')
		ret_value[0] = '\0';
}

static size_t language_of(const struct worker *worker, const struct http_request *request)
{
	char tag[32];
	size_t found;
	bool is_named = http_request_query(request, "lang", tag, sizeof(tag)) ||
					http_request_form(request, "lang", tag, sizeof(tag));
	if (!is_named && of_referrer(request, "lang", tag, sizeof(tag)) &&
		language_find(worker->app->languages, tag, strlen(tag), &found))
		return found;
	return page_language(worker, request);
}

void view_init(struct view *view, struct worker *worker, struct http_request *request,
			   const struct queue_snapshot *snapshot)
{
	view->worker = worker;
	view->request = request;
	view->snapshot = snapshot;
	view->language = language_of(worker, request);
	view->heading = NULL;
	view->has_form = false;
	view->out = (struct html_out){NULL};
	brought(request, "t", ALPHABET, view->target, sizeof(view->target));
	brought(request, "entry", ALPHABET ".", view->entry, sizeof(view->entry));
	brought(request, "challenge", ALPHABET, view->challenge, sizeof(view->challenge));
}

enum queue_state view_state(const struct view *view)
{
	return queue_settings_state_at(view->snapshot->settings,
								   place_store_now_ms(view->worker, view->snapshot));
}

void view_free(struct view *view)
{
	html_free(&view->out);
}

void view_link(const struct view *view, const char *more, char ret_link[VIEW_LINK_BYTES])
{
	snprintf(ret_link, VIEW_LINK_BYTES, "?nojs=1&lang=%s%s%s%s%s%s",
			 view->worker->app->languages->all[view->language].code,
			 view->target[0] != '\0' ? "&t=" : "", view->target,
			 view->entry[0] != '\0' ? "&entry=" : "", view->entry, more);
}

/* ---- texts ---- */

const char *view_string(const struct view *view, const char *key)
{
	return language_string(view->worker->app->languages, view->language, key);
}

static void element(struct view *view, const char *tag, const char *text)
{
	html_literal(&view->out, "<");
	html_literal(&view->out, tag);
	html_literal(&view->out, ">");
	html_string(&view->out, text);
	html_literal(&view->out, "</");
	html_raw(&view->out, tag, strcspn(tag, " "));
	html_literal(&view->out, ">\n");
}

void view_heading(struct view *view, const char *key)
{
	const char *text = view_string(view, key);
	if (view->heading == NULL)
		view->heading = text;
	element(view, "h1", text);
}

void view_paragraph(struct view *view, const char *key)
{
	element(view, "p", view_string(view, key));
}

void view_page(struct view *view, const char *page)
{
	char key[64];
	snprintf(key, sizeof(key), "%s.h", page);
	view_heading(view, key);
	snprintf(key, sizeof(key), "%s.p", page);
	view_paragraph(view, key);
}

/* Writes 'text' with {a} and {b} replaced. */
static void put_numbers(struct html_out *out, const char *text, int64_t a, int64_t b)
{
	for (const char *open; (open = strchr(text, '{')) != NULL && open[1] != '\0';) {
		html_text(out, text, (size_t)(open - text));
		const char *close = strchr(open, '}');
		if (close == NULL)
			break;
		html_number(out, open[1] == 'b' ? b : a);
		text = close + 1;
	}
	html_string(out, text);
}

void view_number_paragraph(struct view *view, const char *key, int64_t number)
{
	html_literal(&view->out, "<p>");
	put_numbers(&view->out, view_string(view, key), number, number);
	html_literal(&view->out, "</p>\n");
}

void view_message(struct view *view)
{
	const char *code = view->worker->app->languages->all[view->language].code;
	const char *message = queue_settings_message(view->snapshot->settings, code);
	if (message[0] != '\0')
		element(view, "p class=\"message\"", message);
}

void view_support_code(struct view *view, const char *code)
{
	html_literal(&view->out, "<p><small>");
	html_string(&view->out, view_string(view, "code"));
	html_literal(&view->out, " <code>");
	html_string(&view->out, code);
	html_literal(&view->out, "</code></small></p>\n");
}

/* ---- the place ---- */

static void put_row(struct view *view, const char *key)
{
	html_literal(&view->out, "<dt>");
	html_string(&view->out, view_string(view, key));
	html_literal(&view->out, "</dt><dd>");
}

static void put_wait(struct view *view, const struct place_look *look)
{
	struct wait_range wait = {.known = false};
	if (look->position > 0 && look->lane >= 0)
		wait = wait_estimate(&look->snapshot->waits[look->lane], look->position - 1);
	put_row(view, "nojs.wait");
	if (wait.known)
		put_numbers(&view->out, view_string(view, "nojs.minutes"), (wait.low_s + 59) / 60,
					(wait.high_s + 59) / 60);
	else
		html_string(&view->out, view_string(view, "wait.unknown"));
	html_literal(&view->out, "</dd>");
}

#define MINUTES_MOST 300

/* A clock time needs the visitor's time zone, so it is said how long that is; not in the night
 * before, when a number of minutes says nothing. */
static void put_opening(struct view *view)
{
	int64_t left_ms =
		view->snapshot->settings->opens_at_ms - place_store_now_ms(view->worker, view->snapshot);
	if (left_ms <= 0 || left_ms > MINUTES_MOST * 60000)
		return;
	put_row(view, "prequeue.label");
	put_numbers(&view->out, view_string(view, "nojs.minutes"), left_ms / 60000,
				left_ms / 60000 + 1);
	html_literal(&view->out, "</dd>");
}

void view_place(struct view *view, const struct place_look *look)
{
	html_literal(&view->out, "<dl>");
	put_row(view, "ahead.other");
	if (look->position > 0)
		html_number(&view->out, (long long)look->position - 1);
	else
		html_literal(&view->out, "–");
	html_literal(&view->out, "</dd>");
	enum queue_state queue = view_state(view);
	if (queue == QUEUE_HOLD)
		put_opening(view);
	else if (queue != QUEUE_PAUSED)
		put_wait(view, look);
	html_literal(&view->out, "</dl>\n");
}

/* ---- forms and links ---- */

static void hidden(struct view *view, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	html_literal(&view->out, "<input type=\"hidden\" name=\"");
	html_string(&view->out, name);
	html_literal(&view->out, "\" value=\"");
	html_string(&view->out, value);
	html_literal(&view->out, "\">");
}

/* A key in the form makes pressing twice, or again after a lost answer, one join. */
void view_button(struct view *view, const char *what, const char *key)
{
	char idempotency[POSITION_ID_CHARS + 1] = "";
	html_literal(&view->out, "<form method=\"post\" action=\"?nojs=1\">");
	hidden(view, "do", what);
	hidden(view, "lang", view->worker->app->languages->all[view->language].code);
	hidden(view, "t", view->target);
	hidden(view, "entry", view->entry);
	if (strcmp(what, "join") == 0) {
		position_id_random(idempotency);
		hidden(view, "key", idempotency);
		hidden(view, "challenge", view->challenge);
	}
	html_literal(&view->out, strcmp(what, "leave") == 0 ? "<button>" : "<button class=\"main\">");
	html_string(&view->out, view_string(view, key));
	html_literal(&view->out, "</button></form>\n");
	view->has_form = true;
}

void view_anchor(struct view *view, const char *more, const char *key)
{
	char link[VIEW_LINK_BYTES];
	view_link(view, more, link);
	html_literal(&view->out, "<p><a href=\"");
	html_string(&view->out, link);
	html_literal(&view->out, "\">");
	html_string(&view->out, view_string(view, key));
	html_literal(&view->out, "</a></p>\n");
}

/* ---- the answer ---- */

#define ORIGINS_BYTES 512

/* A form that ends in a redirect needs its policy to allow where that leads, and Chromium asks of
 * every further redirect, too: a site may send its visitors on to a login of another origin. So any
 * https will do, and of plain http the targets themselves. */
static void form_targets(const struct queue_settings *settings, char ret_origins[ORIGINS_BYTES])
{
	size_t len = 0;
	bool has_https = false;
	for (uint32_t i = 0; i < settings->target_count; i++) {
		const char *target = settings->targets[i], *host = strstr(target, "://");
		size_t origin = host != NULL ? (size_t)(host + 3 - target) + strcspn(host + 3, "/") : 0;
		bool is_https = strncmp(target, "https:", 6) == 0;
		has_https = has_https || is_https;
		if (is_https || len + origin + sizeof(" https:") > ORIGINS_BYTES)
			continue;
		memcpy(ret_origins + len, target, origin);
		len += origin;
		ret_origins[len++] = ' ';
	}
	strcpy(ret_origins + len, has_https ? "https:" : "");
	if (!has_https && len > 0)
		ret_origins[len - 1] = '\0';
}

#define FORM_COOKIE_BYTES 96

const char *view_form_cookie(const struct worker *worker)
{
	return worker->app->config.secure_cookies ? "__Host-wr-form" : "wr-form";
}

static void put_form_cookie(const struct view *view)
{
	char value[FORM_COOKIE_BYTES];
	snprintf(value, sizeof(value), "%s=1; Path=/; HttpOnly; SameSite=Strict%s",
			 view_form_cookie(view->worker),
			 view->worker->app->config.secure_cookies ? "; Secure" : "");
	http_reply_header(view->request, "Set-Cookie", value);
}

/* The same page in every language, each in its own words. */
static void put_languages(struct view *view)
{
	const struct languages *languages = view->worker->app->languages;
	size_t own = view->language;
	html_literal(&view->out, "<nav aria-label=\"");
	html_string(&view->out, view_string(view, "language"));
	html_literal(&view->out, "\">");
	for (size_t i = 0; i < languages->count; i++) {
		char link[VIEW_LINK_BYTES];
		view->language = i;
		view_link(view, "", link);
		html_literal(&view->out, "<a lang=\"");
		html_string(&view->out, languages->all[i].code);
		html_literal(&view->out, i == own ? "\" aria-current=\"true\" href=\"" : "\" href=\"");
		html_string(&view->out, link);
		html_literal(&view->out, "\">");
		html_string(&view->out, language_string(languages, i, "_name"));
		html_literal(&view->out, "</a>\n");
	}
	view->language = own;
	html_literal(&view->out, "</nav>");
}

void view_reply(struct view *view, int status)
{
	const struct queue_settings *settings =
		view->snapshot != NULL ? view->snapshot->settings : NULL;
	char origins[ORIGINS_BYTES] = "";
	struct page_look look;
	if (settings != NULL)
		form_targets(settings, origins);
	if (view->has_form)
		put_form_cookie(view);
	if (settings != NULL)
		put_languages(view);
	page_look_init(&look, settings, view->worker->app->languages->all[view->language].code);
	struct page_content content = {
		.heading = view->heading, .html = &view->out, .form_targets = origins};
	page_reply_static(view->worker, view->request, status, &look, view->language, &content);
}
