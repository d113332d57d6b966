/* Place: what a visitor is told about where they stand. */
#ifndef WAITINGROOM_API_PLACE_H
#define WAITINGROOM_API_PLACE_H

#include "gather.h"

/* How the place of these claims can be answered from the local picture. */
enum place_source {
	PLACE_FROM_INDEX, /* in line: position known */
	PLACE_FROM_STORE, /* has left the line, or is too new: the store knows */
	PLACE_REFUSED,	  /* no such queue, or the place has moved: the error says it */
};
struct place_look {
	const struct queue_snapshot *snapshot; /* lent until the turn ends */
	int lane;
	uint64_t position;
	int64_t as_of_ms; /* of the position: the picture's, or when the store told it */
	bool stale;		  /* place_picture_is_stale */
};
enum place_source place_find(struct worker *worker, const struct position_claims *claims,
							 struct place_look *ret_look, enum wr_err *ret_err);

/* The store has told the position, which is newer than the picture here. */
void place_take_position(struct place_look *look, uint64_t position, int64_t now_ms);

/* Older than WR_STALE_AFTER_MS, or than the queue's polls are apart. */
bool place_picture_is_stale(const struct worker *worker, const struct queue_snapshot *snapshot);
/* The store's time now, as far as this pod can tell. */
int64_t place_store_now_ms(const struct worker *worker, const struct queue_snapshot *snapshot);

/* The place object of somebody in line, from the notes of the request; 'position' 0: not known
 * (null). Has a token, and sets the cookie, for a join and when the token is of a lost life. */
void place_answer_in_line(struct worker *worker, struct http_request *request,
						  const struct place_look *look);

/* The place is gone; for one that had been lost before that is no news: there is none. */
void place_answer_over(struct worker *worker, struct http_request *request, enum wr_err err,
					   const struct err_detail *detail);

/* Whoever has the claims in the notes is there: a heartbeat, and an answer from the picture. NULL:
 * it has been answered; otherwise only the store knows, and place_ask asks it. Lends until the turn
 * ends. */
const struct queue_snapshot *place_beat(struct worker *worker, struct http_request *request);
void place_ask(struct worker *worker, struct http_request *request,
			   const struct queue_snapshot *snapshot, enum gather_kind kind);

/* Has the session of this place ended, although the store says otherwise? It may have forgotten,
 * the pods have not. Asked only where it can have: a place that it does not know, or soon after it
 * restarted (when support puts a place back, a pod may hear that a moment after its visitor is let
 * in). */
bool place_has_ended(const struct worker *worker, const struct position_claims *claims,
					 enum place_state state);

/* What the store says of a parked request's place as of 'now_ms'; err: the call failed, 'visit' is
 * NULL. */
void place_answer_visit(struct worker *worker, struct http_request *request, enum wr_err err,
						int64_t now_ms, const struct visit *visit);
/* The same after an attempt to put a lost place back. */
void place_answer_restored(struct worker *worker, struct http_request *request, enum wr_err err,
						   enum place_state state);

#endif
