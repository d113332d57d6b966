/* The site behind a gateway: answers each request with what it has received.
 *
 *     struct site *site = site_start();
 *     … through the gateway: answer->body is "POST /pay HTTP/1.1\r\nHost: …\r\n\r\namount=5"
 *     assert_int_equal(site_count(site), 1);
 *
 * An upgrade to websocket is taken, and each text frame comes back (RFC 6455). A process of its
 * own, which dies with the test. Functions fail the running test (cmocka) instead of returning
 * errors.
 */
#ifndef SUPPORT_SITE_H
#define SUPPORT_SITE_H

struct site;

struct site *site_start(void);					   /* gives; site_free() */
void site_free(struct site *site);				   /* NULL is fine */
const char *site_address(const struct site *site); /* "127.0.0.1:port"; lends */
int site_count(const struct site *site); /* requests so far, this question not among them */

/* What a browser sends and must get back to become a websocket; the values of RFC 6455 1.3. */
#define SITE_WEBSOCKET_HEADERS                                                                     \
	"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"                   \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define SITE_WEBSOCKET_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#endif
