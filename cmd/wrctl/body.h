/* Body: a JSON request of settings from arguments "name=value". */
#ifndef WRCTL_BODY_H
#define WRCTL_BODY_H

#include <stdbool.h>

#include "waitingroom/err.h"

/* Texts and words of the settings become JSON strings, everything else what it is in JSON; a value
 * "@file" is the content of a file. A setting that this wrctl does not know goes to the server, which
 * may be newer; there it is a string unless it is JSON.
 * defaults  borrows the names of settings that shall be null, ends in NULL; NULL: none
 * ret       gives a JSON object. WR_INVALID: not name=value, named twice, or a number that is none. */
WR_MUST_USE enum wr_err body_of_settings(int argc, char *const argv[], const char *const *defaults,
										 char **ret, struct err_detail *ret_detail);

/* Has this wrctl heard of a setting of that name? */
bool setting_is_known(const char *name);

#endif
