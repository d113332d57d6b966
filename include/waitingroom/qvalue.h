/* Lists with weights, as Accept-Language and Accept-Encoding have them (RFC 9110 section 12.4.2).
 *
 * What     "de-CH, de;q=0.9, *;q=0.1" → items, one by one, in their order.
 * Used by  compress, metrics, cmd/api's choice of a language.
 * Threads  any; pure.
 */
#ifndef WAITINGROOM_QVALUE_H
#define WAITINGROOM_QVALUE_H

#include <stdbool.h>
#include <stddef.h>

struct qvalue {
	const char *text; /* lent by the list; not NUL-terminated */
	size_t len;
	int q; /* thousandths, 0..1000; 1000 when none is given, 0 when it cannot be read */
};

/* Takes the next item from *rest and moves it on; false: there is no further one. *rest NULL:
 * none. */
bool qvalue_next(const char **rest, struct qvalue *ret_item);

#endif
