/* Preview: an operator looks at any state of the page without joining. */
#ifndef WAITINGROOM_API_PREVIEW_H
#define WAITINGROOM_API_PREVIEW_H

#include "gather.h"

/* GET /q/<tenant>/<queue>?preview=1&state=…&exp=…&sig=…; the notes have the queue. */
void preview_serve(struct worker *worker, struct http_request *request,
				   const struct queue_snapshot *snapshot);

#endif
