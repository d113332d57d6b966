/* Pretty: compact JSON on lines of its own, with tabs. */
#ifndef WRCTL_PRETTY_H
#define WRCTL_PRETTY_H

#include <stdio.h>

/* json   valid and compact (no space between tokens)
 * depth  tabs in front of what is inside; empty and short lists stay on one line */
void pretty_print(FILE *file, const char *json, int depth);

#endif
