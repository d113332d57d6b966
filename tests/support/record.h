/* Notes what tests ask of the pods and what these answer, so that all of it can be held against
 * cmd/api/openapi.yaml afterwards (tests/openapi/).
 *
 * Only with WR_TEST_RECORD=<directory> in the environment: one file per test program, one JSON
 * object per line, {"test","server","request","body","answer","answer_body"}, where the last four
 * are the bytes of the heads and bodies in base64url. Of bytes that a test wrote by hand only plain
 * heads are noted.
 */
#ifndef SUPPORT_RECORD_H
#define SUPPORT_RECORD_H

#include <stdbool.h>
#include <stddef.h>

/* Exchanges with this address are noted from now on. kind: "public" or "internal", a static
 * string */
void record_server(const char *kind, const char *address);
/* What is noted of exchanges with it, or NULL: nothing. */
const char *record_kind(const char *address);

/* A request on its way to be answered; records of one connection are in order. */
struct record {
	struct record *next;
	char *head, *body; /* NUL-terminated */
};
/* gives; keeps nothing that is passed */
struct record *record_request(const char *head, const char *body);
void record_free(struct record *record); /* NULL is fine */
/* answer_head: NUL-terminated */
void record_answer(const char *kind, const struct record *record, const char *answer_head,
				   const void *answer_body, size_t answer_body_len);

#endif
