/* Target: where a visitor wants to go, taken apart strictly and put together again.
 *
 * What     The URLs of allowed_targets and of enqueue. Browsers read more than RFC 3986 (a
 *          backslash as a slash, "https:/host", "%2e%2e" as ".."), so whatever could be read in two
 *          ways is refused instead of repaired.
 * Used by  settings.
 * Threads  any; the parts lend from the text that was parsed.
 */
#ifndef WAITINGROOM_CORE_TARGET_H
#define WAITINGROOM_CORE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET_HOST_CHARS 253

struct target {
	bool has_origin;				  /* false: a path on the same site */
	bool is_https;					  /* else http */
	char host[TARGET_HOST_CHARS + 1]; /* lower case */
	uint16_t port;					  /* that of the scheme when none was written */
	const char *path;				  /* lent; empty or beginning with a slash */
	size_t path_len;
	const char *tail; /* lent; query and fragment with their "?" or "#" */
	size_t tail_len;
};

/* text  borrows 'len' bytes. Returns NULL and fills, or what is wrong with it: "must …" (static). */
const char *target_parse(const char *text, size_t len, struct target *ret_target);

/* The same of a URL that others are put behind: with an origin, without query and fragment. */
const char *target_parse_base(const char *text, size_t len, struct target *ret_target);

/* The same target as text: scheme and host in lower case, no port that goes without saying. With
 * NUL; never longer than what was parsed, so that much room and one byte do. Returns the length. */
size_t target_print(const struct target *target, char *ret_text);

/* Is it on the origin of 'allowed' and below its path? "/shop" admits "/shop" and "/shop/…". */
bool target_is_within(const struct target *target, const struct target *allowed);

#endif
