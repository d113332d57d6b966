/* Client address: who is asking, when proxies stand in front.
 *
 * X-Forwarded-For is read from the right, skipping trusted proxies; the first address that is not
 * trusted is the client. From a peer that is not trusted the header is ignored.
 *
 * What     Addresses and networks; pure.
 * Used by  lib/http, cmd/api.
 * Threads  any; a parsed list is immutable.
 */
#ifndef WAITINGROOM_CLIENT_IP_H
#define WAITINGROOM_CLIENT_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "waitingroom/err.h"

struct client_ip {
	uint8_t bytes[16]; /* IPv4 as v4-mapped ::ffff:a.b.c.d */
	bool is_v4;
};

struct trusted_proxies;
/* "10.0.0.0/8,127.0.0.1,fd00::/8"; empty: nobody. gives. WR_BAD_CONFIG names the bad entry. */
WR_MUST_USE enum wr_err trusted_proxies_parse(const char *text, struct trusted_proxies **ret_list,
											  struct err_detail *ret_detail);
void trusted_proxies_free(struct trusted_proxies *list);

/* Is the peer one of them? Unparsable ("unix") is, as for client_ip_find: who may write to our
 * socket is decided by its file's mode. */
bool trusted_proxies_have_peer(const struct trusted_proxies *proxies, const char *peer);

bool client_ip_parse(const char *text, struct client_ip *ret_ip);
/* peer: http_request_peer(); forwarded_for: header or NULL; proxies may be NULL. An unparsable peer
 * ("unix") counts as trusted; when nothing can be told, 0.0.0.0. */
struct client_ip client_ip_find(const char *peer, const char *forwarded_for,
								const struct trusted_proxies *proxies);
/* "192.0.2.0" for the /24, "2001:db8:1::" for the /48: the network, for limits and logs. */
#define NETWORK_TEXT_BYTES 46
void client_ip_network(const struct client_ip *ip, char ret_text[NETWORK_TEXT_BYTES]);
uint64_t client_ip_hash(const struct client_ip *ip, int v4_bits, int v6_bits); /* of the prefix */

#endif
