/* A random history of one queue, on a store and on the model, with its promises checked.
 *
 * history.c throws the steps, history_checks.c holds what both agree on against the promises of
 * the design: capacity, rate, order, legal chains of events, one place a key, positions.
 */
#ifndef SUPPORT_HISTORY_H
#define SUPPORT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/twin.h"
#include "waitingroom/position_index.h"

#define HISTORY_LANES 1u	  /* several lanes, else one */
#define HISTORY_FAILOVER 2u	  /* replicas without the last steps take over */
#define HISTORY_TOTAL_LOSS 4u /* everything is lost now and then */

#define HISTORY_PEOPLE 48

/* What a visitor holds and remembers. */
struct history_person {
	char id[POSITION_ID_CHARS + 1];
	char identity[POSITION_ID_CHARS + 1]; /* the id that stands for the person; "" has none */
	bool has_token;
	int lane;
	uint64_t ticket;
	int64_t joined_ms;
	char epoch[EPOCH_CHARS + 1];
	int64_t session_ends_ms; /* of the session token; 0: none */
	char session_epoch[EPOCH_CHARS + 1];
	uint64_t position;	   /* last seen in line; 0: none */
	enum place_state told; /* where their events stand */
};

struct history {
	struct twin *twin;
	unsigned traits;
	uint64_t generation; /* new ids and proofs after it; a key is not used for ever */
	struct history_person people[HISTORY_PEOPLE];
	uint64_t seen[QUEUE_LANES_MAX]; /* highest ticket that the pod knows of */

	/* the replica that may take over, or NULL */
	struct admission *kept_model;
	struct history_person kept_people[HISTORY_PEOPLE];
	int64_t kept_level, kept_level_ms;

	/* a pod's picture */
	struct position_index *index[QUEUE_LANES_MAX];
	char last_departure[48];

	/* a meter of the rate of its own */
	int64_t level, level_ms;
};

struct history *history_new(struct redis_client *client, unsigned traits);
void history_step(struct history *history);
void history_free(struct history *history);
/* Steps of operators (history_recall.c): somebody is put back, everybody is sent away. */
void history_recall(struct history *history);
void history_empty(struct history *history);

/* ---- history_checks.c ---- */

enum history_mark {
	MARK_IMMEDIATE,
	MARK_LINE,
	MARK_RETURNED,
	MARK_OPERATOR,
	MARK_SILENT,
	MARK_GHOST,
	MARK_MISSED,
	MARK_SESSION_EXPIRED,
	MARK_ASIDE,
	MARK_RESTORED_FAILOVER,
	MARK_RESTORED_REBUILT,
	MARK_LOST_CLOSED,
	MARK_POSITIONS,
	MARK_FULL,
	MARK_RATE,
	MARK_REPLAYED,
	MARK_USED,
	MARK_TAKEN_OVER,
	MARK_SECOND_PLACE,
	MARK_SESSION_BACK,
	MARK_MORE,
	MARK_RECALLED,
	MARK_RECALLED_FRONT,
	MARK_RECALLED_IN,
	MARK_EMPTIED,
	MARK_COUNT
};
void history_mark(enum history_mark mark);
void history_assert_covered(void);

/* After every step. from_rate: admissions of this step count against the rate. */
void history_check_events(struct history *history, bool from_rate);
void history_run_meter(struct history *history);
void history_check_order(struct history *history);
void history_check_capacity(struct history *history, int64_t active_before);
void history_check_index(struct history *history);
/* The pod begins anew with the chunks of the store; both pictures must be the same. */
void history_reload_index(struct history *history, bool compare);
int64_t history_active(const struct history *history);
bool history_waits_in_line(const struct admission_place *place);

#endif
