/* Internal port of the admitter: health and metrics, on a thread of its own. */
#ifndef WAITINGROOM_ADMITTER_HEALTH_H
#define WAITINGROOM_ADMITTER_HEALTH_H

#include "admitter.h"
#include "waitingroom/events.h"

struct health;
/* gives; starts a thread. 'relay' may be NULL. */
WR_MUST_USE enum wr_err health_start(const struct config *config, struct admitter *admitter,
									 struct relay *relay, struct health **ret_health,
									 struct err_detail *ret_detail);
const char *health_address(const struct health *health);
void health_stop(struct health *health);

#endif
