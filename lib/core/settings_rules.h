/* Settings rules: the checks that JSON and the store's fields have in common.
 *
 * What     Each sets one value if it is acceptable, and otherwise says why not, with the name of
 *          the field and the remedy.
 * Used by  settings, settings_json, settings_fields.
 * Threads  any.
 */
#ifndef WAITINGROOM_CORE_SETTINGS_RULES_H
#define WAITINGROOM_CORE_SETTINGS_RULES_H

#include "waitingroom/settings.h"

#define LANE_WEIGHT_MAX 1000

struct settings_number {
	const char *name;
	size_t offset; /* of the int64_t in struct queue_settings */
	int64_t by_default, low, high;
};
extern const struct settings_number settings_numbers[];
extern const size_t settings_number_count;

const char *queue_on_outage_word(enum queue_on_outage on_outage);

int64_t settings_number_get(const struct queue_settings *settings,
							const struct settings_number *number);
WR_MUST_USE enum wr_err settings_number_set(struct queue_settings *settings,
											const struct settings_number *number, int64_t value,
											struct err_detail *ret_detail);
/* The error of a value that is not even a number. */
enum wr_err settings_number_wrong(const struct settings_number *number,
								  struct err_detail *ret_detail);

WR_MUST_USE enum wr_err settings_set_state(struct queue_settings *settings, const char *word,
										   struct err_detail *ret_detail);
WR_MUST_USE enum wr_err settings_set_on_outage(struct queue_settings *settings, const char *word,
											   struct err_detail *ret_detail);
WR_MUST_USE enum wr_err settings_set_message(struct queue_settings *settings, const char *text,
											 size_t len, struct err_detail *ret_detail);
/* Both add behind those that are there. A target is kept in its canonical form. */
WR_MUST_USE enum wr_err settings_add_lane(struct queue_settings *settings, const char *name,
										  size_t len, int64_t weight, bool open,
										  struct err_detail *ret_detail);
WR_MUST_USE enum wr_err settings_add_target(struct queue_settings *settings, const char *text,
											size_t len, struct err_detail *ret_detail);

/* Do the values go together? */
WR_MUST_USE enum wr_err settings_check_whole(const struct queue_settings *settings,
											 struct err_detail *ret_detail);

#endif
