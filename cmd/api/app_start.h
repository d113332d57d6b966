/* Starting and stopping all threads of the API server. */
#ifndef WAITINGROOM_API_APP_START_H
#define WAITINGROOM_API_APP_START_H

#include "app.h"

/* gives; settings from the environment. The reason of a refusal is a sentence for the operator. */
WR_MUST_USE enum wr_err app_start(struct app **ret_app, struct err_detail *ret_detail);
void app_reload(struct app *app); /* SIGHUP */
bool app_workers_ended(const struct app *app);
/* Stops what still runs, frees everything. relay_ms: time for the relay to publish the rest. */
void app_stop(struct app *app, int64_t relay_ms);

#endif
