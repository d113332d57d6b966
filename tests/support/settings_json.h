/* A queue's settings from JSON and to it, for tests: over the defaults, as those of a new queue.
 *
 *     struct queue_settings settings = settings_json_good("{\"burst\":7}");
 *     settings_json_refused("{\"burst\":0}", "burst: ");
 *
 * Functions fail the running test instead of returning errors, but for the first.
 */
#ifndef SUPPORT_SETTINGS_JSON_H
#define SUPPORT_SETTINGS_JSON_H

#include "waitingroom/settings.h"

enum wr_err settings_json_read(const char *json, struct queue_settings *ret_settings,
							   struct err_detail *ret_detail);
/* End with queue_settings_clear() what has parts of its own. */
struct queue_settings settings_json_good(const char *json);
/* It is invalid, and what is said begins so. */
void settings_json_refused(const char *json, const char *said);
char *settings_json_print(const struct queue_settings *settings); /* as GET shows them; gives */

#endif
