/* Screen: the whole terminal as lines of text, painted again only where they changed.
 *
 * What     Alternate screen, no echo, no line buffering, no cursor; all of it taken back by screen_close,
 *          and by a handler when the program crashes.
 * Threads  one screen in a program; main thread.
 */
#ifndef WRCTL_SCREEN_H
#define WRCTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "terminal.h"
#include "waitingroom/err.h"

#define SCREEN_LINES_MAX 500

struct frame { /* lines of a picture, with the escape sequences of their colours */
	char **lines;
	size_t count, room;
};
void frame_clear(struct frame *frame);
/* Gives the line to the frame: takes 'text' (heap). */
void frame_add(struct frame *frame, char *text);

/* Standard input and output must be terminals. */
void screen_open(void);
void screen_close(void); /* fine when it is not open */
/* Columns and lines now. */
void screen_size(int *ret_width, int *ret_height);
void screen_show(const struct frame *frame);
/* The next picture is painted whole (the terminal has another size, or somebody else wrote to
 * it). */
void screen_forget(void);

#endif
