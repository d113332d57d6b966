/* Asking for wrctl top, on a thread of its own: an answer that does not come must not hold up a
 * key.
 *
 *     asks ─► facts of the thread ─► lock, copy to 'shared', unlock ─► a byte to wake_fd ─► sleeps
 *
 * Queues and processes every round, health every fifth: it asks the store for more.
 *
 * Shared: 'shared', 'busy' and 'stop', under the mutex; all else is the thread's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "top.h"
#include "waitingroom/memory.h"

#define HEALTH_EVERY 5
#define DEADLINE_MS 5000

struct top_fetch {
	struct wrctl *w;
	int64_t every_ms;
	int wake_fd;
	pthread_t thread;
	struct top_facts facts; /* the thread's own */
	pthread_mutex_t lock;
	pthread_cond_t stopping;
	struct top_facts shared;
	bool busy, stop;
};

/* false: what went wrong is in 'trouble', unless the key just may not see it. */
static bool ask(struct wrctl *w, const char *path, struct reply *ret, char *trouble)
{
	struct err_detail detail = {""};
	struct request request = {.method = "GET", .path = path};
	enum wr_err err = client_ask(w->client, &request, ret, &detail);
	if (err != WR_OK) {
		snprintf(trouble, TOP_TEXT_BYTES, "%s", detail.text);
		return false;
	}
	if (ret->status == 200)
		return true;
	if (ret->status != 404 && ret->status != 403)
		snprintf(trouble, TOP_TEXT_BYTES, "%s says %d %s", client_url(w->client), ret->status,
				 reply_code(ret));
	return false;
}

void top_fetch_once(struct wrctl *w, struct top_facts *facts, bool with_health)
{
	WR_AUTO(reply_clear) struct reply queues = {0};
	WR_AUTO(reply_clear) struct reply pods = {0};
	WR_AUTO(reply_clear) struct reply health = {0};
	facts->trouble[0] = '\0';
	if (!ask(w, "/admin/v1/queues", &queues, facts->trouble)) {
		if (facts->trouble[0] == '\0')
			strcpy(facts->trouble, "this key may not list queues");
		return;
	}
	top_take_queues(facts, queues.json);
	facts->answered = clock_wall();
	snprintf(facts->url, sizeof(facts->url), "%s", client_url(w->client));
	if (ask(w, "/admin/v1/pods", &pods, facts->trouble))
		top_take_pods(facts, pods.json);
	if (with_health && facts->trouble[0] == '\0' &&
		ask(w, "/admin/v1/health", &health, facts->trouble))
		top_take_health(facts, health.json);
}

static void tell(struct top_fetch *fetch)
{
	struct top_facts copy;
	top_facts_copy(&fetch->facts, &copy);
	pthread_mutex_lock(&fetch->lock);
	struct top_facts old = fetch->shared;
	fetch->shared = copy;
	pthread_mutex_unlock(&fetch->lock);
	top_facts_clear(&old);
	(void)!write(fetch->wake_fd, "", 1); /* a full pipe wakes as well */
}

/* Until the next round is due; true: stop. */
static bool rest(struct top_fetch *fetch)
{
	struct timespec due;
	clock_gettime(CLOCK_MONOTONIC, &due);
	due.tv_sec += fetch->every_ms / 1000;
	due.tv_nsec += fetch->every_ms % 1000 * 1000000;
	due.tv_sec += due.tv_nsec / 1000000000;
	due.tv_nsec %= 1000000000;
	pthread_mutex_lock(&fetch->lock);
	fetch->busy = false;
	while (!fetch->stop &&
		   pthread_cond_timedwait(&fetch->stopping, &fetch->lock, &due) != ETIMEDOUT)
		;
	bool stop = fetch->stop;
	fetch->busy = !stop;
	pthread_mutex_unlock(&fetch->lock);
	return stop;
}

static void *run(void *ctx)
{
	struct top_fetch *fetch = ctx;
	for (unsigned round = 0;; round++) {
		top_fetch_once(fetch->w, &fetch->facts, round % HEALTH_EVERY == 0);
		tell(fetch);
		if (rest(fetch))
			return NULL;
	}
}

struct top_fetch *top_fetch_start(struct wrctl *w, int64_t every_ms, int wake_fd)
{
	struct top_fetch *fetch = mem_alloc_zero(1, sizeof(*fetch));
	pthread_condattr_t attributes;
	fetch->w = w;
	fetch->every_ms = every_ms;
	fetch->wake_fd = wake_fd;
	fetch->busy = true;
	if (wrctl_option(w, "timeout") == NULL)
		client_set_deadline(w->client, DEADLINE_MS);
	pthread_mutex_init(&fetch->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&fetch->stopping, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&fetch->thread, NULL, run, fetch) != 0)
		abort();
	return fetch;
}

void top_fetch_look(struct top_fetch *fetch, struct top_facts *ret)
{
	pthread_mutex_lock(&fetch->lock);
	top_facts_copy(&fetch->shared, ret);
	pthread_mutex_unlock(&fetch->lock);
}

bool top_fetch_stop(struct top_fetch *fetch)
{
	pthread_mutex_lock(&fetch->lock);
	fetch->stop = true;
	bool busy = fetch->busy;
	pthread_cond_signal(&fetch->stopping);
	pthread_mutex_unlock(&fetch->lock);
	if (busy) {
		pthread_detach(fetch->thread); /* the program ends under it */
		return false;
	}
	pthread_join(fetch->thread, NULL);
	top_facts_clear(&fetch->facts);
	top_facts_clear(&fetch->shared);
	pthread_cond_destroy(&fetch->stopping);
	pthread_mutex_destroy(&fetch->lock);
	free(fetch);
	return true;
}
