/* Documents of the waiting page, built once and served often.
 *
 * A thread of its own, with low priority, builds: first the plain document of every language in
 * little time, then what workers ask for, as small as it gets. A worker that does not find its
 * document builds a quick one in its place, a few milliseconds once, so nobody waits for the thread
 * and no start waits for the pages.
 *
 * Threads  find: workers, within a turn of theirs. What is replaced is freed through quiescence.
 */
#ifndef WAITINGROOM_API_PAGE_CACHE_H
#define WAITINGROOM_API_PAGE_CACHE_H

#include "page_build.h"
#include "waitingroom/queue_table.h"

struct page_cache;

/* gives; starts the thread. languages are borrowed for good. */
struct page_cache *page_cache_start(struct quiescence *quiescence, const struct queue_table *queues,
									const struct languages *languages);
void page_cache_stop(struct page_cache *cache); /* waits for the thread and frees; NULL is fine */

/* Lends until the turn ends. It may be that of older settings while the newer one is being
 * built. */
const struct page *page_cache_find(struct page_cache *cache, const struct queue_snapshot *snapshot,
								   size_t language);
/* The script of the page's worker; lends as above. */
const struct page *page_cache_worker(struct page_cache *cache);
/* How many documents of queues with a look of their own are kept. */
size_t page_cache_count(const struct page_cache *cache);

#endif
