/* Completion: what the scripts of the shells are made from, beside the table of commands. */
#ifndef WRCTL_COMPLETION_H
#define WRCTL_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>

/* The command of wrctl that prints what 'complete' (COMPLETE_QUEUES, …) stands for; NULL: no
 * command does. */
const char *completion_asks(const char *complete);
/* The words of a list that stands for itself: names of settings; NULL: none of those. */
const char *completion_words(const char *complete);

/* Settings whose values are words; the last row has no name. */
struct completion_choice {
	const char *name, *words;
};
extern const struct completion_choice completion_choices[];

/* Words that may stand first (group NULL), or after a group's word; each is followed by a space. */
void completion_print_words(const char *group);
/* Is the command of row 'i' the first of its group? The group's word is what stands before the
 * space. */
bool completion_begins_group(size_t i);

void completion_print_bash(void);
void completion_print_fish(void);

#endif
