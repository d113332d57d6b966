/* TLS to the store, where hiredis can (1.0 or newer with its own libhiredis_ssl).
 *
 * What     What an address trusts and shows, and a handshake begun on a new connection.
 * Used by  address.c, link.c.
 * Threads  a tls is constant after tls_new; the rest belongs to the client's thread.
 */
#ifndef STORE_TLS_H
#define STORE_TLS_H

#include <hiredis/async.h>
#include <stdbool.h>

#include "waitingroom/err.h"

struct tls;
struct tls_files { /* "" none */
	const char *ca, *cert, *key;
};
/* host: what the certificate must be for; borrows all. gives. WR_BAD_CONFIG: a file cannot be used,
 * or this build has no TLS. */
WR_MUST_USE enum wr_err tls_new(const char *host, const struct tls_files *files,
								struct tls **ret_tls, struct err_detail *ret_detail);
void tls_free(struct tls *tls); /* NULL is fine */

struct ssl_st;
/* On a connection that has just been begun. NULL: it cannot. Lends, for as long as the connection
 * lives. */
struct ssl_st *tls_begin(const struct tls *tls, redisAsyncContext *connection);
/* Why the other side's certificate was refused; NULL: it was not. lends. ssl NULL is fine */
const char *tls_refusal(const struct ssl_st *ssl);

#endif
