/* Settings doc: the tables of a queue's settings as a table for people. */
#include <inttypes.h>
#include <stdio.h>

#include "waitingroom/settings.h"

static void number_row(FILE *out, const char *name, int64_t by_default, int64_t low, int64_t high,
					   const char *unit, const char *text)
{
	fprintf(out, "| `%s` | %" PRId64 " | %" PRId64 "..%" PRId64 " %s | %s |\n", name, by_default,
			low, high, unit, text);
}

struct word_doc {
	const char *word, *text;
};

/* words end with a NULL word */
static void choice_row(FILE *out, const char *name, int by_default, const struct word_doc *words,
					   const char *text)
{
	fprintf(out, "| `%s` | `%s` | ", name, words[by_default].word);
	for (size_t i = 0; words[i].word; i++)
		fprintf(out, "%s`%s`", i ? " " : "", words[i].word);
	fprintf(out, " | %s", text);
	for (size_t i = 0; words[i].word; i++)
		fprintf(out, " `%s`: %s", words[i].word, words[i].text);
	fputs(" |\n", out);
}

#define WORD_DOC(name, word, sentence) {word, sentence},

void queue_settings_print_markdown(FILE *out)
{
	fputs("| setting | default | values | meaning |\n|---|---|---|---|\n", out);
#define NUMBER(name, def, low, high, unit, text) number_row(out, #name, def, low, high, unit, text);
	QUEUE_NUMBER_TABLE(NUMBER)
#undef NUMBER
#define CHOICE(type, name, def, WORDS, text)                                                       \
	choice_row(out, #name, def, (const struct word_doc[]){WORDS(WORD_DOC){NULL, NULL}}, text);
	QUEUE_CHOICE_TABLE(CHOICE)
#undef CHOICE
#define TEXT(name, bytes, shown, text)                                                             \
	fprintf(out, "| `%s` | | text, at most %d bytes | %s |\n", #name, bytes, text);
	QUEUE_TEXT_TABLE(TEXT)
#undef TEXT
#define SHAPE(name, shape, text) fprintf(out, "| `%s` | | %s | %s |\n", #name, shape, text);
	QUEUE_SHAPE_TABLE(SHAPE)
#undef SHAPE
}
