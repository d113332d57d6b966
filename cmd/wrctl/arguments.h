/* Arguments: a command line taken apart by the table of commands. */
#ifndef WRCTL_ARGUMENTS_H
#define WRCTL_ARGUMENTS_H

#include "wrctl.h"

#define ARGUMENTS_MAX 64

struct arguments {
	char *list[ARGUMENTS_MAX + 1]; /* ends in NULL */
	int count;
	bool wants_help, wants_version;
	const char *group; /* a first word alone: "queue" */
};

/* fills w->command and w->given, and the arguments. WR_BAD_CONFIG: said in 'ret_detail', and what
 * may have been meant. No words at all: WR_OK without a command. */
WR_MUST_USE enum wr_err arguments_read(struct wrctl *w, int argc, char **argv,
									   struct arguments *ret, struct err_detail *ret_detail);

#endif
