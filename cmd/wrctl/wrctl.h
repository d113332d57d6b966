/* wrctl: what every command works with, and how a command ends.
 *
 * What     A command is a row of the table in commands.c and a function: it looks at its arguments and
 *          options, asks the admin API, prints, and returns an exit code.
 * Used by  every file of cmd/wrctl.
 * Threads  main thread only.
 */
#ifndef WRCTL_H
#define WRCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "context.h"
#include "terminal.h"
#include "waitingroom/err.h"
#include "waitingroom/json_in.h"

/* name, number, what it means */
#define WRCTL_EXIT_TABLE(X)                                                                        \
	X(WRCTL_DONE, 0, "Done.")                                                                      \
	X(WRCTL_REFUSED, 1, "The API refused, or something was left undone.")                          \
	X(WRCTL_USAGE, 2, "The command line or the contexts file is wrong.")                           \
	X(WRCTL_UNREACHABLE, 3, "No server could be reached.")                                         \
	X(WRCTL_NOT_ALLOWED, 4, "No key, a wrong key, or one with too small a role.")                  \
	X(WRCTL_CONFLICT, 5, "Somebody else changed it first, or it must be confirmed.")               \
	X(WRCTL_NOT_FOUND, 6, "There is no such thing.")
#define WRCTL_EXIT_ENUM(name, number, text) name = number,
enum wrctl_exit { WRCTL_EXIT_TABLE(WRCTL_EXIT_ENUM) };
#undef WRCTL_EXIT_ENUM

struct client;
struct command;

#define GIVEN_MAX 32
struct given_option {
	const char *name, *value; /* value "" of an option that takes none */
};

struct wrctl {
	const struct command *command;
	struct given_option given[GIVEN_MAX];
	size_t given_count;
	struct context context; /* only of commands that ask a server */
	struct client *client;	/* the same */
	bool json;				/* --output json */
	struct terminal terminal;
};

/* ---- what was given ---- */

bool wrctl_flag(const struct wrctl *w, const char *name);
/* Value of an option, the last one given; NULL: not given. Lends. */
const char *wrctl_option(const struct wrctl *w, const char *name);
/* A whole number; 'ret' stays as it is when the option is not given. false: said on standard
 * error. */
bool wrctl_number(const struct wrctl *w, const char *name, int64_t low, int64_t high, int64_t *ret);

/* ---- saying ---- */

/* "wrctl: …" on standard error, with a newline. */
void wrctl_say(const char *format, ...) WR_PRINTF(1, 2);
/* The same, and "Try wrctl … --help"; returns WRCTL_USAGE. */
int wrctl_misuse(const struct wrctl *w, const char *format, ...) WR_PRINTF(2, 3);

/* Asks on the terminal whether to go on: the answer must be 'word' ("yes", or a queue's name).
 * --yes answers it. Without a terminal and without --yes it is refused, and that is said. */
bool wrctl_confirm(const struct wrctl *w, const char *word, const char *format, ...)
	WR_PRINTF(3, 4);

#endif
