/* Reason: why the NATS library did not do what it was asked. */
#ifndef EVENTS_REASON_H
#define EVENTS_REASON_H

#include <nats/nats.h>

/* What the library said last on this thread, which is about the call that just failed; or what its
 * status means. Lends, until the next call of the library. */
const char *reason_of(natsStatus status);

#endif
