/* Pages without scripts that more than one way leads to. */
#ifndef WAITINGROOM_API_NOSCRIPT_PAGES_H
#define WAITINGROOM_API_NOSCRIPT_PAGES_H

#include "noscript_view.h"

/* A whole page with the form that takes a place, or why there is none; view_reply comes after it.
 * heading and button are keys of texts. */
void noscript_show_join(struct view *view, const char *heading, const char *button);
/* The form alone. */
void noscript_put_join(struct view *view, const char *button);
/* What that form posts; enqueue_answer answers. */
WR_MUST_USE enum wr_err noscript_join(struct view *view);

#endif
