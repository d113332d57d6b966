/* A queue that is there twice: in a store, moved by its scripts, and in the model.
 *
 * Each step runs on both; the answers must be the same text. twin_compare holds the whole state
 * and the events of the last step against each other; it must follow each step that tells some.
 * What differs is printed with the steps before it, and fails the test.
 */
#ifndef SUPPORT_TWIN_H
#define SUPPORT_TWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/room.h"
#include "waitingroom/admission.h"

#define TWIN_BATCH_MAX 16

struct twin {
	struct room *room; /* its clock is the clock of both */
	struct admission *model;
	char *log; /* the steps so far, for a failing test */
	size_t log_len, log_room;
};

struct twin *twin_open(struct redis_client *client, const struct queue_settings *settings);
void twin_free(struct twin *twin);
void twin_say(struct twin *twin, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints the last steps and what is wrong, and fails the test. */
void twin_fail(const struct twin *twin, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));
void twin_compare(struct twin *twin); /* the state, and the events since the last time */

void twin_set(struct twin *twin, const struct queue_settings *settings);

void twin_join(struct twin *twin, bool outbox_is_full, const uint64_t seen[],
			   const struct admission_join *people, size_t count,
			   struct admission_joined *ret_joined);
void twin_heartbeat(struct twin *twin, const char *const ids[], size_t count, bool *ret_missing);
void twin_visit(struct twin *twin, enum visit_kind kind, const char *const ids[], size_t count);
void twin_release(struct twin *twin, enum admission_release what, const char *const ids[],
				  size_t count);
void twin_restore(struct twin *twin, const struct admission_token *tokens, size_t count,
				  enum place_state *ret_states);
/* An operator puts a place back. */
void twin_recall(struct twin *twin, const struct admission_token *token,
				 struct admission_recalled *ret_recalled);
void twin_restore_sessions(struct twin *twin, const struct admission_session *tokens, size_t count,
						   enum place_state *ret_states);
void twin_admit(struct twin *twin, uint64_t limit, uint64_t extra,
				struct admission_admitted *ret_admitted);
void twin_reap(struct twin *twin, uint64_t limit, struct admission_reaped *ret_reaped);
void twin_empty(struct twin *twin, uint64_t limit, const uint64_t bound[],
				struct admission_emptied *ret_emptied);

/* The store as a replica has it, kept aside; and that replica taking over. */
void twin_keep_replica(struct twin *twin);
void twin_fail_over(struct twin *twin, struct admission *kept_model); /* takes the model */
/* Everything is lost; a pod that knows the queue and these tickets brings it back. */
void twin_lose_everything(struct twin *twin, const uint64_t tickets[]);

#endif
