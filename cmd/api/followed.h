/* Followed: what the sync thread knows of one queue between two rounds. */
#ifndef WAITINGROOM_API_FOLLOWED_H
#define WAITINGROOM_API_FOLLOWED_H

#include "app.h"

struct followed_lane {
	char name[NAME_MAX_CHARS + 1];
	struct position_index *index;
	uint64_t last_ticket; /* given out, as last heard; the index may not be loaded yet */
	bool is_loaded;		  /* the index has what had left before this pod came */
	struct estimator estimator;
	struct calibration calibration;
};

/* What this pod knew of a life of the queue that another one has followed, until the store is
 * told. */
struct former_life {
	char epochs[LOST_EPOCHS_BYTES]; /* "": there is nothing to tell */
	struct seen_ticket seen[QUEUE_LANES_MAX];
	size_t seen_count;
};

/* Replaced here, but still shown by the picture that workers read. */
struct outgoing {
	struct outgoing *next;
	void *thing;
	void (*free_fn)(void *);
};

struct followed {
	struct queue_name name;
	uint32_t slot;
	bool is_known; /* the store has answered for it at least once */
	char epoch[EPOCH_CHARS + 1], lost_epochs[LOST_EPOCHS_BYTES];
	struct former_life former;
	bool recovering;
	char last_departure[STREAM_ID_BYTES];
	char last_revocation[STREAM_ID_BYTES];
	struct revocations *revocations; /* of all lives: tokens of a lost one still count */
	struct queue_settings *settings;
	size_t lane_count;
	struct followed_lane lanes[QUEUE_LANES_MAX];
	uint64_t admitted_total;	/* as last seen */
	int64_t moved_ms;			/* store time when the line last moved, or had no reason to */
	bool tells_departures;		/* to the store, which may have been exchanged */
	uint64_t store_connections; /* made when the revocations were last asked for from the start */
	struct outgoing *outgoing;
	unsigned calm_rounds; /* in a row that found nobody and nothing new (calm.c) */
	/* How good the predictions are, as last told for the operators' figures (accuracy.c). */
	struct calibration_counts told;
	struct mono_time told_at;
	struct followed *next;
};

struct followed *followed_new(const struct queue_name *name, uint32_t slot);
/* Its picture must have been taken away before: everything that it showed is retired. */
void followed_free(struct followed *followed, struct quiescence *quiescence);

/* The life that this pod knows, as one that is over. */
void followed_former_life(const struct followed *followed, struct former_life *ret_former);
/* Takes in an answer of the store: settings, lanes, departures, last tickets. */
void followed_apply(struct followed *followed, const struct synced *answer);
/* The next answer shall tell all revocations again: the store may have forgotten that it told some,
 * and count anew. */
void followed_ask_revocations(struct followed *followed);
/* Lanes whose index has counted fewer departures than the store, and is to be loaded: bit i for
 * lane i. */
unsigned followed_behind(const struct followed *followed, const struct synced *answer);
/* The picture for the workers; gives. asked: when the store was, which is how old the picture
 * is. */
struct queue_snapshot *followed_snapshot(struct followed *followed, const struct synced *answer,
										 struct mono_time asked);
/* That picture is the one that workers find now: retires what only older ones showed, and what of
 * the indexes nobody needs any more. */
void followed_shown(struct followed *followed, struct quiescence *quiescence);

#endif
