/* Compression of answers, and which of the ready-made forms a client takes (RFC 9110 section
 * 12.5.3).
 *
 * What     gzip and brotli of a whole text in memory; choice by Accept-Encoding.
 * Used by  cmd/api's page, which compresses once and serves often.
 * Threads  any; no state.
 */
#ifndef WAITINGROOM_COMPRESS_H
#define WAITINGROOM_COMPRESS_H

#include <stddef.h>

enum http_coding { HTTP_IDENTITY, HTTP_GZIP, HTTP_BROTLI, HTTP_CODING_COUNT };

/* "gzip", "br"; NULL for HTTP_IDENTITY, which has no Content-Encoding. */
const char *http_coding_word(enum http_coding coding);

/* QUICK: about a millisecond for a page, for a thread that others wait for. SMALL: some percent
 * smaller at many times the cost. */
enum compress_effort { COMPRESS_QUICK, COMPRESS_SMALL };

/* gives 'text' in this coding (HTTP_IDENTITY: a copy); never NULL. */
char *http_compress(enum http_coding coding, enum compress_effort effort, const char *text,
					size_t len, size_t *ret_len);

/* The form to send: the one with the highest q among those listed, brotli before gzip before
 * identity when they are equal. accepted NULL (no such header): identity. Identity also when
 * nothing fits, which the standard allows and every client understands. */
enum http_coding http_coding_choose(const char *accepted);

#endif
