/* Queues file: queues declared beside the deployment (WR_QUEUES_FILE).
 *
 *     {"queues":[{"queue":"default/demo","rate_per_minute":600,"capacity":200,…},…]}
 */
#ifndef WAITINGROOM_API_QUEUES_FILE_H
#define WAITINGROOM_API_QUEUES_FILE_H

#include "waitingroom/config.h"
#include "waitingroom/store.h"

/* Reads and checks the file without a store: for the start, so that a mistake stops it.
 * WR_IO, WR_BAD_CONFIG; detail names the queue and the field. */
WR_MUST_USE enum wr_err queues_file_check(const char *path, struct err_detail *ret_detail);

/* Makes or changes every queue of the file whose declaration was not applied before; so what
 * operators have changed since stays when another pod starts with the same file. Blocking. A queue
 * that the store or a rule refuses is said in the log, and the others are made. WR_STORE_AWAY: not
 * everything could be tried; again later, repeating is harmless. */
WR_MUST_USE enum wr_err queues_file_apply(const struct config *config, struct store *store,
										  struct err_detail *ret_detail);

#endif
