/* mdoc: manual pages as mdoc(7), written from the tables that the programs are made of.
 *
 * What     The head of a page, sections, running text, and lists of options and variables.
 * Used by  every program's --print-man, wrctl help --man; scripts/check-man keeps deploy/man as they print.
 * Threads  any.
 *
 * Text is plain: what mdoc would take for a macro or an escape is spelled so that it is not. Texts
 * that begin with a macro of their own are the caller's, and go to the file as they are.
 */
#ifndef WAITINGROOM_MDOC_H
#define WAITINGROOM_MDOC_H

#include <stdbool.h>
#include <stdio.h>

/* Comment, title and NAME.
 * name      "wrctl"; section 1 for people's programs, 8 for daemons
 * made_by   the command line that prints the page
 * summary   what it is, without a full stop */
void mdoc_head(FILE *file, const char *name, int section, const char *made_by, const char *summary);

/* literal: lines stay as they are; otherwise they are filled, a line of the source a sentence. */
void mdoc_text(FILE *file, const char *text, bool literal);
void mdoc_section(FILE *file, const char *title); /* "EXIT STATUS" */

/* A list whose entries are options, variables or words, each with its explanation. */
void mdoc_list(FILE *file);
void mdoc_list_end(FILE *file);
/* letter 0: none; word NULL: takes no value; name without the two hyphens */
void mdoc_option(FILE *file, char letter, const char *name, const char *word, const char *sentence);
/* macro: "Ev" for a variable, "Pa" for a path, "" for plain words */
void mdoc_item(FILE *file, const char *macro, const char *name, const char *sentence);

#endif
