/* Event loop: epoll for descriptors, a binary heap for timers, an eventfd for other threads.
 *
 * A turn: before_wait hooks (flush what the last turn gathered) → wait → read the clock → callbacks
 * of ready descriptors → callbacks of due timers. Timers with the same due time fire in the order
 * of arming. A timer armed for the past is due at the current time, behind those that are due
 * already, so a timer that re-arms itself cannot starve the others or the descriptors.
 *
 * Any callback may remove any watch: epoll may still hand out an event for it in the same turn, so
 * a removed watch only gets marked, and is freed when the turn is over. A watch that waits for
 * nothing is taken out of the epoll set, which would otherwise report a hang-up for ever.
 */
#include "waitingroom/loop.h"

#include "waitingroom/memory.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_PER_TURN 256
#define BEFORE_WAIT_MAX 8
#define NOT_ARMED SIZE_MAX

struct loop_watch {
	struct loop *loop;
	int fd;
	unsigned events;
	loop_fd_fn fn; /* NULL once removed */
	void *ctx;
	struct loop_watch *next, **link; /* in loop->watches, or in loop->removed */
};

struct loop_timer {
	struct loop *loop;
	loop_fn fn;
	void *ctx;
	struct mono_time due;
	uint64_t order; /* of arming: breaks ties */
	size_t slot;	/* in loop->heap, or NOT_ARMED */
};

struct loop {
	int epoll_fd, wake_fd;
	struct epoll_event ready[EVENTS_PER_TURN];
	struct mono_time now;
	bool stopped, in_turn;
	struct loop_watch *watches, *removed;
	struct loop_timer **heap;
	size_t armed, heap_room;
	uint64_t armings;
	struct {
		loop_before_wait_fn fn;
		void *ctx;
	} before_wait[BEFORE_WAIT_MAX];
	int before_wait_count;
	loop_fn mark_before, mark_after;
	void *mark_ctx;
	loop_fn on_wake;
	void *on_wake_ctx;
};

/* ---- making and freeing ---- */

static void drain_wake(void *ctx, unsigned events)
{
	(void)events;
	struct loop *loop = ctx;
	uint64_t count;
	if (read(loop->wake_fd, &count, sizeof(count)) == sizeof(count) && loop->on_wake)
		loop->on_wake(loop->on_wake_ctx);
}

struct loop *loop_new(void)
{
	struct loop *loop = mem_alloc_zero(1, sizeof(*loop));
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->epoll_fd < 0 || loop->wake_fd < 0)
		abort();
	loop->now = clock_mono();
	loop_watch(loop, loop->wake_fd, LOOP_READ, drain_wake, loop);
	return loop;
}

static void free_watches(struct loop_watch **list)
{
	while (*list) {
		struct loop_watch *watch = *list;
		*list = watch->next;
		free(watch);
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	assert(!loop->in_turn);
	free_watches(&loop->watches);
	free_watches(&loop->removed);
	/* Their owners free timers; one that outlives the loop must find itself disarmed. */
	for (size_t i = 0; i < loop->armed; i++)
		loop->heap[i]->slot = NOT_ARMED;
	free(loop->heap);
	close(loop->epoll_fd);
	close(loop->wake_fd);
	free(loop);
}

/* ---- descriptors ---- */

static uint32_t epoll_events_of(unsigned events)
{
	return (events & LOOP_READ ? EPOLLIN | EPOLLRDHUP : 0u) | (events & LOOP_WRITE ? EPOLLOUT : 0u);
}

static void watch_control(struct loop_watch *watch, int operation, unsigned events)
{
	struct epoll_event event = {.events = epoll_events_of(events), .data.ptr = watch};
	int failed = epoll_ctl(watch->loop->epoll_fd, operation, watch->fd, &event);
	assert(!failed && "a watched descriptor must be open, pollable and watched once");
}

static void watch_link(struct loop_watch *watch, struct loop_watch **list)
{
	watch->next = *list;
	watch->link = list;
	if (watch->next)
		watch->next->link = &watch->next;
	*list = watch;
}

struct loop_watch *loop_watch(struct loop *loop, int fd, unsigned events, loop_fd_fn fn, void *ctx)
{
	struct loop_watch *watch = mem_alloc_zero(1, sizeof(*watch));
	*watch = (struct loop_watch){.loop = loop, .fd = fd, .fn = fn, .ctx = ctx};
	watch_link(watch, &loop->watches);
	loop_watch_events(watch, events);
	return watch;
}

void loop_watch_events(struct loop_watch *watch, unsigned events)
{
	assert(watch->fn);
	if (events == watch->events)
		return;
	int operation = !events ? EPOLL_CTL_DEL : !watch->events ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
	watch_control(watch, operation, events);
	watch->events = events;
}

void loop_unwatch(struct loop_watch *watch)
{
	if (!watch)
		return;
	loop_watch_events(watch, 0);
	watch->fn = NULL;
	*watch->link = watch->next;
	if (watch->next)
		watch->next->link = watch->link;
	if (watch->loop->in_turn)
		watch_link(watch, &watch->loop->removed);
	else
		free(watch);
}

static void watch_dispatch(struct loop_watch *watch, uint32_t ready)
{
	if (!watch->fn || !watch->events) /* removed or silenced earlier in this turn */
		return;
	unsigned events = 0;
	if (ready & (EPOLLHUP | EPOLLERR))
		events = LOOP_READ | LOOP_WRITE;
	if (ready & (EPOLLIN | EPOLLRDHUP))
		events |= LOOP_READ & watch->events;
	if (ready & EPOLLOUT)
		events |= LOOP_WRITE & watch->events;
	if (events)
		watch->fn(watch->ctx, events);
}

/* ---- timers ---- */

static bool fires_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due.ns != b->due.ns ? a->due.ns < b->due.ns : a->order < b->order;
}

static void heap_put(struct loop *loop, size_t slot, struct loop_timer *timer)
{
	loop->heap[slot] = timer;
	timer->slot = slot;
}

/* Finds the place of 'timer', for which 'slot' is free. */
static void heap_settle(struct loop *loop, size_t slot, struct loop_timer *timer)
{
	while (slot > 0 && fires_before(timer, loop->heap[(slot - 1) / 2])) {
		heap_put(loop, slot, loop->heap[(slot - 1) / 2]);
		slot = (slot - 1) / 2;
	}
	for (size_t child; (child = 2 * slot + 1) < loop->armed; slot = child) {
		if (child + 1 < loop->armed && fires_before(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (fires_before(timer, loop->heap[child]))
			break;
		heap_put(loop, slot, loop->heap[child]);
	}
	heap_put(loop, slot, timer);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn fn, void *ctx)
{
	struct loop_timer *timer = mem_alloc_zero(1, sizeof(*timer));
	*timer = (struct loop_timer){.loop = loop, .fn = fn, .ctx = ctx, .slot = NOT_ARMED};
	return timer;
}

void loop_timer_free(struct loop_timer *timer)
{
	if (!timer)
		return;
	loop_timer_disarm(timer);
	free(timer);
}

void loop_timer_arm(struct loop_timer *timer, struct mono_time due)
{
	struct loop *loop = timer->loop;
	timer->due = due.ns > loop->now.ns ? due : loop->now;
	timer->order = loop->armings++;
	if (timer->slot == NOT_ARMED) {
		if (loop->armed == loop->heap_room) {
			loop->heap_room = loop->heap_room ? loop->heap_room * 2 : 16;
			loop->heap = mem_grow(loop->heap, loop->heap_room, sizeof(*loop->heap));
		}
		timer->slot = loop->armed++;
	}
	heap_settle(loop, timer->slot, timer);
}

void loop_timer_disarm(struct loop_timer *timer)
{
	if (timer->slot == NOT_ARMED)
		return;
	struct loop *loop = timer->loop;
	struct loop_timer *last = loop->heap[--loop->armed];
	if (last != timer)
		heap_settle(loop, timer->slot, last);
	timer->slot = NOT_ARMED;
}

bool loop_timer_is_armed(const struct loop_timer *timer)
{
	return timer->slot != NOT_ARMED;
}

static void run_due_timers(struct loop *loop)
{
	/* Bounded by what was armed at the start: a timer that re-arms itself waits for its turn. */
	for (size_t left = loop->armed; left && loop->armed; left--) {
		struct loop_timer *timer = loop->heap[0];
		if (timer->due.ns > loop->now.ns)
			return;
		loop_timer_disarm(timer);
		timer->fn(timer->ctx); /* may free the timer */
	}
}

/* ---- turns ---- */

void loop_add_before_wait(struct loop *loop, loop_before_wait_fn fn, void *ctx)
{
	assert(loop->before_wait_count < BEFORE_WAIT_MAX);
	loop->before_wait[loop->before_wait_count].fn = fn;
	loop->before_wait[loop->before_wait_count++].ctx = ctx;
}

void loop_set_wait_marks(struct loop *loop, loop_fn before, loop_fn after, void *ctx)
{
	loop->mark_before = before;
	loop->mark_after = after;
	loop->mark_ctx = ctx;
}

struct mono_time loop_now(const struct loop *loop)
{
	return loop->now;
}

static int64_t shorter_wait(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* Asks the hooks and the first timer; in ms for epoll_wait, -1: for ever. */
static int wait_ms(struct loop *loop, int64_t max_wait_ms)
{
	int64_t wait = max_wait_ms;
	for (int i = 0; i < loop->before_wait_count; i++)
		wait = shorter_wait(wait, loop->before_wait[i].fn(loop->before_wait[i].ctx));
	if (loop->stopped)
		return 0;
	if (loop->armed) {
		int64_t until_ns = loop->heap[0]->due.ns - clock_mono().ns;
		/* rounded up: waking before the timer is due would only spin */
		wait = shorter_wait(wait, until_ns > 0 ? (until_ns + 999999) / 1000000 : 0);
	}
	return wait > INT_MAX ? INT_MAX : (int)wait;
}

void loop_turn(struct loop *loop, int64_t max_wait_ms)
{
	assert(!loop->in_turn);
	loop->in_turn = true;
	int timeout_ms = wait_ms(loop, max_wait_ms);
	if (loop->mark_before)
		loop->mark_before(loop->mark_ctx);
	int count = epoll_wait(loop->epoll_fd, loop->ready, EVENTS_PER_TURN, timeout_ms);
	assert(count >= 0 || errno == EINTR); /* a process that was stopped goes on, too */
	if (loop->mark_after)
		loop->mark_after(loop->mark_ctx);
	loop->now = clock_mono();
	for (int i = 0; i < count; i++)
		watch_dispatch(loop->ready[i].data.ptr, loop->ready[i].events);
	run_due_timers(loop);
	loop->in_turn = false;
	free_watches(&loop->removed);
}

void loop_run(struct loop *loop)
{
	while (!loop->stopped)
		loop_turn(loop, -1);
	loop->stopped = false;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

void loop_wake(struct loop *loop)
{
	/* The only failure is a counter at its limit: then a wake-up is pending anyway. */
	ssize_t ignored = write(loop->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
	(void)ignored;
}

void loop_set_on_wake(struct loop *loop, loop_fn fn, void *ctx)
{
	loop->on_wake = fn;
	loop->on_wake_ctx = ctx;
}
