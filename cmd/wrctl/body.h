/* Body: a JSON request of settings from arguments "name=value". */
#ifndef WRCTL_BODY_H
#define WRCTL_BODY_H

#include "waitingroom/err.h"

/* Texts and words of the settings become JSON strings, everything else what it is in JSON; a value
 * "@file" is the content of a file. A setting that this wrctl does not know goes to the server,
 * which may be newer; there it is a string unless it is JSON.
 * defaults  borrows the names of settings that shall be null, ends in NULL; NULL: none
 * ret       gives a JSON object. WR_INVALID: not name=value, named twice, or a number that is none. */
WR_MUST_USE enum wr_err body_of_settings(int argc, char *const argv[], const char *const *defaults,
										 char **ret, struct err_detail *ret_detail);

/* After a refusal: which names of the body this wrctl has never heard of, and what may have been
 * meant. */
void body_say_unknown(const char *body);

#endif
