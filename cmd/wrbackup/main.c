/* wrbackup: saves what people have decided and what has happened, and puts it back.
 *
 *     save     settings of queues, admin keys, tenants, audit (store) and all events (JetStream)
 *                 └─► a directory of lines with checksums, which appears whole or not at all
 *     verify   is a backup as it was written?
 *     restore  into servers that have lost everything, or a part; what is there is never overwritten
 *              unless that is asked for, and running it twice is harmless
 *
 * Not saved: places in line, which visitors bring back themselves in their tokens, and the signing
 * keys, which must be kept where other secrets are: without them all tokens are worthless.
 */
#include "options.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "waitingroom/log.h"
#include "waitingroom/version.h"

static bool print_asked(const char *word)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "help") == 0)
		options_print_help(stdout);
	else if (strcmp(word, "--print-man") == 0)
		options_print_man(stdout);
	else if (strcmp(word, "--version") == 0)
		puts("wrbackup " WR_VERSION);
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	struct options options;
	enum backup_command command;
	if (argc > 1 && print_asked(argv[1]))
		return 0;
	log_start("wrbackup", LOG_LEVEL_WARN);
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	struct err_detail detail = {""};
	if (options_parse(argc, argv, &command, &options, &detail) != WR_OK) {
		fprintf(stderr, "wrbackup: %s; see wrbackup --help\n", detail.text);
		return 2;
	}
	switch (command) {
	case BACKUP_SAVE:
		return backup_save(&options);
	case BACKUP_VERIFY:
		return backup_verify(&options);
	case BACKUP_RESTORE:
		return backup_restore(&options);
	}
	return 2;
}
