/* Captcha: between a worker and the thread that asks the providers.
 *
 *     join_checks ─► captcha_park ─► (captcha's thread) ─► on_verdict ─► 'done' ─► loop_wake
 *                                                                                    │
 *     enqueue_resume ◄── captcha_desk_collect ◄── the worker's next turn ◄───────────┘
 *
 * The worker never waits: it goes on with other requests, and the parked one costs it a small
 * ticket. 'done' is the one thing that both threads touch, under a lock held for a few
 * instructions.
 */
#include "captcha.h"

#include <pthread.h>
#include <stdlib.h>

#include "waitingroom/captcha.h"
#include "waitingroom/memory.h"

struct ticket {
	struct captcha_desk *desk;
	struct http_request *request;
	enum captcha_verdict verdict;
	struct ticket *next;
};

struct captcha_desk {
	struct worker *worker;
	pthread_mutex_t lock;
	struct ticket *done;
};

struct captcha_desk *captcha_desk_new(struct worker *worker)
{
	struct captcha_desk *desk = mem_alloc_zero(1, sizeof(*desk));
	desk->worker = worker;
	pthread_mutex_init(&desk->lock, NULL);
	return desk;
}

static struct ticket *take_done(struct captcha_desk *desk)
{
	pthread_mutex_lock(&desk->lock);
	struct ticket *done = WR_TAKE(desk->done);
	pthread_mutex_unlock(&desk->lock);
	return done;
}

void captcha_desk_free(struct captcha_desk *desk)
{
	for (struct ticket *ticket = take_done(desk), *next; ticket != NULL; ticket = next) {
		next = ticket->next;
		worker_problem(desk->worker, ticket->request, WR_DRAINING, NULL);
		free(ticket);
	}
	pthread_mutex_destroy(&desk->lock);
	free(desk);
}

void captcha_desk_collect(struct captcha_desk *desk)
{
	for (struct ticket *ticket = take_done(desk), *next; ticket != NULL; ticket = next) {
		next = ticket->next;
		enqueue_resume(desk->worker, ticket->request, ticket->verdict);
		free(ticket);
	}
}

/* In the captcha's thread. */
static void on_verdict(void *ctx, enum captcha_verdict verdict)
{
	struct ticket *ticket = ctx;
	struct captcha_desk *desk = ticket->desk;
	ticket->verdict = verdict;
	pthread_mutex_lock(&desk->lock);
	ticket->next = desk->done;
	desk->done = ticket;
	pthread_mutex_unlock(&desk->lock);
	loop_wake(desk->worker->loop);
}

static bool provider_of(enum queue_challenge kind, enum captcha_provider *ret_provider)
{
	switch (kind) {
	case QUEUE_CHALLENGE_TURNSTILE:
		*ret_provider = CAPTCHA_TURNSTILE;
		return true;
	case QUEUE_CHALLENGE_HCAPTCHA:
		*ret_provider = CAPTCHA_HCAPTCHA;
		return true;
	case QUEUE_CHALLENGE_FRIENDLY:
		*ret_provider = CAPTCHA_FRIENDLY;
		return true;
	default:
		return false;
	}
}

bool captcha_is_there(const struct worker *worker, enum queue_challenge kind)
{
	enum captcha_provider provider;
	return provider_of(kind, &provider) && captcha_is_up(worker->app->captcha, provider);
}

bool captcha_park(struct worker *worker, struct http_request *request, const struct join_wish *wish,
				  const struct queue_snapshot *snapshot)
{
	const struct queue_settings *settings = snapshot->settings;
	struct parked *notes = http_request_notes(request);
	struct captcha_question question = {.secret = settings->captcha_secret,
										.site_key = settings->captcha_site_key,
										.response = wish->captcha,
										.challenge = wish->challenge};
	if (!provider_of(settings->challenge, &question.provider))
		return false;
	char traceparent[TRACEPARENT_CHARS + 1];
	if (http_request_trace(request) != NULL) {
		traceparent_print(&http_request_trace(request)->context, traceparent);
		question.traceparent = traceparent;
	}
	struct ticket *ticket = mem_alloc_zero(1, sizeof(*ticket));
	ticket->desk = worker->captcha_desk;
	ticket->request = request;
	if (!captcha_ask(worker->app->captcha, &question, on_verdict, ticket)) {
		free(ticket);
		return false;
	}
	notes->is_parked = true;
	http_request_park(request);
	return true;
}
