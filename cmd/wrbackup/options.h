/* Options of wrbackup: the command line, taken apart; its help and its manual page. */
#ifndef WRBACKUP_OPTIONS_H
#define WRBACKUP_OPTIONS_H

#include <stdio.h>

#include "backup.h"

enum backup_command { BACKUP_SAVE, BACKUP_VERIFY, BACKUP_RESTORE };

/* Texts lend from argv. Returns NULL, or what is wrong; nothing is filled to rely on then. */
const char *options_parse(int argc, char **argv, enum backup_command *ret_command,
						  struct options *ret_options);
void options_print_help(FILE *file);
void options_print_man(FILE *file); /* mdoc(7) */

#endif
