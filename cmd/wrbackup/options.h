/* Options of wrbackup: the command line, taken apart; its help and its manual page. */
#ifndef WRBACKUP_OPTIONS_H
#define WRBACKUP_OPTIONS_H

#include <stdio.h>

#include "backup.h"

enum backup_command { BACKUP_SAVE, BACKUP_VERIFY, BACKUP_RESTORE };

/* Texts lend from argv.
 *
 * WR_BAD_CONFIG  ret_detail names the option and what it takes; nothing else is filled.
 */
WR_MUST_USE enum wr_err options_parse(int argc, char **argv, enum backup_command *ret_command,
									  struct options *ret_options, struct err_detail *ret_detail);
void options_print_help(FILE *file);
void options_print_man(FILE *file); /* mdoc(7) */

#endif
