/* Theme: reading and writing it, and the contrast of its colours.
 *
 * Contrast is checked when a theme is saved: whoever chooses a colour that nobody can read is told
 * the contrast and what it must be. What the store has is taken as it is, also by a later version
 * whose page has other colours.
 */
#include "waitingroom/theme.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings_rules.h"
#include "waitingroom/memory.h"

/* ---- contrast ---- */

static unsigned channel(const char *colour, size_t which)
{
	char digits[3] = {colour[1 + 2 * which], colour[2 + 2 * which], '\0'};
	return (unsigned)strtoul(digits, NULL, 16);
}

/* https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
static double luminance(const char *colour)
{
	static const double shares[] = {0.2126, 0.7152, 0.0722};
	double sum = 0;
	for (size_t i = 0; i < 3; i++) {
		double value = channel(colour, i) / 255.0;
		sum += shares[i] * (value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4));
	}
	return sum;
}

double theme_contrast(const char *colour, const char *other)
{
	double a = luminance(colour), b = luminance(other);
	return a > b ? (a + 0.05) / (b + 0.05) : (b + 0.05) / (a + 0.05);
}

static bool is_readable(const char *colour, const char *page, const char *on_accent)
{
	return theme_contrast(colour, page) >= THEME_CONTRAST_LEAST &&
		   theme_contrast(colour, on_accent) >= THEME_CONTRAST_LEAST;
}

/* White has the contrast that is asked for, so this ends. */
void theme_dark_colour(const struct queue_theme *theme, char ret_colour[COLOUR_CHARS + 1])
{
	const char *given = theme->colour_dark[0] ? theme->colour_dark : theme->colour;
	memcpy(ret_colour, given, COLOUR_CHARS + 1);
	for (unsigned step = 1;
		 ret_colour[0] && !is_readable(ret_colour, THEME_DARK_PAGE, THEME_DARK_ON_ACCENT); step++) {
		unsigned mixed[3];
		for (size_t i = 0; i < 3; i++)
			mixed[i] = (channel(given, i) * (16 - step) + 255 * step) / 16;
		snprintf(ret_colour, COLOUR_CHARS + 1, "#%02x%02x%02x", mixed[0] & 255, mixed[1] & 255,
				 mixed[2] & 255);
	}
}

/* ---- checking ---- */

static enum wr_err check_contrast(const char *field, const char *colour, const char *other,
								  const char *what, struct err_detail *ret_detail)
{
	double contrast = theme_contrast(colour, other);
	if (contrast >= THEME_CONTRAST_LEAST)
		return WR_OK;
	/* Rounded down: 4.499 must not be called 4.50. */
	return err_say(ret_detail, WR_INVALID,
				   "theme.%s: must have a contrast of at least %.1f %s %s, and has %.2f; choose a "
				   "%s colour",
				   field, THEME_CONTRAST_LEAST, what, other, floor(contrast * 100) / 100,
				   luminance(other) > 0.5 ? "darker" : "lighter");
}

static enum wr_err check_colour(const char *field, const char *colour, const char *page,
								const char *on_accent, struct err_detail *ret_detail)
{
	if (colour[0] == '\0')
		return WR_OK;
	enum wr_err err = check_contrast(field, colour, page, "to the page's", ret_detail);
	if (err == WR_OK)
		err = check_contrast(field, colour, on_accent, "to the text on it,", ret_detail);
	return err;
}

enum wr_err settings_check_theme(const struct queue_settings *settings,
								 struct err_detail *ret_detail)
{
	const struct queue_theme *theme = settings->theme;
	if (theme == NULL)
		return WR_OK;
	enum wr_err err =
		check_colour("colour", theme->colour, THEME_LIGHT_PAGE, THEME_LIGHT_ON_ACCENT, ret_detail);
	if (err == WR_OK)
		err = check_colour("colour_dark", theme->colour_dark, THEME_DARK_PAGE, THEME_DARK_ON_ACCENT,
						   ret_detail);
	return err;
}

/* ---- reading ---- */

static enum wr_err read_colour(const char *field, const char *text, char ret[COLOUR_CHARS + 1],
							   struct err_detail *ret_detail)
{
	ret[0] = '\0';
	if (text[0] == '\0')
		return WR_OK;
	if (strlen(text) != COLOUR_CHARS || text[0] != '#' ||
		strspn(text + 1, "0123456789abcdefABCDEF") != COLOUR_CHARS - 1)
		return err_say(ret_detail, WR_INVALID, "theme.%s: must be #rrggbb, six digits in hex",
					   field);
	for (size_t i = 0; i <= COLOUR_CHARS; i++)
		ret[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] + ('a' - 'A') : text[i]);
	return WR_OK;
}

static enum wr_err read_name(struct queue_theme *theme, const char *text,
							 struct err_detail *ret_detail)
{
	size_t len = strlen(text);
	enum wr_err err =
		settings_check_text("theme.name", text, len, THEME_NAME_BYTES, false, ret_detail);
	if (err == WR_OK)
		memcpy(theme->name, text, len + 1);
	return err;
}

static enum wr_err read_logo(struct queue_theme *theme, const char *text,
							 struct err_detail *ret_detail)
{
	size_t len = strlen(text);
	const char *wrong = len > 0 ? theme_logo_wrong(text, len) : NULL;
	if (wrong)
		return err_say(ret_detail, WR_INVALID, "theme.logo: %s", wrong);
	memcpy(theme->logo, text, len + 1);
	return WR_OK;
}

static enum wr_err read_text(struct theme_text *texts, const struct json_value *member,
							 struct err_detail *ret_detail)
{
	const char *name = json_key(member), *text;
	bool is_title = strcmp(name, "title") == 0;
	char field[48];
	if (!is_title && strcmp(name, "intro") != 0)
		return err_say(ret_detail, WR_INVALID,
					   "theme.texts.%s: must have no members but title and intro", texts->language);
	snprintf(field, sizeof(field), "theme.texts.%s.%s", texts->language, name);
	if (!json_string(member, &text))
		return err_say(ret_detail, WR_INVALID, "%s: must be a string", field);
	enum wr_err err =
		settings_check_text(field, text, strlen(text), THEME_TEXT_BYTES, !is_title, ret_detail);
	if (err == WR_OK)
		memcpy(is_title ? texts->title : texts->intro, text, strlen(text) + 1);
	return err;
}

static enum wr_err read_texts(struct queue_theme *theme, const struct json_value *value,
							  struct err_detail *ret_detail)
{
	if (!json_is_object(value) || json_count(value) > QUEUE_LANGUAGES_MAX)
		return err_say(ret_detail, WR_INVALID,
					   "theme.texts: must be an object of at most %d languages, "
					   "{\"de\":{\"title\":\"…\",\"intro\":\"…\"}}",
					   QUEUE_LANGUAGES_MAX);
	theme->text_count = (uint32_t)json_count(value);
	for (size_t i = 0; i < theme->text_count; i++) {
		const struct json_value *language = json_at(value, i);
		struct theme_text *texts = &theme->texts[i];
		if (!settings_language(json_key(language), texts->language))
			return err_say(ret_detail, WR_INVALID,
						   "theme.texts: name %zu: must be a language, for example de or zh-Hans",
						   i + 1);
		if (!json_is_object(language))
			return err_say(ret_detail, WR_INVALID,
						   "theme.texts.%s: must be an object of title and intro", texts->language);
		for (size_t k = 0; k < json_count(language); k++) {
			enum wr_err err = read_text(texts, json_at(language, k), ret_detail);
			if (err != WR_OK)
				return err;
		}
	}
	return WR_OK;
}

static enum wr_err read_member(struct queue_theme *theme, const struct json_value *member,
							   struct err_detail *ret_detail)
{
	static const char *const names[] = {"name", "logo", "colour", "colour_dark"};
	const char *key = json_key(member), *text;
	if (strcmp(key, "texts") == 0)
		return read_texts(theme, member, ret_detail);
	size_t at = 0;
	while (at < 4 && strcmp(key, names[at]) != 0)
		at++;
	if (at == 4)
		return err_say(ret_detail, WR_INVALID,
					   "theme: must have no members but name, logo, colour, colour_dark and texts");
	if (!json_string(member, &text))
		return err_say(ret_detail, WR_INVALID, "theme.%s: must be a string", names[at]);
	if (at == 0)
		return read_name(theme, text, ret_detail);
	if (at == 1)
		return read_logo(theme, text, ret_detail);
	return read_colour(names[at], text, at == 2 ? theme->colour : theme->colour_dark, ret_detail);
}

enum wr_err settings_read_theme(struct queue_settings *settings, const struct json_value *value,
								struct err_detail *ret_detail)
{
	if (!json_is_object(value))
		return err_say(ret_detail, WR_INVALID, "theme: must be an object");
	WR_AUTO(mem_free_at) struct queue_theme *theme = mem_alloc_zero(1, sizeof(*theme));
	for (size_t i = 0; i < json_count(value); i++) {
		enum wr_err err = read_member(theme, json_at(value, i), ret_detail);
		if (err != WR_OK)
			return err;
	}
	settings_drop_theme(settings);
	if (theme->name[0] || theme->logo[0] || theme->colour[0] || theme->colour_dark[0] ||
		theme->text_count)
		settings->theme = WR_TAKE(theme);
	return WR_OK;
}

void settings_drop_theme(struct queue_settings *settings)
{
	free(settings->theme);
	settings->theme = NULL;
}

/* ---- writing ---- */

void settings_write_theme(const struct queue_settings *settings, struct json_out *out,
						  const char *key, bool secrets)
{
	(void)secrets;
	const struct queue_theme *theme = settings->theme;
	json_out_object(out, key);
	if (theme != NULL) {
		json_out_string(out, "name", theme->name);
		json_out_string(out, "logo", theme->logo);
		json_out_string(out, "colour", theme->colour);
		json_out_string(out, "colour_dark", theme->colour_dark);
		json_out_object(out, "texts");
		for (unsigned i = 0; i < theme->text_count; i++) {
			json_out_object(out, theme->texts[i].language);
			json_out_string(out, "title", theme->texts[i].title);
			json_out_string(out, "intro", theme->texts[i].intro);
			json_out_object_end(out);
		}
		json_out_object_end(out);
	}
	json_out_object_end(out);
}
