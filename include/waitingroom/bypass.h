/* Bypass: does a request pass the gateway check without a session?
 *
 * A rule fits when everything that it names fits; the first that fits is given, so that each can be
 * counted. What can be read in two ways fits no rule: a path with "..", an encoded slash or the
 * like is one thing to us and may be another to the site behind.
 *
 * What     Pure matcher over the rules of a queue's settings.
 * Used by  cmd/api: gateway checks.
 * Threads  any.
 */
#ifndef WAITINGROOM_BYPASS_H
#define WAITINGROOM_BYPASS_H

#include "waitingroom/settings.h"

struct bypass_request {		/* borrows; each may be NULL: then no rule fits that asks for it */
	const char *method;		/* "GET" */
	const char *path;		/* as it stands in the request, "/a/b"; a query behind it is left out */
	const char *address;	/* of the client: "192.0.2.1", "2001:db8::1" */
	const char *user_agent; /* its header */
	/* Value of a header of the checked request, or NULL; 'name' is in lower case. */
	const char *(*header)(void *ctx, const char *name);
	void *ctx;
};

/* Number of the first rule that fits, or -1. */
int bypass_match(const struct queue_settings *settings, const struct bypass_request *request);

#endif
