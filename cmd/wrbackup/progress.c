/* Progress: on standard error, so that what a command answers stays clean. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR 30
#define EVERY_MS 100

static void show(struct progress *progress)
{
	uint64_t total = progress->total > progress->done ? progress->total : progress->done;
	int filled = total ? (int)(BAR * progress->done / total) : BAR;
	char bar[BAR + 1];
	memset(bar, ' ', BAR);
	memset(bar, '#', (size_t)filled);
	bar[BAR] = '\0';
	fprintf(stderr, "\r%-16s [%s] %" PRIu64 "/%" PRIu64, progress->what, bar, progress->done,
			total);
	fflush(stderr);
}

void progress_begin(struct progress *progress, const char *what, uint64_t total)
{
	*progress = (struct progress){.what = what, .total = total};
	progress->is_terminal = isatty(STDERR_FILENO) == 1;
	progress->shown = clock_mono();
}

void progress_step(struct progress *progress)
{
	progress->done++;
	if (!progress->is_terminal || progress->done % 64)
		return;
	struct mono_time now = clock_mono();
	if (mono_diff_ms(progress->shown, now) < EVERY_MS)
		return;
	progress->shown = now;
	show(progress);
}

void progress_end(struct progress *progress)
{
	if (progress->is_terminal) {
		progress->total = progress->done; /* it was a guess where not all is there */
		show(progress);
		fputc('\n', stderr);
	} else {
		fprintf(stderr, "%s: %" PRIu64 "\n", progress->what, progress->done);
	}
}
