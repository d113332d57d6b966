/* Help: made from the table of commands. */
#ifndef WRCTL_HELP_H
#define WRCTL_HELP_H

#include <stdio.h>

struct command;

/* Of one command; of a group ("queue"); with both NULL of all. */
void help_print(FILE *file, const struct command *command, const char *group);
/* The manual page, mdoc(7). */
void help_print_man(FILE *file);

#endif
