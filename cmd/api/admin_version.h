/* Admin version: what a change asks of the version that is there (RFC 9110, 13.1). Any thread. */
#ifndef WAITINGROOM_API_ADMIN_VERSION_H
#define WAITINGROOM_API_ADMIN_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "waitingroom/err.h"
#include "waitingroom/http.h"

/* The entity tag of settings of a version is the number, in quotes: "7". */
#define VERSION_ETAG_BYTES 24
void version_etag(uint64_t version, char ret_etag[VERSION_ETAG_BYTES]);

/* Does a list of entity tags, or "*", name the version? A strong comparison takes no weak tag, and
 * a tag that is no number of ours names nothing. false: this is not a list of tags. A bare number
 * is taken as a tag, too.
 * exists  false: nothing is there, which no tag names. */
bool version_is_named(const char *header, bool exists, uint64_t version, bool strong,
					  bool *ret_named);

/* The conditions of the request, If-Match and If-None-Match, for what is there now.
 * WR_VERSION_MISMATCH when one does not hold, WR_INVALID when one cannot be read; both with
 * detail. */
WR_MUST_USE enum wr_err version_check(const struct http_request *request, bool exists,
									  uint64_t version, struct err_detail *ret_detail);

#endif
