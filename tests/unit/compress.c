/* Compression: what is compressed comes back, and each client gets the form that it asked for. */
#include "waitingroom/compress.h"

#include <brotli/decode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "support/cmocka.h"
#include "waitingroom/memory.h"
#include "waitingroom/qvalue.h"

#define TEXT_BYTES 50000

static char *some_text(void)
{
	char *text = mem_alloc_zero(1, TEXT_BYTES + 1);
	for (size_t i = 0; i < TEXT_BYTES; i++)
		text[i] = "the waiting room "[(i * i / 7) % 17];
	return text;
}

static void expect_gunzipped(const char *small, size_t len, const char *text)
{
	char *out = mem_alloc_zero(1, TEXT_BYTES + 1);
	z_stream stream = {.next_in = (Bytef *)small,
					   .avail_in = (uInt)len,
					   .next_out = (Bytef *)out,
					   .avail_out = TEXT_BYTES + 1};
	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.total_out, TEXT_BYTES);
	assert_memory_equal(out, text, TEXT_BYTES);
	inflateEnd(&stream);
	free(out);
}

static void expect_unbrotlied(const char *small, size_t len, const char *text)
{
	size_t got = TEXT_BYTES + 1;
	char *out = mem_alloc_zero(1, got);
	assert_int_equal(BrotliDecoderDecompress(len, (const uint8_t *)small, &got, (uint8_t *)out),
					 BROTLI_DECODER_RESULT_SUCCESS);
	assert_int_equal(got, TEXT_BYTES);
	assert_memory_equal(out, text, TEXT_BYTES);
	free(out);
}

static void what_is_compressed_comes_back_and_is_smaller_with_more_effort(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *text = some_text();
	size_t gzip[2], brotli[2];
	for (int effort = COMPRESS_QUICK; effort <= COMPRESS_SMALL; effort++) {
		WR_AUTO(mem_free_at)
		char *a =
			http_compress(HTTP_GZIP, (enum compress_effort)effort, text, TEXT_BYTES, &gzip[effort]);
		expect_gunzipped(a, gzip[effort], text);
		WR_AUTO(mem_free_at)
		char *b = http_compress(HTTP_BROTLI, (enum compress_effort)effort, text, TEXT_BYTES,
								&brotli[effort]);
		expect_unbrotlied(b, brotli[effort], text);
	}
	assert_true(gzip[COMPRESS_QUICK] < TEXT_BYTES / 2);
	assert_true(gzip[COMPRESS_SMALL] <= gzip[COMPRESS_QUICK]);
	assert_true(brotli[COMPRESS_SMALL] < brotli[COMPRESS_QUICK]);
}

static void equal_texts_become_equal_bytes(void **state)
{
	(void)state;
	for (int coding = HTTP_IDENTITY; coding < HTTP_CODING_COUNT; coding++) {
		size_t a_len, b_len;
		WR_AUTO(mem_free_at)
		char *a = http_compress((enum http_coding)coding, COMPRESS_SMALL, "hello", 5, &a_len);
		WR_AUTO(mem_free_at)
		char *b = http_compress((enum http_coding)coding, COMPRESS_SMALL, "hello", 5, &b_len);
		assert_int_equal(a_len, b_len);
		assert_memory_equal(a, b, a_len);
	}
}

static void the_coding_with_the_highest_weight_is_chosen(void **state)
{
	static const struct {
		const char *accepted;
		enum http_coding coding;
	} cases[] = {
		{NULL, HTTP_IDENTITY},
		{"", HTTP_IDENTITY},
		{"identity", HTTP_IDENTITY},
		{"gzip", HTTP_GZIP},
		{"gzip, deflate, br, zstd", HTTP_BROTLI},
		{"br;q=0.9, gzip", HTTP_GZIP},
		{"gzip;q=0.5, br;q=0.5", HTTP_BROTLI},
		{"br;q=0, gzip;q=0.001", HTTP_GZIP},
		{"GZip", HTTP_GZIP},
		{"*", HTTP_BROTLI},
		{"*;q=0", HTTP_IDENTITY},
		{"br;q=0, *", HTTP_GZIP},
		{"gzip;q=0.2, identity;q=0.8", HTTP_IDENTITY},
		{"identity;q=0", HTTP_IDENTITY},
		{"brotli, x-gzip", HTTP_IDENTITY},
		{"gzip;q=nonsense", HTTP_IDENTITY},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_coding_choose(cases[i].accepted) != cases[i].coding)
			fail_msg("%s: chose %d", cases[i].accepted, http_coding_choose(cases[i].accepted));
}

static void expect_items(const char *list, const char *expected)
{
	char said[256] = "";
	struct qvalue item;
	for (const char *rest = list; qvalue_next(&rest, &item);)
		snprintf(said + strlen(said), sizeof(said) - strlen(said), "%.*s=%d ", (int)item.len,
				 item.text, item.q);
	assert_string_equal(said, expected);
}

static void a_weighted_list_is_read_item_by_item(void **state)
{
	(void)state;
	expect_items("de-CH, de;q=0.9 , *;q=0.1", "de-CH=1000 de=900 *=100 ");
	expect_items("a;q=1.000,b;q=0.123,c;Q=0", "a=1000 b=123 c=0 ");
	expect_items(" , ,a,, b;level=1;q=0.5;x", "a=1000 b=500 ");
	expect_items("a;q=2,b;q=1.001,c;q=0.1234,d;q=,e;q=-1,f;q=.5", "a=0 b=0 c=0 d=0 e=0 f=0 ");
	expect_items("", "");
	expect_items(";q=1", "");
	expect_items("a;", "a=1000 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_compressed_comes_back_and_is_smaller_with_more_effort),
		cmocka_unit_test(equal_texts_become_equal_bytes),
		cmocka_unit_test(the_coding_with_the_highest_weight_is_chosen),
		cmocka_unit_test(a_weighted_list_is_read_item_by_item),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
