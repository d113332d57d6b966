/* Diff: what a dry run of the server says, shown to people.
 *
 * What     {"changes":[{"field","before","after"}],"effect":[{"lane","place","ahead","now":{"low",
 *          "high"},"then":{…}}],"warnings":["…"]}, in the answer to ?dry_run=1.
 */
#ifndef WRCTL_DIFF_H
#define WRCTL_DIFF_H

#include <stddef.h>

#include "terminal.h"
#include "waitingroom/json_in.h"

size_t diff_count(const struct json_value *dry_run); /* of changes */
/* One line for a short change, a line each for what is removed and what is put in otherwise.
 * is_new: there was nothing before, so only what is put in is shown. */
void diff_print(const struct json_value *dry_run, bool is_new, const struct terminal *terminal);
/* What it does to the people in line, and the warnings. Prints nothing when there is none. */
void diff_print_effect(const struct json_value *dry_run, const struct terminal *terminal);

#endif
