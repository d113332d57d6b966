/* Worker: one thread that serves visitors, sharing nothing it writes with any other.
 *
 * It owns a loop, an HTTP server with its own SO_REUSEPORT socket, a store connection, the signing
 * contexts, and the gathered work of this turn.
 */
#ifndef WAITINGROOM_API_WORKER_H
#define WAITINGROOM_API_WORKER_H

#include <pthread.h>

#include "app.h"
#include "waitingroom/http.h"
#include "waitingroom/pacing.h"

struct gather;
struct verdicts;
struct captcha_desk;
struct join_rate;

#define WORKER_PATIENCE_MS 1000
enum worker_port { PORT_CLOSED, PORT_OPEN, PORT_FAILED };

struct worker {
	struct app *app;
	size_t number;
	pthread_t thread;
	struct loop *loop;
	struct http_server *http;
	struct chain *chain;
	struct access_log *access_log; /* NULL: off */
	struct store *store;
	struct signer *signer;
	struct gather *gather;
	struct verdicts *verdicts;
	struct join_rate *join_rate; /* of challenges given out, by network and by queue */
	struct captcha_desk *captcha_desk;
	struct metrics_shard *shard;
	struct loop_timer *flush_timer, *mark_timer, *drain_timer, *listen_timer;
	int reader;					   /* in app->quiescence */
	struct wall_time wall;		   /* of this turn */
	uint64_t jitter;			   /* state of jitter_next */
	atomic_bool drain, stop;	   /* set by main, seen at the next wake */
	_Atomic enum worker_port port; /* set by the thread; main waits for it */
	atomic_bool ended;			   /* the thread has left its loop */
	bool is_draining;
	_Atomic int64_t turn_ms; /* monotonic ms at the start of the last turn: is it alive? */
	/* Longest turns of this half minute and of the last one: any number of scrapers may look. */
	_Atomic int64_t longest_turn_us[2];
	int64_t half_minute;
	struct mono_time turn_began, started;
};

/* gives. Has its address, but its port is closed until the thread has what it needs to answer: the
 * first picture of the queues and the store, or WORKER_PATIENCE_MS without them. */
WR_MUST_USE enum wr_err worker_new(struct app *app, size_t number, struct worker **ret_worker,
								   struct err_detail *ret_detail);
void worker_start(struct worker *worker);
/* Any thread: stop accepting, finish, flush; the thread ends when nothing is left. */
void worker_drain(struct worker *worker);
/* Any thread: end now, whatever is open. */
void worker_stop(struct worker *worker);
void worker_join(struct worker *worker); /* waits for the thread and frees */

/* ---- for the endpoints ---- */
static inline uint32_t worker_random(struct worker *worker)
{
	return jitter_next(&worker->jitter);
}
/* An error as problem+json with a jittered Retry-After where a retry makes sense. */
void worker_problem(struct worker *worker, struct http_request *request, enum wr_err err,
					const struct err_detail *detail);

#endif
