/* Address: where a server listens, from the words of the command line. */
#ifndef WRLOAD_ADDRESS_H
#define WRLOAD_ADDRESS_H

#include <sys/socket.h>

#include "waitingroom/err.h"

#define ADDRESS_HOST_BYTES 256
#define ADDRESS_PREFIX_BYTES 128
struct address {
	struct sockaddr_storage sa;
	socklen_t len;
	char host[ADDRESS_HOST_BYTES];	   /* for the Host header */
	char prefix[ADDRESS_PREFIX_BYTES]; /* before every path, without a last "/"; "" mostly */
};

/* "http://host:port", "http://host", "http://[::1]:port", with or without a last "/"; behind a
 * gateway "http://host:port/_wr"; "unix:/path".
 * Asks the resolver, so it may block. WR_BAD_CONFIG names what cannot be used and why. */
WR_MUST_USE enum wr_err address_resolve(const char *url, struct address *ret_address,
										struct err_detail *ret_detail);

#endif
