/* Progress: a bar on a terminal, a line per part otherwise.
 *
 * Threads  one.
 */
#ifndef WRBACKUP_PROGRESS_H
#define WRBACKUP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "waitingroom/clock.h"

struct progress {
	const char *what;
	uint64_t done, total;
	bool is_terminal;
	struct mono_time shown;
};
void progress_begin(struct progress *progress, const char *what, uint64_t total);
void progress_step(struct progress *progress);
void progress_end(struct progress *progress);

#endif
