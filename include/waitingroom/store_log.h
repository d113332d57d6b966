/* Store log: the level of the log for all processes, kept in the store for a while.
 *
 * Used by  cmd/api, cmd/admitter.
 * Threads  that of the store's client.
 */
#ifndef WAITINGROOM_STORE_LOG_H
#define WAITINGROOM_STORE_LOG_H

#include "waitingroom/log.h"
#include "waitingroom/store.h"

/* Kept for so many seconds; 0: ended. */
void store_set_log_level(struct store *store, enum log_level level, int64_t seconds,
						 store_raw_fn fn, void *ctx);
/* Looks once and obeys; to be called about every second. */
void store_follow_log_level(struct store *store);

#endif
