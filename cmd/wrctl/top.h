/* Top: what wrctl top shows, and how it is drawn.
 *
 *     top.c         the command: keys, signals, the rhythm
 *     top_fetch.c   a thread that asks the API, so that no key waits for an answer
 *     top_facts.c   answers to facts; rates from one answer to the next
 *     top_draw.c    facts to lines of text: pure; top_line.c, one line
 *     screen.c      lines to the terminal, only those that changed
 */
#ifndef WRCTL_TOP_H
#define WRCTL_TOP_H

#include <pthread.h>

#include "screen.h"
#include "waitingroom/clock.h"
#include "waitingroom/health.h"
#include "waitingroom/json_in.h"
#include "waitingroom/pods.h"
#include "wrctl.h"

#define TOP_QUEUES_MAX 2000
#define TOP_TEXT_BYTES 320

struct top_queue {
	char name[QUEUE_NAME_TEXT_BYTES];
	char state[16];
	bool recovering;
	int64_t waiting, active, capacity, rate_limit, oldest_ms;
	int64_t estimate_s;		 /* negative: not known */
	double rate;			 /* people let in per minute, measured; negative: not known yet */
	int64_t admitted, at_ms; /* of the answer that the rate was last measured from */
};

struct top_pod {
	struct pod_row row;
	char state[16];
	int64_t age_ms;
};

struct top_facts {
	struct top_queue *queues; /* by people waiting */
	size_t queue_count;
	struct top_pod *pods; /* as the API lists them; none: this key may not see them */
	size_t pod_count;
	char url[128]; /* that answered */
	enum health_status
		health; /* the worst that was found, and what it is; "": nothing, or not asked */
	char finding[TOP_TEXT_BYTES];
	size_t findings;			  /* that are not ok */
	char trouble[TOP_TEXT_BYTES]; /* the last answer did not come: why; "": it did */
	struct wall_time answered;	  /* the last answer that came; 0: never */
};
void top_facts_clear(struct top_facts *facts);
/* A copy that owns what it has; fills. */
void top_facts_copy(const struct top_facts *facts, struct top_facts *ret);

/* ---- top_facts.c, pure ---- */
/* The answer of GET /admin/v1/queues; the facts before it give the rates. */
void top_take_queues(struct top_facts *facts, const struct json_value *answer);
void top_take_pods(struct top_facts *facts, const struct json_value *answer);
void top_take_health(struct top_facts *facts, const struct json_value *answer);

/* ---- top_draw.c, pure ---- */
struct top_view {
	int width, height; /* height 0: as many lines as it takes */
	bool colour, unicode;
	bool only_pods; /* the list of processes in place of queues */
	size_t scroll;	/* lines of the list above the first that is shown; corrected by top_draw */
	struct wall_time now;
	const char *context;
	int64_t every_ms;
	bool keys; /* somebody can press keys: say which */
};
void top_draw(const struct top_facts *facts, struct top_view *view, struct frame *ret_frame);

/* ---- top_fetch.c ---- */
struct top_fetch;
/* gives; starts the thread. Borrows w and its client, which nobody else uses meanwhile. wake_fd is
 * written to when there is something new. */
struct top_fetch *top_fetch_start(struct wrctl *w, int64_t every_ms, int wake_fd);
/* fills a copy of what is known; end it with top_facts_clear. */
void top_fetch_look(struct top_fetch *fetch, struct top_facts *ret);
/* true: nothing is under way and the thread has ended; false: it waits for an answer and goes
 * on. */
bool top_fetch_stop(struct top_fetch *fetch);
/* One round, without a thread. */
void top_fetch_once(struct wrctl *w, struct top_facts *facts, bool with_health);

#endif
