/* Quiescence: when may a writer free what readers may still be looking at?
 *
 * What     Readers (HTTP workers) look at shared, immutable things only inside one turn of their
 *          loop, and mark when they wait. A writer swaps the pointer, retires the old thing, and it
 *          is freed once every reader has waited or begun a new turn since. Readers pay two plain
 *          atomic stores a turn, nothing per look-up.
 * Used by  queue_table (sync thread writes), keys (main thread reloads).
 * Threads  enter/leave: the reader's own thread. retire/sweep: any thread; internally locked, never
 *          touched by readers.
 */
#ifndef WAITINGROOM_QUIESCENCE_H
#define WAITINGROOM_QUIESCENCE_H

#include <stddef.h>

#define QUIESCENCE_READERS_MAX 256

struct quiescence;

struct quiescence *quiescence_new(void);
/* Frees everything still retired; no reader may be inside. */
void quiescence_free(struct quiescence *q);
/* Before the reader thread looks at anything; returns its number, or -1 when there are too many. */
int quiescence_add_reader(struct quiescence *q);
void quiescence_enter(struct quiescence *q, int reader); /* a turn begins: may look now */
void quiescence_leave(struct quiescence *q, int reader); /* about to wait: holds nothing */
/* takes 'thing'; calls free_fn(thing) later, from whichever thread sweeps. */
void quiescence_retire(struct quiescence *q, void *thing, void (*free_fn)(void *));
void quiescence_sweep(struct quiescence *q);	 /* frees what can be freed; cheap */
size_t quiescence_pending(struct quiescence *q); /* retired and not yet freed */

#endif
