/* wrctl as a process, for tests: run with a key file and a url, its two outputs apart.
 *
 *     struct ctl ctl = {.url = stack_internal_url(stack, 0)};
 *     RUN run = ctl_run(&ctl, "queue", "list", NULL);
 *     assert_int_equal(run.code, 0);
 */
#ifndef SUPPORT_CTL_H
#define SUPPORT_CTL_H

#include "support/process.h"
#include "support/pty.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

struct ctl {
	const char *url;			  /* WRCTL_URL; NULL: not set */
	const char *key;			  /* in a file of mode 600; NULL: API_ADMIN_KEY; "" none at all */
	const char *input;			  /* standard input; NULL: empty */
	const char *const *variables; /* further "NAME=value"; ends in NULL; NULL: none */
	bool terminal;				  /* on a terminal of 100 columns; all output is in 'out' then */
};

struct ctl_run {
	int code;
	char *out, *err;
	struct json_value *json; /* what 'out' is; NULL: not JSON */
};

#define RUN WR_AUTO(ctl_end) struct ctl_run /* "RUN run = …": freed where it goes out of scope */

/* The same as a process that goes on: its two outputs are its log. Arguments end in NULL; gives. */
struct process *ctl_start(const struct ctl *ctl, ...) __attribute__((sentinel));

/* The same on a terminal of this size. gives; pty_free() */
struct pty *ctl_start_on_pty(const struct ctl *ctl, int lines, int columns, ...)
	__attribute__((sentinel));

/* Arguments end in NULL. Fails the test when it does not end within 20 s. */
struct ctl_run ctl_run(const struct ctl *ctl, ...) __attribute__((sentinel));
void ctl_end(struct ctl_run *run); /* for WR_AUTO */

/* The exit code, and a text in the output and in what was said; NULL: whatever. Shows both when it
 * is not so. */
void ctl_expect(const struct ctl_run *run, int code, const char *out, const char *err);

#endif
