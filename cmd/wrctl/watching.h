/* Watching: shows how far something long has got while its answer is waited for.
 *
 * What     A bar that falls with the number of people waiting, asked of the same servers once a
 *          second on another connection; without a queue, the time that has passed.
 * Threads  one.
 */
#ifndef WRCTL_WATCHING_H
#define WRCTL_WATCHING_H

#include "progress.h"
#include "wrctl.h"

struct watching {
	struct wrctl *w;
	struct progress progress;
	struct client *other; /* NULL: no queue is asked about */
	char *path;
	int64_t waiting; /* at the beginning */
	struct mono_time asked;
};

/* queue    NULL: only time is shown
 * waiting  people in line at the beginning */
void watching_begin(struct watching *watching, struct wrctl *w, const char *label,
					const char *queue, int64_t waiting);
void watching_end(struct watching *watching);

/* Asks until nobody waits in the queue; after interrupt_watch, Ctrl-C ends the watching, not what
 * is watched. */
int watching_until_empty(struct wrctl *w, const char *queue);

/* People waiting in all lanes, of the answer to GET of a queue. */
int64_t waiting_of(const struct json_value *queue);

/* Has Ctrl-C been pressed since interrupt_watch? Then what is under way is finished, and no
 * more. */
void interrupt_watch(void);
bool interrupt_seen(void);

#endif
