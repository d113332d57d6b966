/* Captcha verdicts for requests: asked in the provider's time, answered by the worker. */
#ifndef WAITINGROOM_API_CAPTCHA_H
#define WAITINGROOM_API_CAPTCHA_H

#include "enqueue.h"

struct captcha_desk; /* a worker's */
struct captcha_desk *captcha_desk_new(struct worker *worker);
/* Answers what is still parked with WR_DRAINING. The provider's thread has ended. */
void captcha_desk_free(struct captcha_desk *desk);
/* Goes on with the requests whose verdicts have come; after a wake. */
void captcha_desk_collect(struct captcha_desk *desk);

/* Parks the request until the provider of the queue's settings has been heard; then
 * enqueue_resume. false: it cannot be asked now, the request is untouched. */
WR_MUST_USE bool captcha_park(struct worker *worker, struct http_request *request,
							  const struct join_wish *wish, const struct queue_snapshot *snapshot);

/* Is there a provider for this kind of challenge, and is it worth asking? */
bool captcha_is_there(const struct worker *worker, enum queue_challenge kind);

#endif
