/* Admitter: follows the list of queues and keeps a drain for each.
 *
 * One thread, one loop, one pipelined store connection; steps of different queues overlap. At the
 * end (SIGTERM) it waits for the steps under way, gives its leases up and leaves: another admitter
 * asks for a lease several times within its length, so it goes on at once. After a kill the lease
 * runs out first: WR_LEASE_MS plus a quarter.
 */
#include "admitter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "waitingroom/log.h"
#include "waitingroom/memory.h"
#include "waitingroom/store_log.h"

#define LIST_INTERVAL_MS 250
#define LISTS_PER_LOG_LEVEL 4
#define RELEASE_CHECK_MS 10

static struct drain *find(struct admitter *admitter, const struct queue_name *name)
{
	for (struct drain *drain = admitter->queues; drain != NULL; drain = drain_next(drain))
		if (queue_name_equal(drain_name(drain), name))
			return drain;
	return NULL;
}

/* Drains of queues that are gone are freed once their steps are answered. */
static void sweep(struct admitter *admitter)
{
	struct drain *before = NULL;
	for (struct drain *drain = admitter->queues; drain != NULL;) {
		struct drain *next = drain_next(drain);
		if (drain_is_over(drain) && drain_is_idle(drain)) {
			if (before != NULL)
				drain_link(before, next);
			else
				admitter->queues = next;
			drain_free(drain);
			admitter->queue_count--;
		} else {
			before = drain;
		}
		drain = next;
	}
}

static void say_full(struct admitter *admitter, const struct queue_name *name)
{
	if (!log_once_a_minute(&admitter->full_said, loop_now(admitter->loop)))
		return;
	char text[QUEUE_NAME_TEXT_BYTES];
	queue_name_print(name, text);
	log_event(LOG_LEVEL_ERROR, "too_many_queues", LOG_TEXT("setting", "WR_QUEUES_MAX"),
			  LOG_TEXT("queue", text));
}

static void follow(struct admitter *admitter, const struct queue_name *name)
{
	if (admitter->queue_count >= (size_t)admitter->config->queues_max) {
		say_full(admitter, name);
		return;
	}
	struct drain *drain = drain_new(admitter, name);
	drain_link(drain, admitter->queues);
	admitter->queues = drain;
	admitter->queue_count++;
}

static void on_names(void *ctx, enum wr_err err, const struct queue_name *names, size_t count)
{
	struct admitter *admitter = ctx;
	atomic_store(&admitter->is_ready, err == WR_OK);
	sweep(admitter);
	for (size_t i = 0; err == WR_OK && i < count; i++)
		if (find(admitter, &names[i]) == NULL)
			follow(admitter, &names[i]);
	if (!admitter->is_stopping)
		loop_timer_arm(admitter->list_timer,
					   mono_add_ms(loop_now(admitter->loop), LIST_INTERVAL_MS));
}

static void list(void *ctx)
{
	struct admitter *admitter = ctx;
	atomic_store(&admitter->turn_ms, clock_mono().ns / 1000000);
	store_queues(admitter->store, on_names, admitter);
	if (++admitter->lists % LISTS_PER_LOG_LEVEL == 0)
		store_follow_log_level(admitter->store);
}

/* ---- stopping ---- */

static void on_lease_released(void *ctx, enum wr_err err, bool mine, uint64_t fence)
{
	struct admitter *admitter = ctx;
	(void)err; /* then it runs out by itself */
	(void)mine;
	(void)fence;
	if (--admitter->leases_open == 0)
		loop_stop(admitter->loop);
}

static void release_leases(void *ctx)
{
	struct admitter *admitter = ctx;
	for (struct drain *drain = admitter->queues; drain != NULL; drain = drain_next(drain))
		if (!drain_is_idle(drain)) {
			loop_timer_arm(admitter->release_timer,
						   mono_add_ms(loop_now(admitter->loop), RELEASE_CHECK_MS));
			return;
		}
	admitter->leases_open = 1; /* ours, so that the loop does not stop before all are sent */
	for (struct drain *drain = admitter->queues; drain != NULL; drain = drain_next(drain)) {
		admitter->leases_open++;
		store_lease(admitter->store, drain_name(drain), "admit", admitter->owner, 0,
					on_lease_released, admitter);
	}
	on_lease_released(admitter, WR_OK, false, 0);
}

static void on_wake(void *ctx)
{
	struct admitter *admitter = ctx;
	if (!atomic_load(&admitter->stop) || admitter->is_stopping)
		return;
	admitter->is_stopping = true;
	loop_timer_disarm(admitter->list_timer);
	for (struct drain *drain = admitter->queues; drain != NULL; drain = drain_next(drain))
		drain_stop(drain);
	release_leases(admitter);
}

/* ---- life ---- */

static void *run(void *ctx)
{
	struct admitter *admitter = ctx;
	list(admitter);
	loop_run(admitter->loop);
	return NULL;
}

struct admitter *admitter_start(const struct config *config, struct store_address *address,
								struct tracing *tracing)
{
	struct admitter *admitter = mem_alloc_zero(1, sizeof(*admitter));
	struct store_options options;
	admitter->config = config;
	admitter->address = address;
	admitter->tracing = tracing;
	admitter->loop = loop_new();
	admitter->shard = aligned_alloc(128, sizeof(*admitter->shard));
	if (admitter->shard == NULL)
		abort();
	memset(admitter->shard, 0, sizeof(*admitter->shard));
	snprintf(admitter->owner, sizeof(admitter->owner), "admitter-%08x%08x", (unsigned)getpid(),
			 (unsigned)(clock_mono().ns & 0xffffffff));
	store_options_default(&options);
	options.timeout_ms = (uint32_t)config->store_timeout_ms;
	admitter->store = store_new(admitter->loop, address, &options);
	admitter->list_timer = loop_timer_new(admitter->loop, list, admitter);
	admitter->release_timer = loop_timer_new(admitter->loop, release_leases, admitter);
	loop_set_on_wake(admitter->loop, on_wake, admitter);
	atomic_store(&admitter->turn_ms,
				 clock_mono().ns / 1000000); /* not stuck before its first turn */
	if (pthread_create(&admitter->thread, NULL, run, admitter) != 0)
		abort();
	return admitter;
}

void admitter_stop(struct admitter *admitter)
{
	atomic_store(&admitter->stop, true);
	loop_wake(admitter->loop);
	pthread_join(admitter->thread, NULL);
	store_free(admitter->store);
	while (admitter->queues != NULL) {
		struct drain *next = drain_next(admitter->queues);
		drain_free(admitter->queues);
		admitter->queues = next;
	}
	loop_timer_free(admitter->list_timer);
	loop_timer_free(admitter->release_timer);
	loop_free(admitter->loop);
	free(admitter->shard);
	free(admitter);
}
