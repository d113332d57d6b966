/* Pretty: one walk over the text; strings are copied as they are. */
#include "pretty.h"

#include <stdbool.h>
#include <string.h>

#define SHORT_CHARS 80

/* Length of the value that begins with a bracket. */
static size_t value_len(const char *json)
{
	int depth = 0;
	bool in_string = false;
	size_t at = 0;
	do {
		if (json[at] == '\\')
			at++;
		else if (json[at] == '"')
			in_string = !in_string;
		else if (!in_string && strchr("[{", json[at]) != NULL)
			depth++;
		else if (!in_string && strchr("]}", json[at]) != NULL)
			depth--;
		at++;
	} while (depth > 0);
	return at;
}

static void new_line(FILE *file, int depth)
{
	fputc('\n', file);
	for (int i = 0; i < depth; i++)
		fputc('\t', file);
}

static size_t copy_string(FILE *file, const char *json)
{
	size_t at = 1;
	while (json[at] != '"')
		at += json[at] == '\\' ? 2 : 1;
	fwrite(json, 1, at + 1, file);
	return at + 1;
}

void pretty_print(FILE *file, const char *json, int depth)
{
	while (*json != '\0') {
		bool opens = strchr("[{", *json) != NULL;
		if (*json == '"') {
			json += copy_string(file, json);
			continue;
		}
		if (opens && value_len(json) <= SHORT_CHARS) {
			size_t len = value_len(json);
			fwrite(json, 1, len, file);
			json += len;
			continue;
		}
		if (strchr("]}", *json) != NULL)
			new_line(file, --depth);
		fputc(*json, file);
		if (*json == ':')
			fputc(' ', file);
		if (opens)
			depth++;
		if (opens || *json == ',')
			new_line(file, depth);
		json++;
	}
}
