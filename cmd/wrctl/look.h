/* Looking into answers: "now.active" finds a member of a member. What is not there, or is of
 * another type, has the fallback: newer and older servers say more and less. */
#ifndef WRCTL_LOOK_H
#define WRCTL_LOOK_H

#include <stdint.h>

#include "waitingroom/json_in.h"

const struct json_value *look(const struct json_value *value,
							  const char *path); /* NULL: not there */
int64_t look_int(const struct json_value *value, const char *path, int64_t fallback);
double look_real(const struct json_value *value, const char *path, double fallback);
const char *look_text(const struct json_value *value, const char *path); /* "" by default; lends */
bool look_flag(const struct json_value *value, const char *path);
/* A text of each element of an array, a line each. */
void look_print_texts(const struct json_value *array, const char *path);
/* The value as a person reads it: texts without quotes, others as JSON, nothing as "-"; gives. */
char *look_shown(const struct json_value *value);
/* The same with texts in quotes; gives. */
char *look_json(const struct json_value *value);

#endif
