/* Options of wrload: the table of options.h, turned into getopt_long's and read by kind,
 * and into the help and the manual page.
 *
 * Every option has a long name only; "--name value" and "--name=value" both work. A value is
 * checked against the range in its row, and then the few rules between options.
 */
#include "options.h"

#include "waitingroom/clock.h"
#include "waitingroom/mdoc.h"
#include "waitingroom/text.h"

#include <getopt.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum option_kind { KIND_NUMBER, KIND_REAL, KIND_SHARE, KIND_TEXT, KIND_FLAG };

struct option_row {
	const char *name;
	size_t offset;
	enum option_kind kind;
	double def, low, high; /* numbers fit: none needs more than 53 bits to be compared */
	const char *word, *sentence;
};

#define OPTION_ROW(name, field, kind, def, low, high, word, text)                                  \
	{name, offsetof(struct options, field), KIND_##kind, def, (double)(low), (double)(high), word, \
	 text},
static const struct option_row rows[] = {OPTION_TABLE(OPTION_ROW)};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static void *field_of(struct options *options, const struct option_row *row)
{
	return (char *)options + row->offset;
}

static void set_default(struct options *options, const struct option_row *row)
{
	if (row->kind == KIND_NUMBER)
		*(int64_t *)field_of(options, row) = (int64_t)row->def;
	else if (row->kind == KIND_REAL || row->kind == KIND_SHARE)
		*(double *)field_of(options, row) = row->def;
}

static enum wr_err set_number(struct options *options, const struct option_row *row,
							  const char *text, struct err_detail *ret_detail)
{
	int64_t number;
	if (!text_to_i64(text, strlen(text), 0, INT64_MAX, &number) || (double)number < row->low ||
		(double)number > row->high)
		return err_say(ret_detail, WR_BAD_CONFIG, "--%s: must be a whole number %.0f..%.0f",
					   row->name, row->low, row->high);
	*(int64_t *)field_of(options, row) = number;
	return WR_OK;
}

static enum wr_err set_real(struct options *options, const struct option_row *row, const char *text,
							struct err_detail *ret_detail)
{
	char *end;
	double number = strtod(text, &end);
	if (end == text || *end || !isfinite(number) || number < row->low || number > row->high)
		return err_say(ret_detail, WR_BAD_CONFIG, "--%s: must be a number %g..%g", row->name,
					   row->low, row->high);
	*(double *)field_of(options, row) = number;
	return WR_OK;
}

static enum wr_err set_value(struct options *options, const struct option_row *row,
							 const char *text, struct err_detail *ret_detail)
{
	switch (row->kind) {
	case KIND_NUMBER:
		return set_number(options, row, text, ret_detail);
	case KIND_REAL:
	case KIND_SHARE:
		return set_real(options, row, text, ret_detail);
	case KIND_TEXT:
		*(const char **)field_of(options, row) = text;
		return WR_OK;
	case KIND_FLAG:
		*(bool *)field_of(options, row) = true;
		return WR_OK;
	}
	return WR_BUG;
}

/* What no single option can tell. */
static enum wr_err check_together(const struct options *options, struct err_detail *ret_detail)
{
	struct queue_name name;
	if (!options->queue)
		return err_say(ret_detail, WR_BAD_CONFIG, "--queue: is required");
	if (!queue_name_parse(options->queue, strlen(options->queue), &name))
		return err_say(ret_detail, WR_BAD_CONFIG, "--queue: must be TENANT/QUEUE or QUEUE");
	if (!options->url_count)
		return err_say(ret_detail, WR_BAD_CONFIG, "URL: at least one is required");
	if (options->vanish + options->sleep + options->leave > 1)
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "--vanish, --sleep, --leave: must not be more than 1 together");
	if ((options->rate_per_minute < 0) != (options->burst < 0))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "--rate-per-minute, --burst: only both together can be checked");
	return WR_OK;
}

enum wr_err options_parse(int argc, char **argv, struct options *ret_options,
						  struct err_detail *ret_detail)
{
	struct options options = {0};
	struct option longs[ROW_COUNT + 3] = {[ROW_COUNT] = {"help", no_argument, NULL, 'h'},
										  [ROW_COUNT + 1] = {"print-man", no_argument, NULL, 'm'}};
	for (size_t i = 0; i < ROW_COUNT; i++) {
		int takes = rows[i].kind == KIND_FLAG ? no_argument : required_argument;
		longs[i] = (struct option){rows[i].name, takes, NULL, 0};
		set_default(&options, &rows[i]);
	}
	optind = 0; /* begin anew, also when called twice */
	int found, index = 0;
	while ((found = getopt_long(argc, argv, ":h", longs, &index)) != -1) {
		if (found == 'h' || found == 'm') {
			options.wants_help = found == 'h';
			options.wants_man = found == 'm';
			*ret_options = options;
			return WR_OK;
		}
		if (found)
			return err_say(ret_detail, WR_BAD_CONFIG, "%.100s: %s", argv[optind - 1],
						   found == ':' ? "needs a value" : "is no option");
		enum wr_err err = set_value(&options, &rows[index], optarg, ret_detail);
		if (err)
			return err;
	}
	options.urls = (const char *const *)argv + optind;
	options.url_count = (uint32_t)(argc - optind);
	enum wr_err err = check_together(&options, ret_detail);
	if (err)
		return err;
	if (options.seed < 0)
		options.seed = clock_wall().ms;
	*ret_options = options;
	return WR_OK;
}

static void print_row(FILE *file, const struct option_row *row)
{
	char name[40];
	snprintf(name, sizeof(name), "--%s %s", row->name, row->word);
	fprintf(file, "  %-26s %s", name, row->sentence);
	if (row->kind != KIND_TEXT && row->kind != KIND_FLAG && row->def >= 0)
		fprintf(file, " [%g]", row->def);
	fputc('\n', file);
}

#define SUMMARY "a simulated crowd for a waiting room"
#define ABOUT                                                                                      \
	"A simulated crowd: joins the queue, polls as it is told to, goes in, leaves; measures\n"      \
	"from the outside and checks what every visitor was promised.\n"                               \
	"URL: http://host:port or unix:/path of waitingroom-api, or http://host:port/prefix of the\n"  \
	"room behind a gateway; several are used at random."
#define SIGNALS                                                                                    \
	"SIGINT ends the run with its report; SIGUSR1 begins another of the report's phases."

/* number, meaning */
#define EXIT_TABLE(X)                                                                              \
	X("0", "All well.")                                                                            \
	X("1", "An invariant was violated.")                                                           \
	X("2", "Wrong use.")                                                                           \
	X("3", "Nobody could join.")

void options_print_help(FILE *file)
{
	fputs("Usage: wrload --queue TENANT/QUEUE [OPTION...] URL...\n" ABOUT "\n\n", file);
	for (size_t i = 0; i < ROW_COUNT; i++)
		print_row(file, &rows[i]);
	fputs("  --print-man                The manual page.\n"
		  "  --help                     This text.\n\n" SIGNALS "\n\nExit status:\n",
		  file);
#define EXIT_LINE(number, text) fputs("  " number "  " text "\n", file);
	EXIT_TABLE(EXIT_LINE)
#undef EXIT_LINE
}

static void print_man_row(FILE *file, const struct option_row *row)
{
	char text[256];
	bool has_default = row->kind != KIND_TEXT && row->kind != KIND_FLAG && row->def >= 0;
	if (has_default)
		snprintf(text, sizeof(text), "%s Default: %g.", row->sentence, row->def);
	mdoc_option(file, 0, row->name, row->word[0] != '\0' ? row->word : NULL,
				has_default ? text : row->sentence);
}

void options_print_man(FILE *file)
{
	mdoc_head(file, "wrload", 1, "wrload --print-man from its table of options", SUMMARY);
	fputs(".Sh SYNOPSIS\n.Nm\n.Fl \\-queue Ar TENANT/QUEUE\n.Op Ar option ...\n.Ar URL ...\n"
		  ".Sh DESCRIPTION\n",
		  file);
	mdoc_text(file, ABOUT, false);
	mdoc_text(file, SIGNALS, false);
	fputs(".Pp\nThe options:\n", file);
	mdoc_list(file);
	for (size_t i = 0; i < ROW_COUNT; i++)
		print_man_row(file, &rows[i]);
	mdoc_option(file, 0, "print-man", NULL, "Prints this page.");
	mdoc_option(file, 0, "help", NULL, "Prints the options.");
	mdoc_list_end(file);
	mdoc_section(file, "EXIT STATUS");
	mdoc_list(file);
#define EXIT_ITEM(number, text) mdoc_item(file, "", number, text);
	EXIT_TABLE(EXIT_ITEM)
#undef EXIT_ITEM
	mdoc_list_end(file);
	fputs(".Sh EXAMPLES\nTen thousand people, a thousand a second, on two pods:\n"
		  ".Bd -literal -offset indent\n"
		  "wrload \\-\\-queue shop/sale \\-\\-visitors 10000 \\-\\-arrive-per-s 1000 \\e\n"
		  "  http://10.0.0.1:8080 http://10.0.0.2:8080\n.Ed\n",
		  file);
}
