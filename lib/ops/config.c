/* Configuration: from WR_* in the environment to a struct that has been checked.
 *
 * Every variable is one row of CONFIG_TABLE. Reading starts from the defaults, takes each variable
 * that is set, and refuses what is out of range with a sentence that names the variable and the
 * range. A variable WR_… that no row knows is refused too: a typo in a ConfigMap shall stop the
 * start, not be found on the night of the sale.
 *
 * A text may also be "file:/path": then it is what that file holds, without the line's end. So a
 * URL with a password comes from a mounted secret and not from the environment, which children
 * inherit and /proc shows.
 */
#include "waitingroom/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/mdoc.h"
#include "waitingroom/text.h"

extern char **environ;

struct row {
	const char *variable;
	const char *text; /* sentence */
	const char *def;  /* default of a text row, NULL for numbers */
	size_t offset;	  /* in struct config */
	int64_t number, low, high;
	const char *unit;
};

#define TEXT_ROW(field_, variable_, def_, text_)                                                   \
	{.variable = variable_, .text = text_, .def = def_, .offset = offsetof(struct config, field_)},
#define NUMBER_ROW(field_, variable_, def_, low_, high_, unit_, text_)                             \
	{.variable = variable_,                                                                        \
	 .text = text_,                                                                                \
	 .offset = offsetof(struct config, field_),                                                    \
	 .number = def_,                                                                               \
	 .low = low_,                                                                                  \
	 .high = high_,                                                                                \
	 .unit = unit_},
static const struct row rows[] = {CONFIG_TABLE(TEXT_ROW, NUMBER_ROW)};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static char *text_field(struct config *config, const struct row *row)
{
	return (char *)config + row->offset;
}

static int64_t *number_field(struct config *config, const struct row *row)
{
	return (int64_t *)(void *)((char *)config + row->offset);
}

static const struct row *find_row(const char *variable, size_t len)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (strlen(rows[i].variable) == len && memcmp(rows[i].variable, variable, len) == 0)
			return &rows[i];
	return NULL;
}

static enum wr_err refuse_unknown(struct err_detail *ret_detail)
{
	for (char **entry = environ; *entry != NULL; entry++) {
		if (strncmp(*entry, "WR_", 3) != 0 || strncmp(*entry, "WR_TEST_", 8) == 0)
			continue;
		size_t len = strcspn(*entry, "=");
		if (find_row(*entry, len) == NULL)
			return err_say(ret_detail, WR_BAD_CONFIG, "%.*s: no such setting; --help lists them",
						   (int)len, *entry);
	}
	return WR_OK;
}

#define FILE_SCHEME "file:"

/* fills at most CONFIG_TEXT_BYTES, with NUL */
static enum wr_err read_from_file(const struct row *row, const char *path, char *ret_text,
								  struct err_detail *ret_detail)
{
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return err_say(ret_detail, WR_BAD_CONFIG, "%s: %.150s cannot be opened: %s", row->variable,
					   path, strerror(errno));
	char text[CONFIG_TEXT_BYTES + 1];
	size_t len = fread(text, 1, sizeof(text), file);
	fclose(file);
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (len >= CONFIG_TEXT_BYTES || memchr(text, '\0', len) != NULL)
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "%s: %.150s must hold one text of at most %d characters", row->variable,
					   path, CONFIG_TEXT_BYTES - 1);
	memcpy(ret_text, text, len);
	ret_text[len] = '\0';
	return WR_OK;
}

static enum wr_err read_text(const struct row *row, const char *value, char *ret_text,
							 struct err_detail *ret_detail)
{
	size_t scheme = strlen(FILE_SCHEME);
	if (strncmp(value, FILE_SCHEME, scheme) == 0)
		return read_from_file(row, value + scheme, ret_text, ret_detail);
	if (strlen(value) >= CONFIG_TEXT_BYTES)
		return err_say(ret_detail, WR_BAD_CONFIG, "%s: longer than %d characters", row->variable,
					   CONFIG_TEXT_BYTES - 1);
	memcpy(ret_text, value, strlen(value) + 1);
	return WR_OK;
}

static enum wr_err read_row(struct config *config, const struct row *row,
							struct err_detail *ret_detail)
{
	const char *value = getenv(row->variable);
	if (row->def != NULL)
		return read_text(row, value != NULL ? value : row->def, text_field(config, row),
						 ret_detail);
	*number_field(config, row) = row->number;
	if (value == NULL)
		return WR_OK;
	int64_t number = 0;
	if (!text_to_i64(value, strlen(value), row->low, row->high, &number))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "%s: must be a whole number %" PRId64 "..%" PRId64 " (%s)", row->variable,
					   row->low, row->high, row->unit);
	*number_field(config, row) = number;
	return WR_OK;
}

enum wr_err config_read(struct config *ret_config, struct err_detail *ret_detail)
{
	enum wr_err err = refuse_unknown(ret_detail);
	if (err != WR_OK)
		return err;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		err = read_row(ret_config, &rows[i], ret_detail);
		if (err != WR_OK)
			return err;
	}
	return WR_OK;
}

enum wr_err config_blame(enum wr_err err, const char *variable, struct err_detail *detail)
{
	if (err == WR_OK || strncmp(detail->text, variable, strlen(variable)) == 0)
		return err;
	struct err_detail said = *detail;
	return err_say(detail, err, "%s: %.200s", variable, said.text);
}

/* The part between "://" and "@" is shown as three stars. */
static void print_hiding_password(FILE *out, const char *value)
{
	const char *scheme_end = strstr(value, "://");
	const char *at = strrchr(value, '@');
	if (scheme_end != NULL && at != NULL && at > scheme_end)
		fprintf(out, "%.*s***%s", (int)(scheme_end + 3 - value), value, at);
	else
		fputs(value, out);
}

void config_print(const struct config *config, FILE *out)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		fprintf(out, "%s=", rows[i].variable);
		const char *field = (const char *)config + rows[i].offset;
		if (rows[i].def != NULL)
			print_hiding_password(out, field);
		else
			fprintf(out, "%" PRId64, *(const int64_t *)(const void *)field);
		fputc('\n', out);
	}
}

void config_print_help(FILE *out)
{
	fputs("Settings are environment variables. A text may be file:/path: then it is what the file "
		  "holds.\n",
		  out);
	for (size_t i = 0; i < ROW_COUNT; i++) {
		const struct row *row = &rows[i];
		if (row->def != NULL)
			fprintf(out, "\n  %s  (default \"%s\")\n", row->variable, row->def);
		else
			fprintf(out, "\n  %s  (default %" PRId64 ", %" PRId64 "..%" PRId64 " %s)\n",
					row->variable, row->number, row->low, row->high, row->unit);
		fprintf(out, "      %s\n", row->text);
	}
}

void config_print_markdown(FILE *out)
{
	fputs("| setting | default | range | meaning |\n|---|---|---|---|\n", out);
	for (size_t i = 0; i < ROW_COUNT; i++) {
		const struct row *row = &rows[i];
		if (row->def != NULL)
			fprintf(out, "| `%s` | %s%s%s | | %s |\n", row->variable, row->def[0] ? "`" : "",
					row->def, row->def[0] ? "`" : "", row->text);
		else
			fprintf(out, "| `%s` | %" PRId64 " | %" PRId64 "..%" PRId64 " %s | %s |\n",
					row->variable, row->number, row->low, row->high, row->unit, row->text);
	}
}

void config_print_man(FILE *out)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		const struct row *row = &rows[i];
		char limits[CONFIG_TEXT_BYTES + 64];
		if (row->def != NULL)
			snprintf(limits, sizeof(limits), "Default: %s.", row->def[0] ? row->def : "empty");
		else
			snprintf(limits, sizeof(limits),
					 "Default: %" PRId64 ", of %" PRId64 "..%" PRId64 " %s.", row->number, row->low,
					 row->high, row->unit);
		mdoc_item(out, "Ev", row->variable, row->text);
		mdoc_text(out, limits, false);
	}
}

void config_print_example(FILE *out)
{
	fputs("# Settings of the waiting room's programs, with their defaults. What is changed loses "
		  "its '#'.\n"
		  "# A text may be file:/path: then it is what that file holds.\n",
		  out);
	for (size_t i = 0; i < ROW_COUNT; i++) {
		const struct row *row = &rows[i];
		fprintf(out, "\n# %s\n", row->text);
		if (row->def != NULL)
			fprintf(out, "#%s=%s\n", row->variable, row->def);
		else
			fprintf(out, "# %" PRId64 "..%" PRId64 " %s\n#%s=%" PRId64 "\n", row->low, row->high,
					row->unit, row->variable, row->number);
	}
}
