/* Scripts: which of the embedded texts is which step. */
#include "lib/store/client.h"
#include "lib/store/script_texts.h"

#include <stdlib.h>
#include <string.h>

const struct store_script_text *script_text(enum script script)
{
#define SCRIPT_NAME(name, file) file,
	static const char *const names[SCRIPT_COUNT] = {SCRIPT_TABLE(SCRIPT_NAME)};
#undef SCRIPT_NAME
	for (size_t i = 0; i < store_script_text_count; i++)
		if (strcmp(store_script_texts[i].name, names[script]) == 0)
			return &store_script_texts[i];
	abort(); /* built without one of its scripts */
}
