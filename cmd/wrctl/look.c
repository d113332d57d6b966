/* Looking into answers. */
#include "look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"

#define MEMBER_BYTES 64

const struct json_value *look(const struct json_value *value, const char *path)
{
	while (value != NULL && *path != '\0') {
		char member[MEMBER_BYTES];
		size_t len = strcspn(path, ".");
		if (len >= sizeof(member) || !json_is_object(value))
			return NULL;
		memcpy(member, path, len);
		member[len] = '\0';
		value = json_member(value, member);
		path += len + (path[len] == '.');
	}
	return value;
}

int64_t look_int(const struct json_value *value, const char *path, int64_t fallback)
{
	int64_t number = fallback;
	const struct json_value *found = look(value, path);
	return found != NULL && json_int(found, &number) ? number : fallback;
}

double look_real(const struct json_value *value, const char *path, double fallback)
{
	const struct json_value *found = look(value, path);
	if (found == NULL)
		return fallback;
	WR_AUTO(mem_free_at) char *text = json_print(found);
	char *end = text;
	double number = strtod(text, &end);
	return end != text && *end == '\0' ? number : fallback;
}

const char *look_text(const struct json_value *value, const char *path)
{
	const char *text = "";
	const struct json_value *found = look(value, path);
	return found != NULL && json_string(found, &text) ? text : "";
}

void look_print_texts(const struct json_value *array, const char *path)
{
	for (size_t i = 0; array != NULL && i < json_count(array); i++)
		puts(look_text(json_at(array, i), path));
}

bool look_flag(const struct json_value *value, const char *path)
{
	bool flag = false;
	const struct json_value *found = look(value, path);
	return found != NULL && json_bool(found, &flag) && flag;
}

char *look_shown(const struct json_value *value)
{
	const char *text;
	if (value == NULL || json_is_null(value))
		return mem_copy_string("-");
	if (json_string(value, &text))
		return mem_copy_string(text);
	return json_print(value);
}

char *look_json(const struct json_value *value)
{
	return value == NULL || json_is_null(value) ? mem_copy_string("-") : json_print(value);
}
