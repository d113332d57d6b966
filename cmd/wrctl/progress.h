/* Progress: a bar, or the time that has passed, on standard error while something takes long.
 *
 * What     Appears after half a second, only on a terminal, and leaves no trace.
 * Threads  one.
 */
#ifndef WRCTL_PROGRESS_H
#define WRCTL_PROGRESS_H

#include <stdint.h>

#include "terminal.h"
#include "waitingroom/clock.h"

struct progress {
	const struct terminal *terminal;
	const char *label;
	int64_t done, total; /* total 0: not known, the time is shown */
	struct mono_time begun, drawn;
	bool visible;
};

/* label, terminal  borrowed until the end */
void progress_begin(struct progress *progress, const struct terminal *terminal, const char *label,
					int64_t total);
void progress_set(struct progress *progress, int64_t done);
void progress_draw(struct progress *progress); /* again, when the time is due */
void progress_end(struct progress *progress);

/* The bar alone, without the terminal's control: "[#####.....]  50%" in at most 'columns'. */
#define PROGRESS_TEXT_BYTES 512
void progress_text(int64_t done, int64_t total, bool unicode, size_t columns,
				   char ret_text[PROGRESS_TEXT_BYTES]);

#endif
