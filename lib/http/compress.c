/* Compression of answers: the only place that knows zlib and libbrotlienc.
 *
 * Both libraries fail here only when memory runs out or we misuse them, and both end the process.
 * The window of brotli is as large as a page, not as the format allows: its decoder allocates what
 * the header announces, and phones have little memory on a bad day.
 */
#include "waitingroom/compress.h"

#include <assert.h>
#include <brotli/encode.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "waitingroom/memory.h"
#include "waitingroom/qvalue.h"

#define GZIP_WINDOW_BITS (15 + 16) /* zlib's way to say: largest window, with gzip's frame */
#define GZIP_MEMORY 9
#define BROTLI_WINDOW_BITS 18
#define BROTLI_QUICK 5
#define GZIP_QUICK 6

static const char *const words[HTTP_CODING_COUNT] = {
	[HTTP_IDENTITY] = NULL, [HTTP_GZIP] = "gzip", [HTTP_BROTLI] = "br"};

const char *http_coding_word(enum http_coding coding)
{
	return words[coding];
}

/* The frame's time and name are left out: equal texts give equal bytes on every pod. */
static char *gzip(int level, const char *text, size_t len, size_t *ret_len)
{
	z_stream stream = {.next_in = (Bytef *)text, .avail_in = (uInt)len};
	int done =
		deflateInit2(&stream, level, Z_DEFLATED, GZIP_WINDOW_BITS, GZIP_MEMORY, Z_DEFAULT_STRATEGY);
	assert(done == Z_OK && "zlib: out of memory");
	size_t room = deflateBound(&stream, len);
	char *out = mem_alloc_zero(1, room);
	stream.next_out = (Bytef *)out;
	stream.avail_out = (uInt)room;
	done = deflate(&stream, Z_FINISH);
	assert(done == Z_STREAM_END && "zlib: its own bound was too small");
	*ret_len = stream.total_out;
	deflateEnd(&stream);
	return out;
}

static char *brotli(int quality, const char *text, size_t len, size_t *ret_len)
{
	size_t room = BrotliEncoderMaxCompressedSize(len);
	char *out = mem_alloc_zero(1, room);
	bool done = BrotliEncoderCompress(quality, BROTLI_WINDOW_BITS, BROTLI_MODE_TEXT, len,
									  (const uint8_t *)text, &room, (uint8_t *)out);
	assert(done && "brotli: out of memory");
	*ret_len = room;
	return out;
}

char *http_compress(enum http_coding coding, enum compress_effort effort, const char *text,
					size_t len, size_t *ret_len)
{
	bool quick = effort == COMPRESS_QUICK;
	if (coding == HTTP_BROTLI)
		return brotli(quick ? BROTLI_QUICK : BROTLI_MAX_QUALITY, text, len, ret_len);
	if (coding == HTTP_GZIP)
		return gzip(quick ? GZIP_QUICK : Z_BEST_COMPRESSION, text, len, ret_len);
	*ret_len = len;
	return mem_copy(text, len);
}

static bool is_word(const struct qvalue *item, const char *word)
{
	return item->len == strlen(word) && strncasecmp(item->text, word, item->len) == 0;
}

enum http_coding http_coding_choose(const char *accepted)
{
	int q[HTTP_CODING_COUNT] = {[HTTP_IDENTITY] = 1, [HTTP_GZIP] = -1, [HTTP_BROTLI] = -1};
	int any = -1;
	struct qvalue item;
	for (const char *rest = accepted; qvalue_next(&rest, &item);) {
		if (is_word(&item, "*"))
			any = item.q;
		else if (is_word(&item, "identity"))
			q[HTTP_IDENTITY] = item.q;
		for (int coding = HTTP_GZIP; coding < HTTP_CODING_COUNT; coding++)
			if (is_word(&item, words[coding]))
				q[coding] = item.q;
	}
	enum http_coding best = HTTP_IDENTITY;
	for (int coding = HTTP_GZIP; coding < HTTP_CODING_COUNT; coding++) {
		int value = q[coding] >= 0 ? q[coding] : any;
		if (value > 0 && value >= q[best])
			best = (enum http_coding)coding;
	}
	return best;
}
