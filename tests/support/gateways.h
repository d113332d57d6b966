/* Real gateways for tests: Debian's nginx, Caddy and HAProxy, with the configurations of deploy/.
 *
 * The files are used as they are but for addresses and, when asked, for the one line that chooses
 * what happens while the waiting room does not answer. A place that is to be changed and is not
 * found fails the test, so what the guides say to change stays true.
 *
 * Functions fail the running test (cmocka) instead of returning errors.
 */
#ifndef SUPPORT_GATEWAYS_H
#define SUPPORT_GATEWAYS_H

#include <stdbool.h>

enum gateway_kind {
	GATEWAY_NGINX,
	GATEWAY_CADDY,
	GATEWAY_HAPROXY,
	GATEWAY_HAPROXY_OFFLINE, /* no questions: sessions recognised by their signature */
};

struct gateway_options {
	int port;			 /* where visitors come; 0: a free one */
	const char *pods[2]; /* "127.0.0.1:port", of waitingroom-api */
	const char *site;	 /* "127.0.0.1:port" */
	const char *keys;	 /* JWK Set of the waiting room, for HAProxy's session-key.pem */
	bool fail_open;
};

struct gateway;

/* Started and listening. gives; gateway_free() */
struct gateway *gateway_start(enum gateway_kind kind, const struct gateway_options *options);
void gateway_free(struct gateway *gateway);				/* NULL is fine */
const char *gateway_url(const struct gateway *gateway); /* "http://127.0.0.1:port"; lends */
int gateway_port(const struct gateway *gateway);

#endif
