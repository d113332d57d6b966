/* History: every request and its answer, one JSON object a line.
 *
 * Used by  visitor.
 * Threads  the loop's.
 */
#ifndef WRLOAD_HISTORY_H
#define WRLOAD_HISTORY_H

#include <stdint.h>
#include <stdio.h>

#include "checker.h"
#include "waitingroom/clock.h"

/* Times are CLOCK_MONOTONIC. What the answer did not say is null. Tokens are not written. */
void history_write(FILE *file, uint64_t client, const char *key, struct mono_time intended,
				   struct mono_time called, struct mono_time returned,
				   const struct observation *seen);

#endif
