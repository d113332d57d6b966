/* A program on a terminal of its own, and what a person would see there.
 *
 *     struct pty *pty = pty_start(24, 80, argv, env);
 *     WAIT_UNTIL(5000, pty_sees(pty, "QUEUE"), "the table");
 *     pty_type(pty, "q");
 *     assert_int_equal(pty_wait(pty, 5000), 0);
 *     pty_free(pty);
 *
 * The picture is kept by a small terminal that knows what full-screen programs of ours send: moving
 * the cursor, clearing, colours, the alternate screen, hiding the cursor. Anything else fails the
 * test.
 */
#ifndef SUPPORT_PTY_H
#define SUPPORT_PTY_H

#include <stdbool.h>
#include <stddef.h>

struct pty;

/* argv[0] is a path; env are "NAME=value" added to ours, both end in NULL. gives; pty_free() */
struct pty *pty_start(int lines, int columns, const char *const argv[], const char *const env[]);
void pty_free(struct pty *pty); /* kills it when it still runs; NULL is fine */

void pty_type(struct pty *pty, const char *keys);
void pty_resize(struct pty *pty, int lines, int columns); /* with SIGWINCH */
void pty_signal(struct pty *pty, int signal);

/* Takes in what has been printed; is the text on a line of the screen? */
bool pty_sees(struct pty *pty, const char *text);
/* A line as it is shown, without spaces at its end; lends until the next call. */
const char *pty_line(struct pty *pty, int number);
/* Bytes printed since the start: to see how much is painted. */
size_t pty_printed(struct pty *pty);
bool pty_is_alternate(struct pty *pty); /* the alternate screen is shown */
bool pty_cursor_is_hidden(struct pty *pty);
bool pty_was_coloured(struct pty *pty);		  /* a colour has ever been set */
bool pty_is_canonical(const struct pty *pty); /* lines and echo, as shells expect it */

/* Exit code, or 128 + signal; fails the test when it does not end in time. */
int pty_wait(struct pty *pty, int deadline_ms);

#endif
