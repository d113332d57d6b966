/* What the steps of the model share: lib/core/admission.c. */
#ifndef CORE_ADMISSION_STATE_H
#define CORE_ADMISSION_STATE_H

#include "waitingroom/admission.h"

#define UNITS_PER_PERSON 60000

void admission_begin(struct admission *admission); /* forgets the events of the step before */
void admission_tell(struct admission *admission, enum admission_event_type type, size_t place,
					int64_t number, const char *how);

/* Index of the place with this id, or -1 when nothing is known of it. */
ptrdiff_t admission_index(const struct admission *admission, const char *id);
size_t admission_add(struct admission *admission, const struct admission_place *place);
void admission_append(struct admission_lane *lane, size_t place);

bool admission_is_gone(const struct admission_lane *lane, uint64_t ticket);
void admission_depart(struct admission_lane *lane, uint64_t ticket);

/* The one function that moves a place from one state to another. */
void admission_move(struct admission_place *place, enum place_state to);

int64_t admission_bucket(const struct admission *admission, int64_t now_ms);
void admission_keep_bucket(struct admission *admission, int64_t now_ms, int64_t units);
int64_t admission_patience(struct admission *admission, int64_t now_ms, const char *life,
						   int64_t gap_ms);
int64_t admission_free_slots(const struct admission *admission);
void admission_raise(struct admission *admission, int64_t now_ms, size_t lane, uint64_t seen);

/* Places for which 'has' is true, by 'score' and then by id, as a sorted set gives them. */
typedef bool (*admission_has_fn)(const struct admission_place *place);
typedef int64_t (*admission_score_fn)(const struct admission_place *place);
size_t *admission_sorted(const struct admission *admission, admission_has_fn has,
						 admission_score_fn score, size_t *ret_count); /* gives */
int64_t admission_by_ticket(const struct admission_place *place);

#endif
