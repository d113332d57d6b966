/* Documents of the waiting page, built once and served often.
 *
 *     page_cache_find ─► there, of these settings ─► serve
 *           ├─► there, of older settings ─► serve, and ask the thread for the new one
 *           └─► not there ─► build a quick one and put it there, and ask the thread for a small one
 *
 * Plain documents have a slot for each language; one made in a hurry is replaced by a smaller one
 * when it is asked for. (All as small as they get would cost every start half a second of CPU.)
 * Those of queues with a look of their own live in a table of small sets: a queue and language
 * belong to one set, and a full set gives up the entry that was looked at longest ago. So memory is
 * bounded, and a look-up reads at most SET_WAYS pointers.
 */
#include "page_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "waitingroom/memory.h"

#define SETS 64
#define SET_WAYS 4
#define ASKED_MAX 64 /* more are asked for again by whoever needs them next */
#define NICENESS 10
#define WORKER_POLICY "default-src 'none'; connect-src 'self'"

struct entry { /* immutable, but for 'used' */
	struct queue_name queue;
	struct page *page;
	_Atomic int64_t used_ns;
};

struct asked {
	struct queue_name queue; /* "": the plain document */
	size_t language;
};

struct page_cache {
	struct quiescence *quiescence;
	const struct queue_table *queues;
	const struct languages *languages;
	int reader; /* the thread's, in quiescence */
	pthread_t thread;
	_Atomic(struct page *) plain[LANGUAGES_MAX];
	_Atomic(struct page *) worker;
	_Atomic(struct entry *) sets[SETS][SET_WAYS];
	atomic_size_t count; /* of the sets */

	pthread_mutex_t lock; /* of what follows; held for a few instructions only */
	pthread_cond_t change;
	struct asked asked[ASKED_MAX];
	size_t asked_count;
	bool stop;
};

static const struct queue_name plain_queue;

static void entry_free(void *ctx)
{
	struct entry *entry = ctx;
	page_free(entry->page);
	free(entry);
}

static _Atomic(struct entry *) *set_of(struct page_cache *cache, const struct queue_name *queue,
									   size_t language)
{
	return cache->sets[(queue_name_hash(queue) + language * 31) % SETS];
}

static bool entry_is(const struct entry *entry, const struct queue_name *queue, size_t language)
{
	return entry->page->language == language && queue_name_equal(&entry->queue, queue);
}

/* ---- workers ---- */

static void ask(struct page_cache *cache, const struct queue_name *queue, size_t language)
{
	pthread_mutex_lock(&cache->lock);
	bool known = cache->asked_count == ASKED_MAX;
	for (size_t i = 0; !known && i < cache->asked_count; i++)
		known =
			cache->asked[i].language == language && queue_name_equal(&cache->asked[i].queue, queue);
	if (!known) {
		cache->asked[cache->asked_count++] = (struct asked){.queue = *queue, .language = language};
		pthread_cond_signal(&cache->change);
	}
	pthread_mutex_unlock(&cache->lock);
}

/* The entry itself, a free way, or the one looked at longest ago. */
static size_t way_for(_Atomic(struct entry *) *set, const struct queue_name *queue, size_t language)
{
	size_t oldest = 0;
	int64_t oldest_ns = INT64_MAX;
	for (size_t way = 0; way < SET_WAYS; way++) {
		struct entry *entry = atomic_load_explicit(&set[way], memory_order_acquire);
		if (entry != NULL && entry_is(entry, queue, language))
			return way;
		int64_t used_ns =
			entry != NULL ? atomic_load_explicit(&entry->used_ns, memory_order_relaxed) : INT64_MIN;
		if (used_ns < oldest_ns) {
			oldest = way;
			oldest_ns = used_ns;
		}
	}
	return oldest;
}

/* Any thread. Two at once may leave two entries of one queue, of which one is looked at no more. */
static void put_own(struct page_cache *cache, const struct queue_name *queue, struct page *page,
					int64_t now_ns)
{
	_Atomic(struct entry *) *set = set_of(cache, queue, page->language);
	struct entry *entry = mem_alloc_zero(1, sizeof(*entry));
	entry->queue = *queue;
	entry->page = page;
	atomic_store_explicit(&entry->used_ns, now_ns, memory_order_relaxed);
	struct entry *old = atomic_exchange_explicit(&set[way_for(set, queue, page->language)], entry,
												 memory_order_acq_rel);
	if (old != NULL)
		quiescence_retire(cache->quiescence, old, entry_free);
	else
		atomic_fetch_add(&cache->count, 1);
}

static struct page *build_now(struct page_cache *cache, const struct queue_settings *settings,
							  size_t language, enum compress_effort effort)
{
	struct page_look look;
	page_look_init(&look, settings, cache->languages->all[language].code);
	struct page *page = page_build(cache->languages, language, &look, effort);
	page->version = settings != NULL ? settings->version : 0;
	return page;
}

static const struct page *find_own(struct page_cache *cache, const struct queue_snapshot *snapshot,
								   size_t language)
{
	_Atomic(struct entry *) *set = set_of(cache, &snapshot->name, language);
	for (size_t way = 0; way < SET_WAYS; way++) {
		struct entry *entry = atomic_load_explicit(&set[way], memory_order_acquire);
		if (entry == NULL || !entry_is(entry, &snapshot->name, language))
			continue;
		atomic_store_explicit(&entry->used_ns, snapshot->taken.ns, memory_order_relaxed);
		if (entry->page->version != snapshot->settings->version ||
			entry->page->effort == COMPRESS_QUICK)
			ask(cache, &snapshot->name, language);
		return entry->page;
	}
	struct page *page = build_now(cache, snapshot->settings, language, COMPRESS_QUICK);
	put_own(cache, &snapshot->name, page, snapshot->taken.ns);
	ask(cache, &snapshot->name, language);
	return page; /* whoever replaces it retires it, and this turn goes on */
}

/* Puts 'page' where nothing is, and gives what is there then. */
static const struct page *offer(_Atomic(struct page *) *place, struct page *page)
{
	struct page *there = NULL;
	if (atomic_compare_exchange_strong_explicit(place, &there, page, memory_order_acq_rel,
												memory_order_acquire))
		return page;
	page_free(page);
	return there;
}

const struct page *page_cache_find(struct page_cache *cache, const struct queue_snapshot *snapshot,
								   size_t language)
{
	if (!page_look_is_plain(snapshot->settings))
		return find_own(cache, snapshot, language);
	const struct page *page = atomic_load_explicit(&cache->plain[language], memory_order_acquire);
	if (page == NULL)
		page = offer(&cache->plain[language], build_now(cache, NULL, language, COMPRESS_QUICK));
	if (page->effort == COMPRESS_QUICK)
		ask(cache, &plain_queue, language);
	return page;
}

const struct page *page_cache_worker(struct page_cache *cache)
{
	const struct page *page = atomic_load_explicit(&cache->worker, memory_order_acquire);
	return page != NULL
			   ? page
			   : offer(&cache->worker, page_build_file("worker.js", WORKER_POLICY, COMPRESS_QUICK));
}

size_t page_cache_count(const struct page_cache *cache)
{
	return atomic_load(&cache->count);
}

/* ---- the thread ---- */

static bool is_stopping(struct page_cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	bool stop = cache->stop;
	pthread_mutex_unlock(&cache->lock);
	return stop;
}

/* Waits for something asked for; false: the end. */
static bool next_asked(struct page_cache *cache, struct asked *ret_asked)
{
	pthread_mutex_lock(&cache->lock);
	while (!cache->stop && cache->asked_count == 0)
		pthread_cond_wait(&cache->change, &cache->lock);
	bool has_one = !cache->stop;
	if (has_one)
		*ret_asked = cache->asked[0];
	pthread_mutex_unlock(&cache->lock);
	return has_one;
}

/* Only now, so that what is being built is not asked for again. */
static void drop_first_asked(struct page_cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	cache->asked_count--;
	memmove(cache->asked, cache->asked + 1, cache->asked_count * sizeof(cache->asked[0]));
	pthread_mutex_unlock(&cache->lock);
}

static void build_own(struct page_cache *cache, const struct asked *asked)
{
	quiescence_enter(cache->quiescence, cache->reader);
	const struct queue_snapshot *snapshot = queue_table_find(cache->queues, &asked->queue);
	if (snapshot != NULL && !page_look_is_plain(snapshot->settings))
		put_own(cache, &asked->queue,
				build_now(cache, snapshot->settings, asked->language, COMPRESS_SMALL),
				snapshot->taken.ns);
	quiescence_leave(cache->quiescence, cache->reader);
}

static void replace(struct page_cache *cache, _Atomic(struct page *) *place, struct page *page)
{
	struct page *old = atomic_exchange_explicit(place, page, memory_order_acq_rel);
	if (old != NULL)
		quiescence_retire(cache->quiescence, old, page_free);
}

static void build_asked(struct page_cache *cache, const struct asked *asked)
{
	if (queue_name_equal(&asked->queue, &plain_queue))
		replace(cache, &cache->plain[asked->language],
				build_now(cache, NULL, asked->language, COMPRESS_SMALL));
	else
		build_own(cache, asked);
}

static void *run(void *ctx)
{
	struct page_cache *cache = ctx;
	struct asked asked;
	setpriority(PRIO_PROCESS, 0, NICENESS); /* of this thread only; what cannot be had is no loss */
	replace(cache, &cache->worker, page_build_file("worker.js", WORKER_POLICY, COMPRESS_SMALL));
	for (size_t i = 0; i < cache->languages->count && !is_stopping(cache); i++)
		offer(&cache->plain[i], build_now(cache, NULL, i, COMPRESS_QUICK));
	while (next_asked(cache, &asked)) {
		build_asked(cache, &asked);
		drop_first_asked(cache);
	}
	return NULL;
}

struct page_cache *page_cache_start(struct quiescence *quiescence, const struct queue_table *queues,
									const struct languages *languages)
{
	struct page_cache *cache = mem_alloc_zero(1, sizeof(*cache));
	cache->quiescence = quiescence;
	cache->queues = queues;
	cache->languages = languages;
	cache->reader = quiescence_add_reader(quiescence);
	pthread_mutex_init(&cache->lock, NULL);
	pthread_cond_init(&cache->change, NULL);
	if (pthread_create(&cache->thread, NULL, run, cache) != 0)
		abort();
	return cache;
}

void page_cache_stop(struct page_cache *cache)
{
	if (cache == NULL)
		return;
	pthread_mutex_lock(&cache->lock);
	cache->stop = true;
	pthread_cond_signal(&cache->change);
	pthread_mutex_unlock(&cache->lock);
	pthread_join(cache->thread, NULL);
	for (size_t i = 0; i < LANGUAGES_MAX; i++)
		page_free(atomic_load(&cache->plain[i]));
	page_free(atomic_load(&cache->worker));
	for (size_t set = 0; set < SETS; set++)
		for (size_t way = 0; way < SET_WAYS; way++) {
			struct entry *entry = atomic_load(&cache->sets[set][way]);
			if (entry != NULL)
				entry_free(entry);
		}
	pthread_mutex_destroy(&cache->lock);
	pthread_cond_destroy(&cache->change);
	free(cache);
}
