/* Building documents of the waiting page.
 *
 *     room.html ─► its {{placeholders}} filled ─► hashes of what runs in it ─► policy
 *                       │                                                        │
 *     a template of the operator's own? the room's parts are put into it ────────┤
 *                       ▼                                                        ▼
 *     identity, gzip, brotli                                            struct page
 *
 * The same bytes go to everybody, so scripts and styles are allowed by the hash of their text and
 * nothing else runs: no nonce, no inline handler, no style attribute. An operator's template may
 * bring style elements of its own; its scripts do not run, because pages of all queues share one
 * origin.
 */
#include "page_build.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page_parts.h"
#include "waitingroom/memory.h"
#include "waitingroom/theme.h"
#include "waitingroom/token.h"

/* ---- the look ---- */

/* Where the providers' scripts, frames and calls come from and go to. */
static const char *captcha_origins(enum queue_challenge challenge)
{
	switch (challenge) {
	case QUEUE_CHALLENGE_TURNSTILE:
		return "https://challenges.cloudflare.com";
	case QUEUE_CHALLENGE_HCAPTCHA:
		return "https://hcaptcha.com https://*.hcaptcha.com";
	case QUEUE_CHALLENGE_FRIENDLY:
		return "https://cdn.jsdelivr.net/npm/@friendlycaptcha/ https://*.frcapi.com";
	default:
		return "";
	}
}

bool page_look_is_plain(const struct queue_settings *settings)
{
	return settings->theme == NULL && settings->template_html == NULL &&
		   captcha_origins(settings->challenge)[0] == '\0';
}

void page_look_init(struct page_look *ret_look, const struct queue_settings *settings,
					const char *language)
{
	*ret_look = (struct page_look){.name = "",
								   .logo = "",
								   .colour = "",
								   .title = "",
								   .intro = "",
								   .template_html = "",
								   .captcha = ""};
	if (settings == NULL)
		return;
	ret_look->captcha = captcha_origins(settings->challenge);
	if (settings->template_html != NULL)
		ret_look->template_html = settings->template_html;
	const struct queue_theme *theme = settings->theme;
	if (theme == NULL)
		return;
	ret_look->name = theme->name;
	ret_look->logo = theme->logo;
	ret_look->colour = theme->colour;
	theme_dark_colour(theme, ret_look->colour_dark);
	for (uint32_t i = 0; i < theme->text_count; i++)
		if (strcmp(theme->texts[i].language, language) == 0) {
			ret_look->title = theme->texts[i].title;
			ret_look->intro = theme->texts[i].intro;
		}
}

/* ---- the policy ---- */

struct policy {
	struct html_out scripts, styles; /* 'sha256-…' each with a space before it */
};

static void add_hash(struct html_out *list, const char *text, size_t len)
{
	char hash[45];
	sha256_base64(text, len, hash);
	html_literal(list, " 'sha256-");
	html_literal(list, hash);
	html_literal(list, "'");
}

static void allow_scripts(struct policy *policy, const char *html, size_t len)
{
	struct page_element element;
	for (size_t at = 0; page_element_next(html, len, &at, &element);)
		if (element.kind == PAGE_SCRIPT)
			add_hash(&policy->scripts, element.text, element.text_len);
}

/* Each style costs 53 bytes of a header; whoever has more puts them together. */
#define STYLES_MAX 8

static void allow_styles(struct policy *policy, const char *html, size_t len)
{
	struct page_element element;
	int count = 0;
	for (size_t at = 0; count < STYLES_MAX && page_element_next(html, len, &at, &element);) {
		if (element.kind == PAGE_STYLE) {
			add_hash(&policy->styles, element.text, element.text_len);
			count++;
		} else if (element.kind == PAGE_NOSCRIPT) {
			allow_styles(policy, element.text, element.text_len);
		}
	}
}

static void print_policy(const struct policy *policy, const char *captcha, const char *form_targets,
						 char ret_policy[PAGE_POLICY_BYTES])
{
	bool has_captcha = captcha[0] != '\0';
	const char *space = has_captcha ? " " : "";
	bool has_scripts = policy->scripts.len > 0;
	int len = snprintf(
		ret_policy, PAGE_POLICY_BYTES,
		"default-src 'none'; script-src%.*s%s%s; style-src%.*s%s%s; connect-src 'self'%s%s; "
		"worker-src 'self'; img-src data:; manifest-src 'none'; base-uri 'none'; "
		"form-action 'self'%s%s; frame-ancestors 'none'%s%s",
		has_scripts ? (int)policy->scripts.len : 7, has_scripts ? policy->scripts.text : " 'none'",
		space, captcha, (int)policy->styles.len, policy->styles.text, space, captcha, space,
		captcha, form_targets[0] != '\0' ? " " : "", form_targets,
		has_captcha ? "; frame-src " : "", captcha);
	assert(len < PAGE_POLICY_BYTES && "a policy has outgrown its room");
}

static void policy_free(struct policy *policy)
{
	html_free(&policy->scripts);
	html_free(&policy->styles);
}

/* ---- the document ---- */

/* The operator's template around the room. Its head gets the room's styles and scripts, its marker
 * the room's body. */
static void put_into_template(struct html_out *out, const struct html_out *room,
							  const struct html_out *around)
{
	const char *marker = QUEUE_TEMPLATE_MARKER;
	const char *head_end = page_find(around->text, around->len, "</head>");
	const char *place = page_find(around->text, around->len, marker);
	const char *end = around->text + around->len;
	if (place == NULL) /* settings do not take such a template */
		place = end;
	const char *head = head_end != NULL && head_end < place ? head_end : place;
	html_raw(out, around->text, (size_t)(head - around->text));
	page_put_head_parts(out, room->text, room->len);
	html_raw(out, head, (size_t)(place - head));
	page_put_body(out, room->text, room->len);
	if (place != end)
		html_raw(out, place + strlen(marker), (size_t)(end - place) - strlen(marker));
}

static struct page *page_new(size_t language, const struct html_out *document,
							 enum compress_effort effort)
{
	struct page *page = mem_alloc_zero(1, sizeof(*page));
	char hex[65];
	page->language = language;
	page->effort = effort;
	for (int coding = 0; coding < HTTP_CODING_COUNT; coding++)
		page->body[coding] = http_compress((enum http_coding)coding, effort, document->text,
										   document->len, &page->len[coding]);
	sha256_hex(document->text, document->len, hex);
	snprintf(page->tag, sizeof(page->tag), "%.20s", hex);
	return page;
}

struct page *page_build(const struct languages *languages, size_t language,
						const struct page_look *look, enum compress_effort effort)
{
	WR_AUTO(policy_free) struct policy policy = {{NULL}, {NULL}};
	WR_AUTO(html_free) struct html_out room = {NULL};
	WR_AUTO(html_free) struct html_out around = {NULL};
	WR_AUTO(html_free) struct html_out whole = {NULL};
	struct page_source source = {.languages = languages, .language = language, .look = look};
	const struct web_file *file = web_file_get("room.html");
	page_expand(&room, &source, file->text, file->len);
	allow_scripts(&policy, room.text, room.len);
	allow_styles(&policy, room.text, room.len);
	const struct html_out *document = &room;
	if (look->template_html[0] != '\0') {
		source.is_foreign = true;
		page_expand(&around, &source, look->template_html, strlen(look->template_html));
		allow_styles(&policy, around.text, around.len);
		put_into_template(&whole, &room, &around);
		document = &whole;
	}
	struct page *page = page_new(language, document, effort);
	print_policy(&policy, look->captcha, "", page->policy);
	return page;
}

struct page *page_build_file(const char *name, const char *policy, enum compress_effort effort)
{
	const struct web_file *file = web_file_get(name);
	struct html_out text = {.text = (char *)file->text, .len = file->len}; /* borrowed */
	struct page *page = page_new(0, &text, effort);
	snprintf(page->policy, sizeof(page->policy), "%s", policy);
	return page;
}

void page_free(void *ctx)
{
	struct page *page = ctx;
	if (page == NULL)
		return;
	for (int coding = 0; coding < HTTP_CODING_COUNT; coding++)
		free(page->body[coding]);
	free(page);
}

void page_build_static(const struct languages *languages, size_t language,
					   const struct page_look *look, const struct page_content *content,
					   struct html_out *ret_document, char ret_policy[PAGE_POLICY_BYTES])
{
	WR_AUTO(policy_free) struct policy policy = {{NULL}, {NULL}};
	struct page_source source = {.languages = languages,
								 .language = language,
								 .look = look,
								 .content = content->html,
								 .heading = content->heading};
	const struct web_file *file = web_file_get("noscript.html");
	page_expand(ret_document, &source, file->text, file->len);
	allow_styles(&policy, ret_document->text, ret_document->len);
	print_policy(&policy, "", content->form_targets, ret_policy);
}
