/* mdoc: plain text in, mdoc(7) out. What begins a line is never taken for a macro. */
#include "waitingroom/mdoc.h"

#include <ctype.h>
#include <string.h>

#define LINE_COLUMNS 76
#define DATE "November 21, 2026"

/* One character, in mdoc's spelling; returns the bytes of 'text' that it was. */
static size_t put_character(FILE *file, const char *text)
{
	static const struct {
		const char *text, *mdoc;
	} spellings[] = {{"\\", "\\e"}, {"…", "\\&..."}, {"\"", "\\(dq"}, {"--", "\\-\\-"}};
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		size_t len = strlen(spellings[i].text);
		if (strncmp(text, spellings[i].text, len) == 0) {
			fputs(spellings[i].mdoc, file);
			return len;
		}
	}
	fputc(*text, file);
	return 1;
}

/* A new sentence begins a new line, and so does a word that does not fit. */
static bool breaks_line(const char *before, const char *space, size_t column)
{
	bool ends_sentence = space > before && strchr(".!?", space[-1]) != NULL;
	if (ends_sentence && space[1] >= 'A' && space[1] <= 'Z')
		return true;
	return column + 1 + strcspn(space + 1, " \n") > LINE_COLUMNS;
}

void mdoc_text(FILE *file, const char *text, bool literal)
{
	const char *begin = text;
	size_t column = 0;
	while (*text != '\0') {
		if (column == 0 && (*text == '.' || *text == '\''))
			fputs("\\&", file);
		if (*text == '\n' || (*text == ' ' && !literal && breaks_line(begin, text, column))) {
			fputc('\n', file);
			text++;
			column = 0;
			continue;
		}
		size_t bytes = put_character(file, text);
		text += bytes;
		column += bytes;
	}
	fputc('\n', file);
}

void mdoc_head(FILE *file, const char *name, int section, const char *made_by, const char *summary)
{
	fprintf(file, ".\\\" Made by %s; not to be edited.\n.Dd " DATE "\n.Dt ", made_by);
	for (const char *at = name; *at != '\0'; at++)
		fputc(toupper((unsigned char)*at), file);
	fprintf(file, " %d\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n", section, name, summary);
}

void mdoc_section(FILE *file, const char *title)
{
	fprintf(file, ".Sh %s\n", title);
}

void mdoc_list(FILE *file)
{
	fputs(".Bl -tag -width Ds -compact\n", file);
}

void mdoc_list_end(FILE *file)
{
	fputs(".El\n", file);
}

void mdoc_option(FILE *file, char letter, const char *name, const char *word, const char *sentence)
{
	fputs(".It ", file);
	if (letter != 0)
		fprintf(file, "Fl %c , ", letter);
	fprintf(file, "Fl \\-%s", name);
	if (word != NULL)
		fprintf(file, " Ar %s", word);
	fputc('\n', file);
	mdoc_text(file, sentence, false);
}

void mdoc_item(FILE *file, const char *macro, const char *name, const char *sentence)
{
	fprintf(file, ".It %s%s%s\n", macro, macro[0] != '\0' ? " " : "", name);
	mdoc_text(file, sentence, false);
}
