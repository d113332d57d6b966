/* Exposition: the parts of the /metrics page that have a file of their own. */
#ifndef WAITINGROOM_API_EXPOSITION_H
#define WAITINGROOM_API_EXPOSITION_H

#include "app.h"

/* The families with the label queue, from the pictures that workers read. */
void exposition_queues(struct metrics_page *page, const struct app *app);

#endif
