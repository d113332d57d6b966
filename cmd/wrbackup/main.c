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
#include "backup.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "waitingroom/log.h"
#include "waitingroom/version.h"

static const char help[] =
	"wrbackup " WR_VERSION ": backup and restore of a waiting room\n"
	"\n"
	"  wrbackup save --to FOLDER [--keep N] [--metrics FILE] [--only store|events]\n"
	"  wrbackup verify FOLDER\n"
	"  wrbackup restore --from FOLDER [--keep | --replace] [--dry-run] [--only store|events]\n"
	"\n"
	"save      makes FOLDER/waitingroom-<time>/, readable by its owner only: it holds secrets.\n"
	"            --keep N        leaves the newest N backups in FOLDER and removes older ones\n"
	"            --metrics FILE  writes when it succeeded, for node_exporter's textfile collector\n"
	"verify    reads everything and holds it against its checksums. FOLDER is a backup, or a "
	"folder\n"
	"          of backups: then the newest.\n"
	"restore   puts back what is missing. When something is there with another value, nothing is "
	"done,\n"
	"          unless with\n"
	"            --keep          what is there stays as it is\n"
	"            --replace       the backup's value is taken\n"
	"            --dry-run       only says what would be done\n"
	"--only    one half: the store (settings, keys, tenants, audit) or the events of JetStream.\n"
	"\n"
	"The servers are those of WR_STORE_URL and WR_NATS_URL (also file:/path, as for all programs), "
	"and\n"
	"a stream that is missing is made as WR_STREAM_* say. The signing keys (WR_TOKEN_KEYS_FILE) "
	"are not in\n"
	"a backup: keep them where you keep secrets.\n"
	"\n"
	"Exit codes: 0 done; 1 refused or failed; 2 wrong use; 3 a server cannot be reached; 4 the "
	"backup is\n"
	"not whole.\n";

static int wrong_use(const char *why)
{
	fprintf(stderr, "wrbackup: %s; see wrbackup --help\n", why);
	return 2;
}

static bool parse_only(const char *text, struct options *options)
{
	options->store = strcmp(text, "store") == 0;
	options->events = strcmp(text, "events") == 0;
	return options->store || options->events;
}

static bool parse_keep(const char *text, struct options *options)
{
	uint64_t keep;
	if (!text_to_u64(text, strlen(text), 100000, &keep) || !keep)
		return false;
	options->keep = (int)keep;
	return true;
}

/* NULL: fine; otherwise what is wrong. */
static const char *parse(int argc, char **argv, bool is_save, struct options *options)
{
	const struct option save[] = {{"to", required_argument, NULL, 'f'},
								  {"keep", required_argument, NULL, 'n'},
								  {"metrics", required_argument, NULL, 'm'},
								  {"only", required_argument, NULL, 'o'},
								  {NULL, 0, NULL, 0}};
	const struct option restore[] = {
		{"from", required_argument, NULL, 'f'}, {"keep", no_argument, NULL, 'k'},
		{"replace", no_argument, NULL, 'r'},	{"dry-run", no_argument, NULL, 'd'},
		{"only", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
	opterr = 0;
	for (int found; (found = getopt_long(argc, argv, "", is_save ? save : restore, NULL)) != -1;) {
		if (found == 'f')
			options->folder = optarg;
		else if (found == 'm')
			options->metrics_file = optarg;
		else if (found == 'd')
			options->dry_run = true;
		else if ((found == 'k' || found == 'r') && options->mode != RESTORE_CAREFULLY)
			return "--keep and --replace exclude each other";
		else if (found == 'k' || found == 'r')
			options->mode = found == 'k' ? RESTORE_KEEP : RESTORE_REPLACE;
		else if (found == 'n' && !parse_keep(optarg, options))
			return "--keep takes a number from 1";
		else if (found == 'o' && !parse_only(optarg, options))
			return "--only takes store or events";
		else if (found == '?')
			return "an option is not known, or lacks its value";
	}
	if (optind < argc)
		return "an argument is not known";
	return options->folder ? NULL : is_save ? "--to is missing" : "--from is missing";
}

int main(int argc, char **argv)
{
	struct options options = {.store = true, .events = true};
	const char *command = argc > 1 ? argv[1] : "";
	if (strcmp(command, "--help") == 0 || strcmp(command, "help") == 0) {
		fputs(help, stdout);
		return 0;
	}
	if (strcmp(command, "--version") == 0) {
		puts("wrbackup " WR_VERSION);
		return 0;
	}
	log_start("wrbackup", LOG_LEVEL_WARN);
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(command, "verify") == 0) {
		options.folder = argc == 3 ? argv[2] : NULL;
		return options.folder ? backup_verify(&options) : wrong_use("verify takes a folder");
	}
	bool is_save = strcmp(command, "save") == 0;
	if (!is_save && strcmp(command, "restore") != 0)
		return wrong_use(argc > 1 ? "the command is not known" : "a command is missing");
	const char *wrong = parse(argc - 1, argv + 1, is_save, &options);
	if (wrong)
		return wrong_use(wrong);
	return is_save ? backup_save(&options) : backup_restore(&options);
}
