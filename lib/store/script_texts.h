/* Script texts: the Lua files of lib/store/scripts, carried inside the program.
 *
 * What     The table that scripts/embed writes at build time. A text begins with that of
 *          _prelude.lua, when there is one.
 * Used by  lib/store only.
 * Threads  any; constant.
 */
#ifndef WAITINGROOM_STORE_SCRIPT_TEXTS_H
#define WAITINGROOM_STORE_SCRIPT_TEXTS_H

#include <stddef.h>

struct store_script_text {
	const char *name; /* the file's name without ".lua" */
	const char *text; /* ends in NUL */
	size_t len;
};

extern const struct store_script_text store_script_texts[];
extern const size_t store_script_text_count;

#endif
