/* Preview: an operator looks at any state of the page without joining.
 *
 *     POST /admin/v1/queues/<tenant>/<queue>/preview {"state":"paused","lang":"de","theme":{…}}
 *         ─► {"url":"…/q/<tenant>/<queue>?preview=1&state=paused&…&sig=…","expires_in_s":3600}
 *
 * The link is signed, so that nobody sends visitors to a page that claims it is their turn. All
 * that it shows is in the link itself, a theme that is being tried, too; nothing is stored. The
 * page's script shows the state with made-up numbers and asks the server nothing.
 */
#include "preview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "page.h"
#include "page_cache.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define PURPOSE "preview"
#define LIFE_S 3600
#define THEME_BYTES 2048 /* JSON; a link must fit into what proxies take */
#define THEME_CHARS BASE64URL_LEN(THEME_BYTES)
#define LINK_TEXT_BYTES (QUEUE_NAME_TEXT_BYTES + THEME_CHARS + 128)
#define HTML_TYPE "text/html; charset=utf-8"

static const char *const states[] = {
	"prequeue", "waiting", "almost", "paused", "your_turn",	   "missed", "expired",	  "left",
	"ended",	"full",	   "closed", "invite", "reconnecting", "moved",	 "challenge", "error"};

struct preview {
	char state[16], lang[16], expires[24];
	char theme[THEME_CHARS + 1]; /* base64url of the JSON */
};

static void sign(struct signer *signer, const struct queue_name *queue,
				 const struct preview *preview, char ret_mac[LINK_MAC_CHARS + 1])
{
	char text[LINK_TEXT_BYTES], name[QUEUE_NAME_TEXT_BYTES];
	queue_name_print(queue, name);
	int len = snprintf(text, sizeof(text), "%s\n%s\n%s\n%s\n%s", name, preview->state,
					   preview->lang, preview->expires, preview->theme);
	link_mac(signer, PURPOSE, text, (size_t)len, ret_mac);
}

/* {"theme":…} as settings take it, which checks it. settings are cleared by the caller. */
static enum wr_err read_theme(const char *json, struct queue_settings *ret_settings,
							  struct err_detail *ret_detail)
{
	char text[THEME_BYTES + 16];
	struct queue_settings base;
	queue_settings_default(&base);
	int len = snprintf(text, sizeof(text), "{\"theme\":%s}", json);
	return queue_settings_from_json(text, (size_t)len, &base, ret_settings, ret_detail);
}

/* ---- showing ---- */

static bool read_link(const struct http_request *request, struct preview *ret_preview)
{
	ret_preview->lang[0] = ret_preview->theme[0] = '\0';
	http_request_query(request, "lang", ret_preview->lang, sizeof(ret_preview->lang));
	http_request_query(request, "theme", ret_preview->theme, sizeof(ret_preview->theme));
	return http_request_query(request, "state", ret_preview->state, sizeof(ret_preview->state)) &&
		   http_request_query(request, "exp", ret_preview->expires, sizeof(ret_preview->expires));
}

static bool is_good(struct worker *worker, const struct http_request *request,
					const struct queue_name *queue, const struct preview *preview)
{
	char given[LINK_MAC_CHARS + 2], mac[LINK_MAC_CHARS + 1];
	int64_t expires_s = 0;
	sign(worker->signer, queue, preview, mac);
	return http_request_query(request, "sig", given, sizeof(given)) &&
		   link_mac_is_equal(given, mac) &&
		   text_to_i64(preview->expires, strlen(preview->expires), 0, INT64_MAX, &expires_s) &&
		   expires_s >= worker->wall.ms / 1000;
}

/* The page as the theme of the link would make it; of the settings it keeps template and
 * captcha. */
static void reply_themed(struct worker *worker, struct http_request *request, size_t language,
						 const struct preview *preview, const struct queue_settings *settings)
{
	char json[THEME_BYTES + 1];
	size_t len = 0;
	struct queue_settings tried;
	if (!base64url_decode(preview->theme, strlen(preview->theme), json, sizeof(json) - 1, &len))
		len = 0;
	json[len] = '\0';
	if (read_theme(json, &tried, NULL) != WR_OK) { /* rules have changed since it was signed */
		page_problem(worker, request, WR_INVALID);
		return;
	}
	struct queue_settings shown = *settings; /* borrows */
	struct page_look look;
	shown.theme = tried.theme;
	page_look_init(&look, &shown, worker->app->languages->all[language].code);
	struct page *page = page_build(worker->app->languages, language, &look, COMPRESS_QUICK);
	page_reply(request, page, HTML_TYPE, "no-store");
	page_free(page);
	queue_settings_clear(&tried);
}

void preview_serve(struct worker *worker, struct http_request *request,
				   const struct queue_snapshot *snapshot)
{
	struct preview preview;
	if (!read_link(request, &preview) || !is_good(worker, request, &snapshot->name, &preview)) {
		page_problem(worker, request, WR_FORBIDDEN);
		return;
	}
	size_t language = page_language(worker, request);
	http_reply_header(request, "Content-Language", worker->app->languages->all[language].code);
	if (preview.theme[0] != '\0')
		reply_themed(worker, request, language, &preview, snapshot->settings);
	else
		page_reply(request, page_cache_find(worker->app->pages, snapshot, language), HTML_TYPE,
				   "no-store");
}

/* ---- making a link ---- */

static bool is_state(const char *word)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i], word) == 0)
			return true;
	return false;
}

static enum wr_err read_tried(const struct json_value *theme, struct preview *preview,
							  struct err_detail *ret_detail)
{
	WR_AUTO(mem_free_at) char *json = json_print(theme);
	struct queue_settings tried;
	size_t len = strlen(json);
	if (len > THEME_BYTES)
		return err_say(ret_detail, WR_INVALID,
					   "theme: must be at most %d bytes in a preview; save a logo first",
					   THEME_BYTES);
	enum wr_err err = read_theme(json, &tried, ret_detail);
	if (err != WR_OK)
		return err;
	queue_settings_clear(&tried);
	preview->theme[base64url_encode(json, len, preview->theme)] = '\0';
	return WR_OK;
}

static enum wr_err read_wanted(const struct http_request *request, const struct app *app,
							   struct preview *preview, struct err_detail *ret_detail)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	const char *state = NULL, *lang = NULL;
	size_t len = 0;
	const char *body = http_request_body(request, &len);
	enum wr_err err = json_parse(body, len, &document, ret_detail);
	if (err != WR_OK)
		return err;
	if (!json_string(json_member(document, "state"), &state) || !is_state(state))
		return err_say(
			ret_detail, WR_INVALID,
			"state: must be prequeue, waiting, almost, paused, your_turn, missed, "
			"expired, left, ended, full, closed, invite, reconnecting, moved, challenge or "
			"error");
	const struct json_value *given = json_member(document, "lang");
	size_t language = app->languages->english;
	if (given != NULL && (!json_string(given, &lang) ||
						  !language_find(app->languages, lang, strlen(lang), &language)))
		return err_say(ret_detail, WR_INVALID, "lang: there is no such language");
	snprintf(preview->state, sizeof(preview->state), "%s", state);
	snprintf(preview->lang, sizeof(preview->lang), "%s", app->languages->all[language].code);
	const struct json_value *theme = json_member(document, "theme");
	size_t members = 1 + (given != NULL) + (theme != NULL);
	if (json_count(document) != members)
		return err_say(ret_detail, WR_INVALID, "A member is not known: state, lang and theme are.");
	return theme != NULL ? read_tried(theme, preview, ret_detail) : WR_OK;
}

/* The handler's thread has no signer of its own: previews are rare. */
static void print_link(const struct app *app, const struct queue_snapshot *snapshot,
					   const struct preview *preview, char *ret_url, size_t room)
{
	const struct queue_name *queue = &snapshot->name;
	const char *own = snapshot->settings->room_url;
	char mac[LINK_MAC_CHARS + 1];
	struct signer *signer = signer_new();
	signer_use_keys(signer, atomic_load_explicit(&app->keys, memory_order_acquire));
	sign(signer, queue, preview, mac);
	signer_free(signer);
	snprintf(ret_url, room, "%s/q/%s/%s?preview=1&state=%s&lang=%s&exp=%s%s%s&sig=%s",
			 own[0] != '\0' ? own : app->config.public_url, queue->tenant, queue->queue,
			 preview->state, preview->lang, preview->expires,
			 preview->theme[0] != '\0' ? "&theme=" : "", preview->theme, mac);
}

void admin_preview_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct internal *internal = ctx;
	(void)match;
	const struct admin_notes *notes = http_request_notes(request);
	struct preview preview = {.theme = ""};
	struct err_detail detail = {""};
	enum wr_err err = WR_OK;
	const struct queue_snapshot *snapshot = queue_table_find(internal->app->queues, &notes->name);
	if (snapshot == NULL)
		err = WR_NO_QUEUE;
	if (err == WR_OK)
		err = read_wanted(request, internal->app, &preview, &detail);
	if (err != WR_OK) {
		admin_problem(internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
		return;
	}
	char url[CONFIG_TEXT_BYTES + THEME_CHARS + 512], text[2 * sizeof(url)];
	struct json_out out;
	snprintf(preview.expires, sizeof(preview.expires), "%lld",
			 (long long)(app_time(internal->app, clock_mono()).ms / 1000 + LIFE_S));
	print_link(internal->app, snapshot, &preview, url, sizeof(url));
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	json_out_string(&out, "url", url);
	json_out_int(&out, "expires_in_s", LIFE_S);
	json_out_object_end(&out);
	http_reply(request, 200, "application/json", text, out.len);
}
