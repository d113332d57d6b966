/* Gate URLs: the address that a proxy asks about, and the addresses that the gate sends people to.
 *
 * What     Finding wr_pass in the query and taking it out, every other byte as it was; the URL of
 *          the waiting room with the way back. Pure.
 * Used by  gate checks (cmd/api/authz*.c).
 * Threads  any; parts lend from the text that was taken apart.
 */
#ifndef WAITINGROOM_GATE_URL_H
#define WAITINGROOM_GATE_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "waitingroom/settings.h"

#define GATE_PASS_NAME "wr_pass"
#define GATE_ROOM_BYTES 256

/* What the visitor asked for, as the proxy says. Cut into parts, not checked: a site may have
 * addresses that we send nobody to. */
struct gate_url {
	bool is_https;
	const char *host; /* with its port */
	size_t host_len;
	const char *path; /* may be empty */
	size_t path_len;
	const char *query; /* behind "?"; NULL: there is none */
	size_t query_len;
};

/* An absolute URL, "https://host/path?query". False: it is none. */
bool gate_url_parse(const char *text, struct gate_url *ret_url);
/* The scheme as a proxy names it, websockets' too: "https", "wss". False: unknown. */
bool gate_url_parse_scheme(const char *word, bool *ret_is_https);
/* Path and query from "/path?query". */
void gate_url_set_path(struct gate_url *url, const char *text);

/* Value of the first parameter wr_pass, which may be empty. */
bool gate_url_find_pass(const struct gate_url *url, const char **ret_pass, size_t *ret_len);

/* The same address without any wr_pass, for a redirect: rebuilt from its parts, on an origin and
 * path that the queue allows (any, if it names none). False: there is no such. */
bool gate_url_return(const struct queue_settings *settings, const struct gate_url *url,
					 char ret_url[VISIT_TARGET_MAX_BYTES + 1]);

/* WR_PUBLIC_URL: an origin with at most a path, "https://shop.example/_wr", at most
 * GATE_ROOM_BYTES; "" is fine. WR_INVALID says what is wrong. */
WR_MUST_USE enum wr_err gate_room_check(const char *text, struct err_detail *ret_detail);

/* Address of the queue's room, with the way back to 'from' if the queue allows it:
 * <room>/q/<tenant>/<queue>?t=<base64url of the target>. A queue without allowed targets takes only
 * paths, and those only when the room is on the site's own origin.
 *
 * public_url  where rooms are when the queue does not say; "": on the origin of 'url'.
 * url         what the proxy asks about.
 * from        where to come back to, or NULL.
 * ret_has_target  fills: is there a way back?
 * False: it is not known where the room is, because the proxy names no usable origin. */
#define GATE_ROOM_URL_BYTES                                                                        \
	(GATE_ROOM_BYTES + 3 + QUEUE_NAME_TEXT_BYTES + 3 + BASE64URL_LEN(VISIT_TARGET_MAX_BYTES) + 1)
bool gate_room_url(const struct queue_settings *settings, const struct queue_name *queue,
				   const char *public_url, const struct gate_url *url, const struct gate_url *from,
				   char ret_url[GATE_ROOM_URL_BYTES], bool *ret_has_target);

#endif
