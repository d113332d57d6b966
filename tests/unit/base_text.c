/* Text: base64url, whole numbers, UTF-8 and the JSON writer. */
#include "support/cmocka.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- base64url ---- */

/* RFC 4648 section 10 without padding, and the two characters that differ from base64. */
static const struct {
	const char *bytes, *text;
} encodings[] = {
	{"", ""},
	{"f", "Zg"},
	{"fo", "Zm8"},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg"},
	{"fooba", "Zm9vYmE"},
	{"foobar", "Zm9vYmFy"},
	{"\xfb\xff", "-_8"},
	{"\xff\xfe\xfd", "__79"},
};

static void base64url_encodes_the_vectors_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(encodings); i++) {
		char text[16] = {0};
		size_t bytes = strlen(encodings[i].bytes);
		size_t len = base64url_encode(encodings[i].bytes, bytes, text);
		assert_string_equal(text, encodings[i].text);
		assert_int_equal(len, strlen(encodings[i].text));
		assert_int_equal(len, BASE64URL_LEN(bytes));
	}
}

static void base64url_decodes_what_it_encoded(void **state)
{
	(void)state;
	uint8_t bytes[256], back[256];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + 13);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		char text[BASE64URL_LEN(sizeof(bytes))];
		size_t text_len = base64url_encode(bytes, len, text), back_len = 999;
		assert_true(base64url_decode(text, text_len, back, len, &back_len));
		assert_int_equal(back_len, len);
		assert_memory_equal(back, bytes, len);
	}
}

static void base64url_refuses_other_spellings(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"Z",	  "Zg==", "Zg=",   "Zm9vY",		   "Zm 9",
		"Zm\n9",  "Zm+v", "Zm/v",  "Zm9v\xc3\xa9", "Zh", /* the four spare bits are not zero */
		"Zm9",											 /* the two spare bits are not zero */
		"Zm9vZh", ".m9v", "Zm9v.",
	};
	for (size_t i = 0; i < COUNT(wrong); i++) {
		uint8_t bytes[16];
		size_t len = 999;
		assert_false(base64url_decode(wrong[i], strlen(wrong[i]), bytes, sizeof(bytes), &len));
		assert_int_equal(len, 999);
	}
}

static void base64url_never_writes_past_the_room(void **state)
{
	(void)state;
	uint8_t bytes[3] = {0, 0, 7};
	size_t len;
	assert_false(base64url_decode("Zm9v", 4, bytes, 2, &len));
	assert_true(base64url_decode("Zm8", 3, bytes, 2, &len));
	assert_int_equal(len, 2);
	assert_int_equal(bytes[2], 7);
}

static void each_of_the_256_bytes_is_either_in_the_alphabet_or_refused(void **state)
{
	(void)state;
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	for (int c = 0; c < 256; c++) {
		char text[4] = {'A', 'A', 'A', (char)c};
		uint8_t bytes[3];
		size_t len;
		const char *found = c ? strchr(alphabet, c) : NULL;
		assert_int_equal(base64url_decode(text, 4, bytes, 3, &len), found != NULL);
		if (found)
			assert_int_equal(bytes[2], found - alphabet);
	}
}

/* ---- numbers ---- */

static void numbers_are_read_whole_or_not_at_all(void **state)
{
	(void)state;
	uint64_t value = 5;
	assert_true(text_to_u64("0", 1, 10, &value));
	assert_int_equal(value, 0);
	assert_true(text_to_u64("18446744073709551615", 20, UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	assert_true(text_to_u64("12345", 3, 123, &value)); /* the length counts, not a NUL */
	assert_int_equal(value, 123);

	static const char *const wrong[] = {
		"",
		"-1",
		"+1",
		" 1",
		"1 ",
		"0x10",
		"1e3",
		"1.0",
		"18446744073709551616",
		"99999999999999999999",
		"340282366920938463463374607431768211456",
	};
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(text_to_u64(wrong[i], strlen(wrong[i]), UINT64_MAX, &value));
	assert_false(text_to_u64("124", 3, 123, &value));
	assert_int_equal(value, 123);
}

static void signed_numbers_reach_both_ends(void **state)
{
	(void)state;
	int64_t value = 0;
	assert_true(text_to_i64("-9223372036854775808", 20, INT64_MIN, INT64_MAX, &value));
	assert_true(value == INT64_MIN);
	assert_true(text_to_i64("9223372036854775807", 19, INT64_MIN, INT64_MAX, &value));
	assert_true(value == INT64_MAX);
	assert_true(text_to_i64("-0", 2, -1, 1, &value));
	assert_int_equal(value, 0);
	assert_false(text_to_i64("9223372036854775808", 19, INT64_MIN, INT64_MAX, &value));
	assert_false(text_to_i64("-9223372036854775809", 20, INT64_MIN, INT64_MAX, &value));
	assert_false(text_to_i64("-5", 2, -4, 4, &value));
	assert_false(text_to_i64("--5", 3, -9, 9, &value));
	assert_false(text_to_i64("-", 1, -9, 9, &value));
	assert_false(text_to_i64("", 0, -9, 9, &value));
}

static void numbers_are_printed_as_they_are_read(void **state)
{
	(void)state;
	static const uint64_t values[] = {0, 9, 10, 12345678901234567890u, UINT64_MAX};
	for (size_t i = 0; i < COUNT(values); i++) {
		char text[20];
		uint64_t back;
		size_t len = text_from_u64(values[i], text);
		assert_true(text_to_u64(text, len, UINT64_MAX, &back));
		assert_true(back == values[i]);
	}
}

/* ---- UTF-8 ---- */

static void utf8_takes_every_well_formed_edge(void **state)
{
	(void)state;
	static const char *const good[] = {
		"",
		"plain",
		"Wien – 東京 – 🎟",
		"\xc2\x80",			/* U+0080 */
		"\xdf\xbf",			/* U+07FF */
		"\xe0\xa0\x80",		/* U+0800 */
		"\xed\x9f\xbf",		/* U+D7FF */
		"\xee\x80\x80",		/* U+E000 */
		"\xef\xbf\xbf",		/* U+FFFF */
		"\xf0\x90\x80\x80", /* U+10000 */
		"\xf4\x8f\xbf\xbf", /* U+10FFFF */
	};
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(utf8_is_valid(good[i], strlen(good[i])));
}

static void utf8_refuses_what_is_not_well_formed(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"\x80",				/* a continuation alone */
		"\xc0\x80",			/* overlong NUL */
		"\xc1\xbf",			/* overlong ASCII */
		"\xe0\x9f\xbf",		/* overlong U+07FF */
		"\xf0\x8f\xbf\xbf", /* overlong U+FFFF */
		"\xed\xa0\x80",		/* surrogate U+D800 */
		"\xed\xbf\xbf",		/* surrogate U+DFFF */
		"\xf4\x90\x80\x80", /* U+110000 */
		"\xf5\x80\x80\x80",
		"\xff",
		"\xc3",
		"\xe2\x82",
		"\xf0\x9f\x8e",
		"\xc3(",
		"\xe2(\xa1",
		"a\xe2\x82",
	};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(utf8_is_valid(bad[i], strlen(bad[i])));
	assert_false(utf8_is_valid("a\0b", 3));
}

static void utf8_never_reads_past_the_end(void **state)
{
	(void)state;
	/* the rest of the sequence lies behind the given length; ASan sees a look at it */
	char *cut = mem_copy("\xf0\x9f\x8e", 3);
	char *exact = realloc(cut, 3);
	assert_false(utf8_is_valid(exact, 3));
	assert_false(utf8_is_valid("\xe2\x82\xac", 2));
	free(exact);
}

/* ---- JSON writer ---- */

static void write_sample(struct json_out *out)
{
	json_out_object(out, NULL);
	json_out_string(out, "text", "a");
	json_out_int(out, "low", INT64_MIN);
	json_out_int(out, "high", INT64_MAX);
	json_out_bool(out, "yes", true);
	json_out_bool(out, "no", false);
	json_out_null(out, "nothing");
	json_out_array(out, "list");
	json_out_int(out, NULL, 1);
	json_out_object(out, NULL);
	json_out_object_end(out);
	json_out_array(out, NULL);
	json_out_array_end(out);
	json_out_array_end(out);
	json_out_raw(out, "raw", "[1,2]", 5);
	json_out_object_end(out);
}

static const char sample[] =
	"{\"text\":\"a\",\"low\":-9223372036854775808,\"high\":9223372036854775807,\"yes\":true,"
	"\"no\":false,\"nothing\":null,\"list\":[1,{},[]],\"raw\":[1,2]}";

static void json_out_places_commas_at_every_depth(void **state)
{
	(void)state;
	char text[256];
	struct json_out out;
	json_out_init(&out, text, sizeof(text));
	write_sample(&out);
	assert_false(out.overflow);
	assert_int_equal(out.len, sizeof(sample) - 1);
	assert_memory_equal(text, sample, out.len);
}

static void json_out_remembers_an_overflow_at_any_byte(void **state)
{
	(void)state;
	for (size_t room = 0; room < sizeof(sample) - 1; room++) {
		char *text = malloc(room ? room : 1); /* exact, so that ASan sees a byte too many */
		struct json_out out;
		json_out_init(&out, text, room);
		write_sample(&out);
		assert_true(out.overflow);
		assert_true(out.len <= room);
		assert_memory_equal(text, sample, out.len);
		free(text);
	}
}

static void json_out_escapes_so_that_a_parser_gets_the_same_back(void **state)
{
	(void)state;
	char value[0x80 + 16];
	for (int c = 1; c < 0x80; c++)
		value[c - 1] = (char)c;
	strcpy(value + 0x7f, "é東🎟");
	char text[1024] = {0};
	struct json_out out;
	json_out_init(&out, text, sizeof(text) - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "value", value);
	json_out_object_end(&out);
	assert_false(out.overflow);
	cJSON *parsed = cJSON_Parse(text);
	assert_non_null(parsed);
	assert_string_equal(cJSON_GetObjectItem(parsed, "value")->valuestring, value);
	cJSON_Delete(parsed);
	for (size_t i = 0; i < out.len; i++)
		assert_true((unsigned char)text[i] >= 0x20);
}

static void json_out_writes_valid_utf8_whatever_is_put_in(void **state)
{
	(void)state;
	char text[64];
	struct json_out out;
	json_out_init(&out, text, sizeof(text));
	json_out_string(&out, NULL,
					"a\xff"
					"b\xe2\x82"
					"c\xed\xa0\x80");
	assert_false(out.overflow);
	assert_true(utf8_is_valid(text, out.len));
	static const char expected[] = "\"a\\ufffdb\\ufffd\\ufffdc\\ufffd\\ufffd\\ufffd\"";
	assert_int_equal(out.len, sizeof(expected) - 1);
	assert_memory_equal(text, expected, out.len);
}

static void json_out_takes_a_nul_inside_a_counted_string(void **state)
{
	(void)state;
	char text[16];
	struct json_out out;
	json_out_init(&out, text, sizeof(text));
	json_out_string_n(&out, NULL, "a\0b", 3);
	assert_int_equal(out.len, 10);
	assert_memory_equal(text, "\"a\\u0000b\"", 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64url_encodes_the_vectors_of_the_rfc),
		cmocka_unit_test(base64url_decodes_what_it_encoded),
		cmocka_unit_test(base64url_refuses_other_spellings),
		cmocka_unit_test(base64url_never_writes_past_the_room),
		cmocka_unit_test(each_of_the_256_bytes_is_either_in_the_alphabet_or_refused),
		cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
		cmocka_unit_test(signed_numbers_reach_both_ends),
		cmocka_unit_test(numbers_are_printed_as_they_are_read),
		cmocka_unit_test(utf8_takes_every_well_formed_edge),
		cmocka_unit_test(utf8_refuses_what_is_not_well_formed),
		cmocka_unit_test(utf8_never_reads_past_the_end),
		cmocka_unit_test(json_out_places_commas_at_every_depth),
		cmocka_unit_test(json_out_remembers_an_overflow_at_any_byte),
		cmocka_unit_test(json_out_escapes_so_that_a_parser_gets_the_same_back),
		cmocka_unit_test(json_out_writes_valid_utf8_whatever_is_put_in),
		cmocka_unit_test(json_out_takes_a_nul_inside_a_counted_string),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
