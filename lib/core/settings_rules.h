/* Settings rules: the checks that JSON and the store's fields have in common.
 *
 * What     Each sets one value if it is acceptable, and otherwise says why not, with the name of
 *          the field and the remedy.
 * Used by  the files that begin with settings, and theme.
 * Threads  any.
 */
#ifndef WAITINGROOM_CORE_SETTINGS_RULES_H
#define WAITINGROOM_CORE_SETTINGS_RULES_H

#include "waitingroom/json_in.h"
#include "waitingroom/settings.h"

#define LANE_WEIGHT_MAX 1000

struct settings_number {
	const char *name;
	size_t offset; /* of the int64_t in struct queue_settings */
	int64_t by_default, low, high;
};
extern const struct settings_number settings_numbers[];
extern const size_t settings_number_count;

struct settings_choice {
	const char *name;
	size_t offset;			  /* of the enum in struct queue_settings */
	const char *const *words; /* by the enum's numbers; NULL behind the last */
	const char *all_words;	  /* " open paused" */
};
extern const struct settings_choice settings_choices[];
extern const size_t settings_choice_count;

struct settings_text {
	const char *name;
	size_t offset, bytes; /* of the array in struct queue_settings; without its NUL */
	bool shown;			  /* false: a secret */
};
extern const struct settings_text settings_texts[];
extern const size_t settings_text_count;

int64_t settings_number_get(const struct queue_settings *settings,
							const struct settings_number *number);
WR_MUST_USE enum wr_err settings_number_set(struct queue_settings *settings,
											const struct settings_number *number, int64_t value,
											struct err_detail *ret_detail);
/* The error of a value that is not even a number. */
enum wr_err settings_number_wrong(const struct settings_number *number,
								  struct err_detail *ret_detail);

const char *settings_choice_word(const struct queue_settings *settings,
								 const struct settings_choice *choice);
WR_MUST_USE enum wr_err settings_choice_set(struct queue_settings *settings,
											const struct settings_choice *choice, const char *word,
											size_t len, struct err_detail *ret_detail);
const char *settings_text_get(const struct queue_settings *settings,
							  const struct settings_text *text);
WR_MUST_USE enum wr_err settings_text_set(struct queue_settings *settings,
										  const struct settings_text *text, const char *value,
										  size_t len, struct err_detail *ret_detail);
/* Is it plain UTF-8 text of at most so many bytes? lines: line ends are fine. */
WR_MUST_USE enum wr_err settings_check_text(const char *field, const char *text, size_t len,
											size_t most, bool lines, struct err_detail *ret_detail);
/* A copy of a language's tag ("de", "pt-BR", "zh-Hans") if it looks like one. */
bool settings_language(const char *text, char ret_language[LANGUAGE_CHARS + 1]);

/* Both add behind those that are there. A target is kept in its canonical form. */
WR_MUST_USE enum wr_err settings_add_lane(struct queue_settings *settings, const char *name,
										  size_t len, int64_t weight, bool open,
										  struct err_detail *ret_detail);
WR_MUST_USE enum wr_err settings_add_target(struct queue_settings *settings, const char *text,
											size_t len, struct err_detail *ret_detail);

/* ---- shapes that stand behind pointers ----
 * read takes the value out of JSON and replaces what was there, or leaves it; write puts it into
 * JSON as a member, with or without secrets; drop takes it away. */
#define SETTINGS_SHAPE(name)                                                                       \
	WR_MUST_USE enum wr_err settings_read_##name(struct queue_settings *settings,                  \
												 const struct json_value *value,                   \
												 struct err_detail *ret_detail);                   \
	void settings_write_##name(const struct queue_settings *settings, struct json_out *out,        \
							   const char *key, bool secrets);                                     \
	void settings_drop_##name(struct queue_settings *settings)
SETTINGS_SHAPE(entry_keys); /* settings_entry.c */
SETTINGS_SHAPE(bypass);		/* settings_bypass.c */
SETTINGS_SHAPE(messages);	/* settings_messages.c */
SETTINGS_SHAPE(theme);		/* theme.c */

WR_MUST_USE enum wr_err settings_set_template(struct queue_settings *settings, const char *text,
											  size_t len, struct err_detail *ret_detail);

/* Can its colours be read? Asked of what is new, not of what the store has. theme.c */
WR_MUST_USE enum wr_err settings_check_theme(const struct queue_settings *settings,
											 struct err_detail *ret_detail);

/* Do the values go together? */
WR_MUST_USE enum wr_err settings_check_whole(const struct queue_settings *settings,
											 struct err_detail *ret_detail);

#endif
