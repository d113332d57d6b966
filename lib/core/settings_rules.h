/* What the files about settings share: the table of numbers, and the rules between values. */
#ifndef WAITINGROOM_SETTINGS_RULES_H
#define WAITINGROOM_SETTINGS_RULES_H

#include "waitingroom/settings.h"

struct number_row {
	const char *name;
	size_t offset;
	int64_t def, low, high;
};
extern const struct number_row number_rows[];
extern const size_t number_row_count;
int64_t *number_at(struct queue_settings *settings, const struct number_row *row);
int64_t number_of(const struct queue_settings *settings, const struct number_row *row);

WR_MUST_USE enum wr_err settings_check(const struct queue_settings *settings,
									   struct err_detail *ret_detail);
/* An entry of allowed_targets: origin with optional path prefix. */
bool target_rule_is_valid(const char *text, size_t len);

#endif
