/* Options of wrbackup: two tables, of commands and of their options, make the parser, the help and
 * the manual page.
 */
#include "options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/mdoc.h"
#include "waitingroom/text.h"
#include "waitingroom/version.h"

enum which { TO, FROM, KEEP_NEWEST, METRICS, KEEP, REPLACE, DRY_RUN, ONLY };

struct option_row {
	enum which which;
	const char *name, *command; /* command NULL: of both that take options */
	const char *word;			/* NULL: takes no value */
	bool required;
	const char *sentence;
};

static const struct option_row rows[] = {
	{TO, "to", "save", "FOLDER", true,
	 "Makes FOLDER/waitingroom-<time>/, readable by its owner only: it holds secrets."},
	{KEEP_NEWEST, "keep", "save", "N", false,
	 "Leaves the newest N backups in FOLDER and removes older ones."},
	{METRICS, "metrics", "save", "FILE", false,
	 "Writes when it succeeded, for node_exporter's textfile collector."},
	{FROM, "from", "restore", "FOLDER", true, "A backup, or a folder of backups: then the newest."},
	{KEEP, "keep", "restore", NULL, false, "What is there stays as it is."},
	{REPLACE, "replace", "restore", NULL, false, "What is there gets the backup's value."},
	{DRY_RUN, "dry-run", "restore", NULL, false, "Only says what would be done."},
	{ONLY, "only", NULL, "HALF", false,
	 "store (settings, keys, tenants, audit) or events (of JetStream)."},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static const struct command_row {
	enum backup_command command;
	const char *name, *arguments, *sentence;
} commands[] = {
	{BACKUP_SAVE, "save", "",
	 "Saves both halves into a folder, which appears whole or not at all."},
	{BACKUP_VERIFY, "verify", "FOLDER",
	 "Reads everything and holds it against its checksums. FOLDER is a backup, or a folder of "
	 "backups: then the newest."},
	{BACKUP_RESTORE, "restore", "",
	 "Puts back what is missing. When something is there with another value, nothing is done, "
	 "unless --keep or --replace says what to do with it."},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

#define KEEP_MAX 100000

#define SUMMARY "backup and restore of a waiting room"

static const char *const paragraphs[] = {
	"Saved are settings, admin keys, tenants, the audit, also of queues that were deleted, and all "
	"events. Not saved are places in line, which visitors bring back themselves in their tokens, "
	"the signing keys (WR_TOKEN_KEYS_FILE), which must be kept where other secrets are, and the "
	"durable consumers of JetStream's streams: whoever reads the events makes theirs again, and "
	"knows by an event's id what it has read before.",
	"The servers are those of WR_STORE_URL and WR_NATS_URL (also file:/path, as for all programs), "
	"and a stream that is missing is made as WR_STREAM_* say.",
};

/* number, meaning */
#define EXIT_TABLE(X)                                                                              \
	X("0", "Done.")                                                                                \
	X("1", "Refused or failed.")                                                                   \
	X("2", "Wrong use.")                                                                           \
	X("3", "A server cannot be reached.")                                                          \
	X("4", "The backup is not whole.")

static bool is_of(const struct option_row *row, const char *command)
{
	return row->command == NULL ? strcmp(command, "verify") != 0
								: strcmp(row->command, command) == 0;
}

/* ---- parsing ---- */

static enum wr_err set_only(const char *text, struct options *options,
							struct err_detail *ret_detail)
{
	options->store = strcmp(text, "store") == 0;
	options->events = strcmp(text, "events") == 0;
	if (!options->store && !options->events)
		return err_say(ret_detail, WR_BAD_CONFIG, "--only: must be store or events");
	return WR_OK;
}

static enum wr_err set_keep(const char *text, struct options *options,
							struct err_detail *ret_detail)
{
	uint64_t keep;
	if (!text_to_u64(text, strlen(text), KEEP_MAX, &keep) || keep == 0)
		return err_say(ret_detail, WR_BAD_CONFIG, "--keep: must be a number from 1 to %d",
					   KEEP_MAX);
	options->keep = (int)keep;
	return WR_OK;
}

static enum wr_err set_mode(enum restore_mode mode, struct options *options,
							struct err_detail *ret_detail)
{
	if (options->mode != RESTORE_CAREFULLY)
		return err_say(ret_detail, WR_BAD_CONFIG, "--keep and --replace: only one of them, once");
	options->mode = mode;
	return WR_OK;
}

static enum wr_err set(enum which which, const char *value, struct options *options,
					   struct err_detail *ret_detail)
{
	switch (which) {
	case TO:
	case FROM:
		options->folder = value;
		return WR_OK;
	case METRICS:
		options->metrics_file = value;
		return WR_OK;
	case DRY_RUN:
		options->dry_run = true;
		return WR_OK;
	case KEEP_NEWEST:
		return set_keep(value, options, ret_detail);
	case KEEP:
		return set_mode(RESTORE_KEEP, options, ret_detail);
	case REPLACE:
		return set_mode(RESTORE_REPLACE, options, ret_detail);
	case ONLY:
		return set_only(value, options, ret_detail);
	}
	return WR_BUG;
}

static enum wr_err parse_options(int argc, char **argv, const char *command,
								 struct options *options, struct err_detail *ret_detail)
{
	struct option longs[ROW_COUNT + 1] = {{0}};
	size_t count = 0;
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (is_of(&rows[i], command))
			longs[count++] = (struct option){
				rows[i].name, rows[i].word ? required_argument : no_argument, NULL, (int)i + 1};
	for (int found; (found = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
		if (found == ':' || found == '?')
			return err_say(ret_detail, WR_BAD_CONFIG, "%.100s: %s", argv[optind - 1],
						   found == ':' ? "needs a value" : "is no option of this command");
		enum wr_err err = set(rows[found - 1].which, optarg, options, ret_detail);
		if (err != WR_OK)
			return err;
	}
	if (optind < argc)
		return err_say(ret_detail, WR_BAD_CONFIG, "%.100s: only options are taken", argv[optind]);
	if (options->folder == NULL)
		return err_say(ret_detail, WR_BAD_CONFIG, "--%s: is required",
					   strcmp(command, "save") == 0 ? "to" : "from");
	return WR_OK;
}

enum wr_err options_parse(int argc, char **argv, enum backup_command *ret_command,
						  struct options *ret_options, struct err_detail *ret_detail)
{
	const char *word = argc > 1 ? argv[1] : "";
	struct options options = {.store = true, .events = true};
	size_t i = 0;
	while (i < COMMAND_COUNT && strcmp(commands[i].name, word) != 0)
		i++;
	if (argc < 2)
		return err_say(ret_detail, WR_BAD_CONFIG, "a command is missing");
	if (i == COMMAND_COUNT)
		return err_say(ret_detail, WR_BAD_CONFIG, "%.100s: is no command", word);
	enum wr_err err = WR_OK;
	if (commands[i].command != BACKUP_VERIFY)
		err = parse_options(argc - 1, argv + 1, word, &options, ret_detail);
	else if (argc == 3)
		options.folder = argv[2];
	else
		err = err_say(ret_detail, WR_BAD_CONFIG, "verify: takes one folder");
	if (err != WR_OK)
		return err;
	*ret_command = commands[i].command;
	*ret_options = options;
	return WR_OK;
}

/* ---- help ---- */

static void print_usage(FILE *file, const struct command_row *command)
{
	fprintf(file, "  wrbackup %s%s%s", command->name, command->arguments[0] ? " " : "",
			command->arguments);
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (is_of(&rows[i], command->name))
			fprintf(file, " %s--%s%s%s%s", rows[i].required ? "" : "[", rows[i].name,
					rows[i].word ? " " : "", rows[i].word ? rows[i].word : "",
					rows[i].required ? "" : "]");
	fputc('\n', file);
}

/* Filled to the width of a terminal. */
static void print_filled(FILE *file, const char *text)
{
	size_t column = 0;
	while (*text != '\0') {
		size_t len = strcspn(text, " ");
		bool breaks = column > 0 && column + 1 + len > 79;
		fprintf(file, "%s%.*s", breaks ? "\n" : column > 0 ? " " : "", (int)len, text);
		column = breaks || column == 0 ? len : column + 1 + len;
		text += len + strspn(text + len, " ");
	}
	fputc('\n', file);
}

void options_print_help(FILE *file)
{
	fputs("wrbackup " WR_VERSION ": " SUMMARY "\n\n", file);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		print_usage(file, &commands[i]);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		fprintf(file, "\n%s\n", commands[i].name);
		print_filled(file, commands[i].sentence);
		for (size_t k = 0; k < ROW_COUNT; k++)
			if (is_of(&rows[k], commands[i].name)) {
				char left[40];
				snprintf(left, sizeof(left), "--%s%s%s", rows[k].name, rows[k].word ? " " : "",
						 rows[k].word ? rows[k].word : "");
				fprintf(file, "  %-15s %s\n", left, rows[k].sentence);
			}
	}
	for (size_t i = 0; i < sizeof(paragraphs) / sizeof(paragraphs[0]); i++) {
		fputc('\n', file);
		print_filled(file, paragraphs[i]);
	}
	fputs("\nExit status:\n", file);
#define EXIT_LINE(number, text) fputs("  " number "  " text "\n", file);
	EXIT_TABLE(EXIT_LINE)
#undef EXIT_LINE
}

/* ---- the manual page ---- */

static void man_command(FILE *file, const struct command_row *command)
{
	fprintf(file, ".It Cm %s%s%s\n", command->name, command->arguments[0] ? " Ar " : "",
			command->arguments);
	mdoc_text(file, command->sentence, false);
	if (command->command == BACKUP_VERIFY)
		return; /* has none, and mdoc wants no empty list */
	mdoc_list(file);
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (is_of(&rows[i], command->name))
			mdoc_option(file, 0, rows[i].name, rows[i].word, rows[i].sentence);
	mdoc_list_end(file);
}

void options_print_man(FILE *file)
{
	mdoc_head(file, "wrbackup", 1, "wrbackup --print-man from its tables", SUMMARY);
	fputs(".Sh SYNOPSIS\n", file);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		fprintf(file, ".Nm\n.Cm %s\n", commands[i].name);
		if (commands[i].arguments[0] != '\0')
			fprintf(file, ".Ar %s\n", commands[i].arguments);
		for (size_t k = 0; k < ROW_COUNT; k++)
			if (is_of(&rows[k], commands[i].name))
				fprintf(file, ".%sFl \\-%s%s%s\n", rows[k].required ? "" : "Op ", rows[k].name,
						rows[k].word ? " Ar " : "", rows[k].word ? rows[k].word : "");
	}
	fputs(".Sh DESCRIPTION\n", file);
	for (size_t i = 0; i < sizeof(paragraphs) / sizeof(paragraphs[0]); i++) {
		if (i > 0)
			fputs(".Pp\n", file);
		mdoc_text(file, paragraphs[i], false);
	}
	fputs(".Sh COMMANDS\n.Bl -tag -width Ds\n", file);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		man_command(file, &commands[i]);
	mdoc_list_end(file);
	mdoc_section(file, "EXIT STATUS");
	mdoc_list(file);
#define EXIT_ITEM(number, text) mdoc_item(file, "", number, text);
	EXIT_TABLE(EXIT_ITEM)
#undef EXIT_ITEM
	mdoc_list_end(file);
	fputs(".Sh EXAMPLES\n"
		  "Every night, with a fortnight kept; and after the loss of everything:\n"
		  ".Bd -literal -offset indent\n"
		  "wrbackup save \\-\\-to /var/backups/waitingroom \\-\\-keep 14\n"
		  "wrbackup restore \\-\\-from /var/backups/waitingroom \\-\\-dry-run\n"
		  "wrbackup restore \\-\\-from /var/backups/waitingroom\n"
		  ".Ed\n"
		  ".Sh SEE ALSO\n.Xr wrctl 1 ,\n.Xr waitingroom-api 8\n",
		  file);
}
