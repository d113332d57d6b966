/* Fuzzes the parser of JSON from outside. What must hold of every text that it takes:
 *
 *   - the tree builder takes all that the scanner lets through;
 *   - it nests no deeper than it may, and every string is UTF-8 without NUL;
 *   - what is printed from it is taken again, and prints as the same text.
 */
#include "waitingroom/json_in.h"
#include "waitingroom/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH_MAX 16

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void walk(const struct json_value *value, size_t depth)
{
	const char *text;
	int64_t number;
	bool flag, container = json_is_object(value) || json_is_array(value);
	check(depth + container <= DEPTH_MAX);
	if (json_string(value, &text))
		check(utf8_is_valid(text, strlen(text)));
	if (json_int(value, &number))
		check(number >= -(INT64_C(1) << 53) && number <= INT64_C(1) << 53);
	check(json_string(value, &text) + json_int(value, &number) + json_bool(value, &flag) +
			  json_is_null(value) + container <=
		  1);
	for (size_t i = 0; i < json_count(value); i++) {
		const struct json_value *child = json_at(value, i);
		if (json_is_object(value)) {
			check(utf8_is_valid(json_key(child), strlen(json_key(child))));
			check(json_member(value, json_key(child)) == child);
		}
		walk(child, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_value *document = NULL;
	struct err_detail detail = {0};
	if (json_parse((const char *)data, size, &document, &detail) != WR_OK) {
		check(!document && !strstr(detail.text, "taken in"));
		return 0;
	}
	walk(document, 0);
	char *printed = json_print(document);
	struct json_value *again = NULL;
	check(json_parse(printed, strlen(printed), &again, NULL) == WR_OK);
	char *reprinted = json_print(again);
	check(strcmp(printed, reprinted) == 0);
	free(printed);
	free(reprinted);
	json_free(document);
	json_free(again);
	return 0;
}
