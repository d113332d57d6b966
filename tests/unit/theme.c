/* Theme: colours that can be read, logos that are pictures and nothing else. */
#include "waitingroom/theme.h"

#include "support/cmocka.h"
#include "support/settings_json.h"
#include "waitingroom/memory.h"

#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Settings with this theme only; gives */
static char *themed(const char *theme)
{
	char *json = mem_alloc_zero(1, strlen(theme) + 32);
	sprintf(json, "{\"theme\":%s}", theme);
	return json;
}

static void expect_refused(const char *theme, const char *said)
{
	WR_AUTO(mem_free_at) char *json = themed(theme);
	settings_json_refused(json, said);
}

static struct queue_settings good(const char *theme)
{
	WR_AUTO(mem_free_at) char *json = themed(theme);
	return settings_json_good(json);
}

/* ---- contrast ---- */

/* The values that https://webaim.org/resources/contrastchecker/ and WCAG's own examples give. */
static void contrast_is_that_of_wcag(void **state)
{
	(void)state;
	static const struct {
		const char *one, *other;
		double contrast;
	} known[] = {
		{"#000000", "#ffffff", 21.0}, {"#ffffff", "#ffffff", 1.0},	 {"#767676", "#ffffff", 4.54},
		{"#777777", "#ffffff", 4.48}, {"#0000ff", "#ffffff", 8.59},	 {"#ff0000", "#ffffff", 4.0},
		{"#008000", "#ffffff", 5.14}, {"#ffff00", "#000000", 19.56}, {"#FF0000", "#00ff00", 2.91},
	};
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		double there = theme_contrast(known[i].one, known[i].other);
		double back = theme_contrast(known[i].other, known[i].one);
		if (fabs(there - known[i].contrast) > 0.006 || there != back)
			fail_msg("%s on %s: %f, %f", known[i].one, known[i].other, there, back);
	}
}

static void a_colour_that_cannot_be_read_is_refused_with_its_contrast(void **state)
{
	(void)state;
	expect_refused("{\"colour\":\"#777777\"}",
				   "theme.colour: must have a contrast of at least 4.5 "
				   "to the page's #f6f6f3, and has 4.13; choose a darker");
	expect_refused("{\"colour\":\"#ffcc00\"}",
				   "theme.colour: must have a contrast of at least 4.5");
	expect_refused("{\"colour_dark\":\"#0000ff\"}",
				   "theme.colour_dark: must have a contrast of at least 4.5 to the page's "
				   "#1c2125, and has 1.88; choose a lighter");
	struct queue_settings settings = good("{\"colour\":\"#707070\",\"colour_dark\":\"#FFCC00\"}");
	assert_string_equal(settings.theme->colour, "#707070");
	assert_string_equal(settings.theme->colour_dark, "#ffcc00");
	queue_settings_clear(&settings);
}

static void what_the_store_has_is_not_checked_again(void **state)
{
	(void)state;
	static const char theme[] = "{\"colour\":\"#777777\"}";
	struct queue_settings settings;
	queue_settings_default(&settings);
	assert_int_equal(queue_settings_set_field(&settings, "theme", theme, strlen(theme)), WR_OK);
	assert_string_equal(settings.theme->colour, "#777777");
	queue_settings_clear(&settings);
}

/* fills "#rrggbb" of a custom property, the first one behind 'from'; "#abc" is short for
 * "#aabbcc" */
static void read_property(const char *from, const char *name, char ret_colour[COLOUR_CHARS + 1])
{
	char pattern[32];
	snprintf(pattern, sizeof(pattern), "%s: #", name);
	const char *at = strstr(from, pattern);
	assert_non_null(at);
	at += strlen(pattern);
	size_t digits = strspn(at, "0123456789abcdef");
	assert_true(digits == 3 || digits == 6);
	ret_colour[0] = '#';
	for (size_t i = 0; i < 6; i++)
		ret_colour[1 + i] = at[digits == 3 ? i / 2 : i];
	ret_colour[COLOUR_CHARS] = '\0';
}

static void expect_scheme(const char *css, const char *page, const char *on_accent)
{
	static const char *const grounds[] = {"--page", "--card"};
	char there[COLOUR_CHARS + 1], accent[COLOUR_CHARS + 1];
	read_property(css, "--on-accent", there);
	assert_string_equal(there, on_accent);
	read_property(css, "--accent", accent);
	bool found = false;
	for (size_t i = 0; i < 2; i++) {
		read_property(css, grounds[i], there);
		found = found || strcmp(there, page) == 0;
		/* what is readable on ours is on the other one */
		assert_true(theme_contrast(accent, there) >= theme_contrast(accent, page));
	}
	assert_true(found);
	assert_true(theme_contrast(accent, page) >= THEME_CONTRAST_LEAST);
	assert_true(theme_contrast(accent, on_accent) >= THEME_CONTRAST_LEAST);
}

static void the_colours_of_the_page_are_those_that_are_checked(void **state)
{
	(void)state;
	FILE *file = fopen("cmd/api/web/room.css", "r");
	assert_non_null(file);
	char css[32768];
	css[fread(css, 1, sizeof(css) - 1, file)] = '\0';
	fclose(file);
	expect_scheme(css, THEME_LIGHT_PAGE, THEME_LIGHT_ON_ACCENT);
	const char *dark = strstr(css, "prefers-color-scheme: dark");
	assert_non_null(dark);
	expect_scheme(dark, THEME_DARK_PAGE, THEME_DARK_ON_ACCENT);
}

static void the_dark_scheme_gets_a_lighter_accent_when_it_has_none(void **state)
{
	(void)state;
	static const char *const colours[] = {"#000000", "#0000ff", "#005f2f", "#707070", "#7a0019"};
	char dark[COLOUR_CHARS + 1];
	for (size_t i = 0; i < COUNT_OF(colours); i++) {
		char theme[64];
		snprintf(theme, sizeof(theme), "{\"colour\":\"%s\"}", colours[i]);
		struct queue_settings settings = good(theme);
		theme_dark_colour(settings.theme, dark);
		assert_true(theme_contrast(dark, THEME_DARK_PAGE) >= THEME_CONTRAST_LEAST);
		assert_true(theme_contrast(dark, THEME_DARK_ON_ACCENT) >= THEME_CONTRAST_LEAST);
		queue_settings_clear(&settings);
	}
	struct queue_settings both = good("{\"colour\":\"#0000ff\",\"colour_dark\":\"#ffcc00\"}");
	theme_dark_colour(both.theme, dark);
	assert_string_equal(dark, "#ffcc00");
	queue_settings_clear(&both);
	struct queue_settings none = good("{\"name\":\"Shop\"}");
	theme_dark_colour(none.theme, dark);
	assert_string_equal(dark, "");
	queue_settings_clear(&none);
}

/* ---- members ---- */

static void a_theme_comes_back_as_it_was_given(void **state)
{
	(void)state;
	struct queue_settings settings =
		good("{\"name\":\"Zo\xc3\xab's \\\"Shop\\\"\",\"colour\":\"#005fcc\",\"texts\":{"
			 "\"de\":{\"title\":\"Gleich\",\"intro\":\"Eine\\nZeile\"},\"zh-Hans\":{}}}");
	const struct queue_theme *theme = settings.theme;
	assert_string_equal(theme->name, "Zo\xc3\xab's \"Shop\"");
	assert_int_equal(theme->text_count, 2);
	assert_string_equal(theme->texts[0].language, "de");
	assert_string_equal(theme->texts[0].title, "Gleich");
	assert_string_equal(theme->texts[0].intro, "Eine\nZeile");
	assert_string_equal(theme->texts[1].language, "zh-Hans");
	queue_settings_clear(&settings);
}

static void an_empty_theme_is_none(void **state)
{
	(void)state;
	struct queue_settings settings = good("{}");
	assert_null(settings.theme);
	settings = good("{\"name\":\"\",\"logo\":\"\",\"colour\":\"\",\"texts\":{}}");
	assert_null(settings.theme);
}

static void every_mistake_in_a_theme_is_named(void **state)
{
	(void)state;
	char longer[THEME_TEXT_BYTES + 100], text[THEME_TEXT_BYTES + 2];
	expect_refused("5", "theme: must be an object");
	expect_refused("[]", "theme: must be an object");
	expect_refused("{\"color\":\"#000000\"}", "theme: must have no members but name, logo, colour");
	expect_refused("{\"name\":5}", "theme.name: must be a string");
	expect_refused("{\"name\":\"a\\nb\"}", "theme.name: must be plain text, without control");
	expect_refused(
		"{\"name\":\"12345678901234567890123456789012345678901234567890123456789012345\"}",
		"theme.name: must be at most 64 bytes");
	expect_refused("{\"colour\":\"red\"}", "theme.colour: must be #rrggbb");
	expect_refused("{\"colour\":\"#12345g\"}", "theme.colour: must be #rrggbb");
	expect_refused("{\"colour\":\"#1234567\"}", "theme.colour: must be #rrggbb");
	expect_refused("{\"colour_dark\":\"123456\"}", "theme.colour_dark: must be #rrggbb");
	expect_refused("{\"texts\":[]}", "theme.texts: must be an object of at most 14 languages");
	expect_refused("{\"texts\":{\"d\":{}}}", "theme.texts: name 1: must be a language");
	expect_refused("{\"texts\":{\"de\":{},\"german\":{}}}", "theme.texts: name 2: must be a");
	expect_refused("{\"texts\":{\"de\":{},\"d\\\"\":{}}}", "theme.texts: name 2: must be a");
	expect_refused("{\"texts\":{\"de\":\"x\"}}", "theme.texts.de: must be an object of title");
	expect_refused("{\"texts\":{\"de\":{\"text\":\"x\"}}}", "theme.texts.de: must have no members");
	expect_refused("{\"texts\":{\"de\":{\"title\":1}}}", "theme.texts.de.title: must be a string");
	expect_refused("{\"texts\":{\"de\":{\"title\":\"a\\nb\"}}}",
				   "theme.texts.de.title: must be plain");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	snprintf(longer, sizeof(longer), "{\"texts\":{\"de\":{\"intro\":\"%s\"}}}", text);
	expect_refused(longer, "theme.texts.de.intro: must be at most 300 bytes");
	expect_refused(
		"{\"texts\":{\"aa\":{},\"ab\":{},\"ac\":{},\"ad\":{},\"ae\":{},\"af\":{},\"ag\":{},"
		"\"ah\":{},\"ai\":{},\"aj\":{},\"ak\":{},\"al\":{},\"am\":{},\"an\":{},\"ao\":{}}}",
		"theme.texts: must be an object of at most 14 languages");
	expect_refused("{\"logo\":\"https://evil.example/x.png\"}",
				   "theme.logo: must begin with data:");
}

/* ---- logos ---- */

static const char *wrong_with(const char *type, const void *bytes, size_t len)
{
	static char uri[3 * THEME_LOGO_BYTES];
	int begin = sprintf(uri, "data:image/%s;base64,", type);
	EVP_EncodeBlock((unsigned char *)uri + begin, bytes, (int)len);
	return theme_logo_wrong(uri, strlen(uri));
}

static const char *wrong_with_svg(const char *svg)
{
	return wrong_with("svg+xml", svg, strlen(svg));
}

static void a_picture_must_be_what_it_says(void **state)
{
	(void)state;
	static const char png[] = "\x89PNG\r\n\x1a\n and the rest";
	static const char jpeg[] = "\xff\xd8\xff\xe0 and the rest";
	static const char webp[] = "RIFF\x10\0\0\0WEBPVP8 and the rest";
	assert_null(wrong_with("png", png, sizeof(png)));
	assert_null(wrong_with("jpeg", jpeg, sizeof(jpeg)));
	assert_null(wrong_with("webp", webp, sizeof(webp)));
	assert_string_equal(wrong_with("png", jpeg, sizeof(jpeg)), "must hold a PNG picture");
	assert_string_equal(wrong_with("jpeg", png, sizeof(png)), "must hold a JPEG picture");
	assert_string_equal(wrong_with("webp", png, sizeof(png)), "must hold a WebP picture");
	assert_non_null(wrong_with("svg+xml", png, sizeof(png)));
	assert_non_null(wrong_with("gif", "GIF89a", 6));
	assert_non_null(wrong_with("png", png, 4));
}

static void only_a_data_uri_in_base64_is_taken(void **state)
{
	(void)state;
	static const char *const refused[] = {
		"",
		"data:image/png;base64,",
		"data:image/png,abcd",
		"data:image/png;base64,iVBORw0KGgo=\" onerror=\"x",
		"data:image/png;base64,iVBORw0KGgo",
		"data:image/png;base64,iVBO\nRw0KGgo=",
		"data:image/png;base64,iVBORw0K_-o=",
		"data:image/png;base64,====",
		"data:text/html;base64,PHN2Zz48L3N2Zz4=",
		" data:image/png;base64,iVBORw0KGgo=",
		"DATA:image/png;base64,iVBORw0KGgo=",
	};
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (theme_logo_wrong(refused[i], strlen(refused[i])) == NULL)
			fail_msg("taken: %s", refused[i]);
}

static void a_logo_has_a_largest_size(void **state)
{
	(void)state;
	char bytes[THEME_LOGO_BYTES];
	size_t most = (THEME_LOGO_BYTES - strlen("data:image/png;base64,")) / 4 * 3;
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "\x89PNG\r\n\x1a\n", 8);
	assert_null(wrong_with("png", bytes, most));
	assert_string_equal(wrong_with("png", bytes, most + 1),
						"must be at most 8192 bytes; a smaller picture, or SVG");
}

static void an_svg_that_only_draws_is_taken(void **state)
{
	(void)state;
	static const char *const taken[] = {
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\"><path d=\"M0 "
		"0h8v8z\"/></svg>",
		"<?xml version=\"1.0\"?>\n<!-- by hand -->\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
		"<svg><defs><linearGradient id=\"a\"/></defs><path fill=\"url(#a)\" d=\"M0 0\"/>"
		"<use xlink:href=\"#a\"/><use href = '#b'/></svg>",
		"<svg><style>.a{fill:url( '#a' )}</style><text>An option: two = 2</text></svg>",
		"<SVG><circle r=\"4\" stroke=\"none\"/></SVG>",
		"<svg><text font-size=\"3\">A&amp;B</text></svg>",
	};
	for (size_t i = 0; i < COUNT_OF(taken); i++)
		if (wrong_with_svg(taken[i]))
			fail_msg("refused: %s: %s", taken[i], wrong_with_svg(taken[i]));
}

static void an_svg_that_does_more_is_refused(void **state)
{
	(void)state;
	static const char *const refused[] = {
		"<svg><script>alert(1)</script></svg>",
		"<svg><SCRIPT href=\"#a\"/></svg>",
		"<svg xmlns:s=\"http://www.w3.org/2000/svg\"><s:script>1</s:script></svg>",
		"<svg><foreignObject><p/></foreignObject></svg>",
		"<svg onload=\"alert(1)\"/>",
		"<svg\nONLOAD = 'x'/>",
		"<svg><path d=\"M0 0\"onclick=\"x\"/></svg>",
		"<svg/onload=alert(1)>",
		"<svg><a xlink:href=\"javascript:alert(1)\"><path/></a></svg>",
		"<svg><a href=\"https://evil.example/\"><path/></a></svg>",
		"<svg><image href=\"https://evil.example/x.png\"/></svg>",
		"<svg><image href=\"data:image/svg+xml;base64,AAAA\"/></svg>",
		"<svg><use href='//evil.example/x.svg#a'/></svg>",
		"<svg><use href=evil.svg#a /></svg>",
		"<svg><path fill=\"url(https://evil.example/x.svg#a)\"/></svg>",
		"<svg><style>@import 'https://evil.example/x.css';</style></svg>",
		"<svg><style>a{background:\\75rl(//evil.example)}</style></svg>",
		"<svg><style>a{background:URL( \"//evil.example\" )}</style></svg>",
		"<svg><path fill=\"&#117;rl(//evil.example)\"/></svg>",
		"<!DOCTYPE svg [<!ENTITY a \"b\">]><svg>&a;</svg>",
		"<?xml-stylesheet href=\"#a\"?><svg/>",
		"<svg><set attributeName=\"href\" to=\"x\"/></svg>",
		"<svg><animate attributeName=\"href\" values=\"x\"/></svg>",
		"<svg><iframe src=\"#\"/></svg>",
		"<svg xml:base=\"https://evil.example/\"><use href=\"#a\"/></svg>",
		"<html><svg/></html>",
		"no picture at all",
		"<svgx/>\xff",
		"<svg>\xc3</svg>",
	};
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (!wrong_with_svg(refused[i]))
			fail_msg("taken: %s", refused[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contrast_is_that_of_wcag),
		cmocka_unit_test(a_colour_that_cannot_be_read_is_refused_with_its_contrast),
		cmocka_unit_test(what_the_store_has_is_not_checked_again),
		cmocka_unit_test(the_colours_of_the_page_are_those_that_are_checked),
		cmocka_unit_test(the_dark_scheme_gets_a_lighter_accent_when_it_has_none),
		cmocka_unit_test(a_theme_comes_back_as_it_was_given),
		cmocka_unit_test(an_empty_theme_is_none),
		cmocka_unit_test(every_mistake_in_a_theme_is_named),
		cmocka_unit_test(a_picture_must_be_what_it_says),
		cmocka_unit_test(only_a_data_uri_in_base64_is_taken),
		cmocka_unit_test(a_logo_has_a_largest_size),
		cmocka_unit_test(an_svg_that_only_draws_is_taken),
		cmocka_unit_test(an_svg_that_does_more_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
