/* Arguments of the daemons: all of them print something and end; what they do is set by variables.
 *
 * One table makes the parser, the help and the manual page.
 */
#include "waitingroom/process.h"

#include <stdio.h>
#include <string.h>

#include "waitingroom/config.h"
#include "waitingroom/log.h"
#include "waitingroom/mdoc.h"
#include "waitingroom/metrics.h"
#include "waitingroom/settings.h"
#include "waitingroom/version.h"

typedef int (*print_fn)(const struct process_about *about);

/* function, name, sentence */
#define ARGUMENT_TABLE(X)                                                                          \
	X(help, "help", "Prints the settings with their defaults and ranges.")                         \
	X(version, "version", "Prints the version.")                                                   \
	X(config, "print-config", "Prints the settings as they are now, without passwords.")           \
	X(example, "print-settings-example", "Prints the settings as an environment file.")            \
	X(settings, "print-settings-doc", "Prints the settings as a table of Markdown.")               \
	X(queue_settings, "print-queue-settings-doc", "The same for the settings of a queue.")         \
	X(metrics, "print-metrics-doc", "The same for the metrics.")                                   \
	X(log, "print-log-doc", "The same for the events of the log.")                                 \
	X(man, "print-man", "Prints the manual page.")

#define PRINT_DECLARE(function, name, sentence)                                                    \
	static int print_##function(const struct process_about *about);
ARGUMENT_TABLE(PRINT_DECLARE)
#undef PRINT_DECLARE

static const struct {
	const char *name, *sentence;
	print_fn print;
} rows[] = {
#define ROW(function, name, sentence) {name, sentence, print_##function},
	ARGUMENT_TABLE(ROW)
#undef ROW
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static int print_help(const struct process_about *about)
{
	printf("%s %s: %s\n\n", about->program, WR_VERSION, about->summary);
	for (const struct process_option *row = about->options; row->name != NULL; row++)
		printf("  --%s%s%s\n      %s\n", row->name, row->word ? " " : "",
			   row->word ? row->word : "", row->sentence);
	for (size_t i = 0; i < ROW_COUNT; i++)
		printf("  --%s\n      %s\n", rows[i].name, rows[i].sentence);
	putchar('\n');
	config_print_help(stdout);
	return 0;
}

static int print_version(const struct process_about *about)
{
	printf("%s %s\n", about->program, WR_VERSION);
	return 0;
}

static int print_config(const struct process_about *about)
{
	static struct config config; /* large */
	struct err_detail detail;
	(void)about;
	if (config_read(&config, &detail) != WR_OK) {
		fprintf(stderr, "%s\n", detail.text);
		return 1;
	}
	config_print(&config, stdout);
	return 0;
}

#define PRINT(function, call)                                                                      \
	static int print_##function(const struct process_about *about)                                 \
	{                                                                                              \
		(void)about;                                                                               \
		call(stdout);                                                                              \
		return 0;                                                                                  \
	}
PRINT(example, config_print_example)
PRINT(settings, config_print_markdown)
PRINT(queue_settings, queue_settings_print_markdown)
PRINT(metrics, metrics_print_markdown)
PRINT(log, log_print_markdown)
#undef PRINT

static int print_man(const struct process_about *about)
{
	char made_by[128];
	snprintf(made_by, sizeof(made_by), "%s --print-man from the tables of the program",
			 about->program);
	mdoc_head(stdout, about->program, 8, made_by, about->summary);
	printf(".Sh SYNOPSIS\n.Nm\n.Nm\n.Ar option\n.Sh DESCRIPTION\n.Nm\n%s\n.Pp\n", about->text);
	fputs("Without an option it serves until it is told to stop.\n"
		  "What it does is set by variables of the environment;\n"
		  "with an option it only prints or makes something, and ends:\n",
		  stdout);
	mdoc_list(stdout);
	for (const struct process_option *row = about->options; row->name != NULL; row++)
		mdoc_option(stdout, 0, row->name, row->word, row->sentence);
	for (size_t i = 0; i < ROW_COUNT; i++)
		mdoc_option(stdout, 0, rows[i].name, NULL, rows[i].sentence);
	mdoc_list_end(stdout);
	fputs(".Sh ENVIRONMENT\n"
		  "All programs of a waiting room know the same variables;\n"
		  "one that begins with WR_ and is not known is refused.\n"
		  "A text may be file:/path: then it is what that file holds.\n",
		  stdout);
	mdoc_list(stdout);
	config_print_man(stdout);
	mdoc_list_end(stdout);
	fputs(".Sh SIGNALS\n", stdout);
	mdoc_list(stdout);
	mdoc_item(stdout, "", "SIGTERM , SIGINT", "Finishes what is under way, and ends.");
	mdoc_item(stdout, "", "SIGHUP", "Reads files of keys again, where it has any.");
	mdoc_item(stdout, "", "SIGUSR1", "Makes the log say more.");
	mdoc_item(stdout, "", "SIGUSR2", "Makes it say less.");
	mdoc_list_end(stdout);
	mdoc_section(stdout, "EXIT STATUS");
	mdoc_list(stdout);
	mdoc_item(stdout, "", "0", "It was told to stop.");
	mdoc_item(stdout, "", "1", "It could not start; what is wrong has been said.");
	mdoc_item(stdout, "", "2", "Wrong use.");
	mdoc_list_end(stdout);
	fputs(".Sh SEE ALSO\n.Xr wrbackup 1 ,\n.Xr wrctl 1 ,\n.Xr wrload 1\n", stdout);
	return 0;
}

bool process_arguments(int argc, char **argv, const struct process_about *about, int *ret_status)
{
	if (argc < 2)
		return false;
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (argc == 2 && strncmp(argv[1], "--", 2) == 0 && strcmp(argv[1] + 2, rows[i].name) == 0) {
			*ret_status = rows[i].print(about);
			return true;
		}
	fprintf(stderr, "%s: argument not known; see %s --help\n", about->program, about->program);
	*ret_status = 2;
	return true;
}
