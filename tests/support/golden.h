/* Golden files: what a server is asked and what it answers, header by header, as text for
 * reviewers.
 *
 *     # A page without a session is sent to the room and comes back.
 *     > GET /authz/nginx?queue=default/shop
 *     > X-Original-URL: https://shop.example/cart
 *     < 401
 *     < Location: https://room.example/q/default/shop?t=${b64 https://shop.example/cart}
 *     + "queue_url":"https://room.example/
 *
 * "##" is a remark. A case begins with "#" and its name; ">" is the request line and the headers of
 * the request, "=" a body; "<" is the status and all headers of the answer in any order, but for
 * Date, Connection, Content-Length and X-Request-Id; values may have * as in file names. "+" is
 * something that the body has; without "+" the body is empty. ${name} is what the test says, ${b64
 * text} its base64url.
 */
#ifndef SUPPORT_GOLDEN_H
#define SUPPORT_GOLDEN_H

struct golden_word {
	const char *name, *value;
};

/* Runs each case of the file as a test of its own. Lends 'address' and 'words' (ending in a NULL
 * name) until it returns; they may be filled by 'setup'. The group's result. */
int golden_run(const char *file, const char *const *address, const struct golden_word *words,
			   int (*setup)(void **state), int (*teardown)(void **state));

#endif
