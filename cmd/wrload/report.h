/* Report: what the run has shown, for people while it runs, for programs at its end.
 *
 * Used by  crowd (progress), main.
 */
#ifndef WRLOAD_REPORT_H
#define WRLOAD_REPORT_H

#include <stdio.h>

#include "crowd.h"

/* One line about the last second. On a terminal it overwrites the one before. */
void report_progress(const struct crowd *crowd, FILE *file);

/* One JSON object and a newline. Latencies in ms, counted from the intended start of each
 * request. */
void report_write(const struct crowd *crowd, FILE *file);

#endif
