/* Event loop: one epoll set, descriptors with callbacks, timers, a wake-up from other threads.
 *
 * What     Everything that waits in this project waits here: HTTP workers, store connections, the
 *          simulated crowd. A callback may add, change or remove any watch or timer, its own too.
 * Used by  lib/http, lib/store, cmd/.
 * Threads  one thread owns a loop; only loop_wake() may be called from others.
 */
#ifndef WAITINGROOM_LOOP_H
#define WAITINGROOM_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "waitingroom/clock.h"
#include "waitingroom/err.h"

struct loop;
struct loop_watch; /* one descriptor */
struct loop_timer; /* one due time; lives in a heap, setting and moving is O(log n) */

enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2 };

typedef void (*loop_fd_fn)(void *ctx, unsigned events); /* hang-up and error arrive as READ|WRITE */
typedef void (*loop_fn)(void *ctx);

struct loop *loop_new(void); /* gives; aborts when epoll or eventfd cannot be made */
void loop_free(struct loop *loop);

/* Watches 'fd' (kept open by the caller until loop_unwatch). gives a watch owned by the loop. */
struct loop_watch *loop_watch(struct loop *loop, int fd, unsigned events, loop_fd_fn fn, void *ctx);
void loop_watch_events(struct loop_watch *watch, unsigned events); /* change what is waited for */
void loop_unwatch(struct loop_watch *watch);					   /* NULL is fine */

/* A timer is made once, then armed and disarmed at will. Fires once per arming. */
struct loop_timer *loop_timer_new(struct loop *loop, loop_fn fn, void *ctx);
void loop_timer_free(struct loop_timer *timer); /* NULL is fine */
void loop_timer_arm(struct loop_timer *timer, struct mono_time due);
void loop_timer_disarm(struct loop_timer *timer);
bool loop_timer_is_armed(const struct loop_timer *timer);

/* Called before each wait, after all callbacks of a turn: the place where a worker flushes what
 * the turn has gathered. 'before_wait' returns the longest time to wait in ms (-1: no opinion,
 * 0: do not wait). At most 8 hooks; they are called in the order of adding. */
typedef int64_t (*loop_before_wait_fn)(void *ctx);
void loop_add_before_wait(struct loop *loop, loop_before_wait_fn fn, void *ctx);

/* Called just before and just after the wait itself (quiescence marks). May be NULL. */
void loop_set_wait_marks(struct loop *loop, loop_fn before, loop_fn after, void *ctx);

/* The time read at the start of this turn. */
struct mono_time loop_now(const struct loop *loop);

/* One turn: wait at most 'max_wait_ms' (-1: until something happens), run what is due. */
void loop_turn(struct loop *loop, int64_t max_wait_ms);
void loop_run(struct loop *loop);  /* turns until loop_stop */
void loop_stop(struct loop *loop); /* from a callback */
/* From any thread: ends the wait; 'on_wake' (set below, may be NULL) runs in the loop's thread. */
void loop_wake(struct loop *loop);
void loop_set_on_wake(struct loop *loop, loop_fn fn, void *ctx);

#endif
