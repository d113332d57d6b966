/* Progress: drawn at most ten times a second, and wiped at the end. */
#include "progress.h"

#include <stdio.h>
#include <string.h>

#define QUIET_MS 500
#define DRAW_MS 100
#define BAR_COLUMNS 30
#define WIPE "\r\033[K"

void progress_begin(struct progress *progress, const struct terminal *terminal, const char *label,
					int64_t total)
{
	*progress = (struct progress){
		.terminal = terminal, .label = label, .total = total, .begun = clock_mono()};
}

void progress_text(int64_t done, int64_t total, bool unicode, size_t columns,
				   char ret_text[PROGRESS_TEXT_BYTES])
{
	const char *full = unicode ? "█" : "#", *empty = unicode ? "░" : ".";
	size_t bar = columns < 20 ? 4 : BAR_COLUMNS, at = 0;
	done = done < 0 ? 0 : done > total ? total : done;
	size_t filled = total > 0 ? (size_t)((__int128)done * bar / total) : 0;
	ret_text[at++] = '[';
	for (size_t i = 0; i < bar; i++) {
		const char *part = i < filled ? full : empty;
		memcpy(ret_text + at, part, strlen(part));
		at += strlen(part);
	}
	snprintf(ret_text + at, PROGRESS_TEXT_BYTES - at, "] %3d%%",
			 total > 0 ? (int)((__int128)done * 100 / total) : 0);
}

void progress_draw(struct progress *progress)
{
	char bar[PROGRESS_TEXT_BYTES];
	struct mono_time now = clock_mono();
	if (!progress->terminal->err || mono_diff_ms(progress->begun, now) < QUIET_MS ||
		(progress->visible && mono_diff_ms(progress->drawn, now) < DRAW_MS))
		return;
	progress->drawn = now;
	progress->visible = true;
	if (progress->total > 0) {
		progress_text(progress->done, progress->total, progress->terminal->unicode,
					  (size_t)progress->terminal->width, bar);
		fprintf(stderr, WIPE "%s %s %lld of %lld", progress->label, bar, (long long)progress->done,
				(long long)progress->total);
	} else {
		fprintf(stderr, WIPE "%s … %lld s", progress->label,
				(long long)(mono_diff_ms(progress->begun, now) / 1000));
	}
	fflush(stderr);
}

void progress_set(struct progress *progress, int64_t done)
{
	progress->done = done;
	progress_draw(progress);
}

void progress_end(struct progress *progress)
{
	if (progress->visible)
		fputs(WIPE, stderr);
	progress->visible = false;
}
