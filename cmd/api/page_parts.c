/* Parts of a document. The files are ours and the template is the operator's, so the reader of HTML
 * here is as simple as the few elements that it looks for.
 */
#include "page_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "waitingroom/memory.h"
#include "waitingroom/token.h"

/* ---- values of placeholders ---- */

static const char *string_of(const struct page_source *source, const char *key)
{
	if (strcmp(key, "title") == 0 && source->look->title[0] != '\0')
		return source->look->title;
	if (strcmp(key, "intro") == 0 && source->look->intro[0] != '\0')
		return source->look->intro;
	return language_string(source->languages, source->language, key);
}

static void put_lang(struct html_out *out, const struct page_source *source)
{
	html_string(out, source->languages->all[source->language].code);
}

static void put_dir(struct html_out *out, const struct page_source *source)
{
	const char *dir = string_of(source, "_dir");
	html_literal(out, strcmp(dir, "rtl") == 0 ? "rtl" : "ltr");
}

static void put_title(struct html_out *out, const struct page_source *source)
{
	html_string(out, string_of(source, "title"));
}

static void put_file(struct html_out *out, const char *name)
{
	const struct web_file *file = web_file_get(name);
	html_raw(out, file->text, file->len);
}

static void put_css(struct html_out *out, const struct page_source *source)
{
	(void)source;
	put_file(out, "room.css");
}

static void put_rules(struct html_out *out, const struct page_source *source)
{
	(void)source;
	put_file(out, "room_rules.js");
}

static void put_view(struct html_out *out, const struct page_source *source)
{
	(void)source;
	put_file(out, "room_view.js");
}

static void put_js(struct html_out *out, const struct page_source *source)
{
	(void)source;
	put_file(out, "room.js");
}

static void put_json(struct html_out *out, const struct json_out *json)
{
	html_script_json(out, json->text, json->len);
}

static void put_worker(struct html_out *out, const struct page_source *source)
{
	const struct web_file *file = web_file_get("worker.js");
	size_t room = file->len * 6 + 16; /* every byte escaped */
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out json;
	(void)source;
	json_out_init(&json, text, room);
	json_out_string_n(&json, NULL, file->text, file->len);
	put_json(out, &json);
}

static void put_worker_url(struct html_out *out, const struct page_source *source)
{
	const struct web_file *file = web_file_get("worker.js");
	char hex[65];
	(void)source;
	sha256_hex(file->text, file->len, hex);
	html_literal(out, "../../room-worker.js?v=");
	html_raw(out, hex, 12);
}

/* Keys that begin with "nojs." are for the page without scripts. */
static void put_strings(struct html_out *out, const struct page_source *source)
{
	const struct json_value *english = source->languages->all[source->languages->english].strings;
	WR_AUTO(html_free) struct html_out raw = {NULL};
	size_t room = 1024;
	for (size_t i = 0; i < json_count(english); i++) {
		const char *key = json_key(json_at(english, i));
		room += 16 + 6 * (strlen(key) + strlen(string_of(source, key)));
	}
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out json;
	json_out_init(&json, text, room);
	json_out_object(&json, NULL);
	for (size_t i = 0; i < json_count(english); i++) {
		const char *key = json_key(json_at(english, i));
		if (key[0] != '_' && strncmp(key, "nojs.", 5) != 0)
			json_out_string(&json, key, string_of(source, key));
	}
	json_out_object_end(&json);
	put_json(out, &json);
}

/* Colours are checked when they are saved ("#rrggbb"), and here again before they enter CSS. */
static bool is_colour(const char *text)
{
	return strlen(text) == 7 && text[0] == '#' && strspn(text + 1, "0123456789abcdefABCDEF") == 6;
}

static void put_theme_css(struct html_out *out, const struct page_source *source)
{
	const struct page_look *look = source->look;
	if (is_colour(look->colour)) {
		html_literal(out, ":root{--accent:");
		html_literal(out, look->colour);
		html_literal(out, "}");
	}
	if (is_colour(look->colour_dark)) {
		html_literal(out, "@media(prefers-color-scheme:dark){:root{--accent:");
		html_literal(out, look->colour_dark);
		html_literal(out, "}}");
	}
}

static void put_theme_logo(struct html_out *out, const struct page_source *source)
{
	if (source->look->logo[0] == '\0')
		return;
	html_literal(out, "<img class=\"logo\" alt=\"\" src=\"");
	html_string(out, source->look->logo);
	html_literal(out, "\">");
}

static void put_theme_name(struct html_out *out, const struct page_source *source)
{
	html_string(out, source->look->name);
}

static void put_languages(struct html_out *out, const struct page_source *source)
{
	for (size_t i = 0; i < source->languages->count; i++) {
		const char *code = source->languages->all[i].code;
		html_literal(out, "<option value=\"");
		html_string(out, code);
		html_literal(out, "\" lang=\"");
		html_string(out, code);
		html_literal(out, i == source->language ? "\" selected>" : "\">");
		html_string(out, language_string(source->languages, i, "_name"));
		html_literal(out, "</option>");
	}
}

static void put_heading(struct html_out *out, const struct page_source *source)
{
	if (source->heading != NULL)
		html_string(out, source->heading);
}

static void put_content(struct html_out *out, const struct page_source *source)
{
	if (source->content != NULL)
		html_raw(out, source->content->text, source->content->len);
}

static const struct value {
	const char *name;
	void (*put)(struct html_out *out, const struct page_source *source);
	bool is_for_all; /* also in an operator's template */
} values[] = {
	{"lang", put_lang, true},
	{"dir", put_dir, true},
	{"title", put_title, true},
	{"theme_logo", put_theme_logo, true},
	{"theme_name", put_theme_name, true},
	{"languages", put_languages, true},
	{"theme_css", put_theme_css, false},
	{"css", put_css, false},
	{"rules", put_rules, false},
	{"view", put_view, false},
	{"js", put_js, false},
	{"worker", put_worker, false},
	{"worker_url", put_worker_url, false},
	{"strings", put_strings, false},
	{"heading", put_heading, false},
	{"content", put_content, false},
};

static bool put_value(struct html_out *out, const struct page_source *source, const char *name,
					  size_t len)
{
	char key[64];
	if (len >= sizeof(key))
		return false;
	memcpy(key, name, len);
	key[len] = '\0';
	if (strncmp(key, "s:", 2) == 0) {
		html_string(out, string_of(source, key + 2));
		return true;
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strcmp(values[i].name, key) == 0 && (values[i].is_for_all || !source->is_foreign)) {
			values[i].put(out, source);
			return true;
		}
	return false;
}

void page_expand(struct html_out *out, const struct page_source *source, const char *text,
				 size_t len)
{
	const char *end = text + len;
	while (text < end) {
		const char *open = memmem(text, (size_t)(end - text), "{{", 2);
		const char *close =
			open != NULL ? memmem(open + 2, (size_t)(end - open) - 2, "}}", 2) : NULL;
		if (close == NULL)
			break;
		html_raw(out, text, (size_t)(open - text));
		if (put_value(out, source, open + 2, (size_t)(close - open) - 2)) {
			text = close + 2;
		} else {
			html_raw(out, open, 2);
			text = open + 2;
		}
	}
	html_raw(out, text, (size_t)(end - text));
}

/* ---- elements ---- */

const char *page_find(const char *html, size_t len, const char *word)
{
	size_t word_len = strlen(word);
	for (size_t i = 0; i + word_len <= len; i++)
		if (strncasecmp(html + i, word, word_len) == 0)
			return html + i;
	return NULL;
}

static const struct {
	const char *open, *close;
	enum page_element_kind kind;
} elements[] = {
	{"<style", "</style", PAGE_STYLE},
	{"<script", "</script", PAGE_SCRIPT},
	{"<noscript", "</noscript", PAGE_NOSCRIPT},
};

static bool is_data(const char *tag, size_t len)
{
	return page_find(tag, len, "json") != NULL;
}

bool page_element_next(const char *html, size_t len, size_t *at, struct page_element *ret_element)
{
	const char *end = html + len;
	for (const char *tag = html + *at; tag < end; tag++) {
		for (size_t i = 0; *tag == '<' && i < sizeof(elements) / sizeof(elements[0]); i++) {
			size_t open_len = strlen(elements[i].open);
			if ((size_t)(end - tag) <= open_len ||
				strncasecmp(tag, elements[i].open, open_len) != 0 ||
				strchr(" \t\n\r>", tag[open_len]) == NULL)
				continue;
			const char *text = memchr(tag, '>', (size_t)(end - tag));
			const char *close =
				text != NULL ? page_find(text, (size_t)(end - text), elements[i].close) : NULL;
			const char *closed = close != NULL ? memchr(close, '>', (size_t)(end - close)) : NULL;
			if (closed == NULL)
				return false;
			text++;
			*ret_element = (struct page_element){.kind = elements[i].kind,
												 .text = text,
												 .text_len = (size_t)(close - text),
												 .begin = tag,
												 .end = closed + 1};
			if (ret_element->kind == PAGE_SCRIPT && is_data(tag, (size_t)(text - tag)))
				ret_element->kind = PAGE_DATA;
			*at = (size_t)(closed + 1 - html);
			return true;
		}
	}
	return false;
}

void page_put_head_parts(struct html_out *out, const char *html, size_t len)
{
	const char *head_end = page_find(html, len, "</head>");
	struct page_element element;
	size_t head_len = head_end != NULL ? (size_t)(head_end - html) : 0;
	for (size_t at = 0; page_element_next(html, head_len, &at, &element);)
		html_raw(out, element.begin, (size_t)(element.end - element.begin));
}

void page_put_body(struct html_out *out, const char *html, size_t len)
{
	const char *body = page_find(html, len, "<body");
	const char *text = body != NULL ? memchr(body, '>', len - (size_t)(body - html)) : NULL;
	if (text == NULL)
		return;
	text++;
	const char *end = html + len;
	for (const char *at = text, *found;
		 (found = page_find(at, (size_t)(html + len - at), "</body")) != NULL; at = found + 1)
		end = found; /* the last one: a script may mention it */
	html_raw(out, text, (size_t)(end - text));
}
