/* Body: a JSON request of settings from arguments "name=value". */
#include "body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "file.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"
#include "waitingroom/settings.h"

enum kind { KIND_UNKNOWN, KIND_NUMBER, KIND_TEXT, KIND_JSON };

static const struct {
	const char *name;
	enum kind kind;
} known[] = {
#define NUMBER_ROW(name, ...) {#name, KIND_NUMBER},
#define CHOICE_ROW(type, name, ...) {#name, KIND_TEXT},
#define TEXT_ROW(name, ...) {#name, KIND_TEXT},
#define SHAPE_ROW(name, ...) {#name, KIND_JSON},
	{"template", KIND_TEXT}, /* before its row among the shapes: HTML is not JSON */
	QUEUE_NUMBER_TABLE(NUMBER_ROW) QUEUE_CHOICE_TABLE(CHOICE_ROW) QUEUE_TEXT_TABLE(TEXT_ROW)
		QUEUE_SHAPE_TABLE(SHAPE_ROW)
#undef NUMBER_ROW
#undef CHOICE_ROW
#undef TEXT_ROW
#undef SHAPE_ROW
};

static enum kind kind_of(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
			return known[i].kind;
	return KIND_UNKNOWN;
}

static const char *nearest(const char *name)
{
	const char *found = NULL;
	size_t least = WORD_NEAR + 1;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t errors = word_distance(name, known[i].name);
		if (strncmp(known[i].name, name, strlen(name)) == 0)
			return known[i].name; /* only begun */
		if (errors < least && errors * 2 < strlen(known[i].name)) {
			least = errors;
			found = known[i].name;
		}
	}
	return found;
}

/* The API does not repeat names that it does not know; here they are no secret. */
void body_say_unknown(const char *body)
{
	WR_AUTO(json_free_at) struct json_value *settings = NULL;
	struct err_detail detail;
	if (json_parse(body, strlen(body), &settings, &detail) != WR_OK)
		return;
	for (size_t i = 0; i < json_count(settings); i++) {
		const char *name = json_key(json_at(settings, i));
		const char *meant = nearest(name);
		if (kind_of(name, strlen(name)) != KIND_UNKNOWN)
			continue;
		fprintf(stderr, "  \"%s\" is no setting that wrctl knows of", name);
		if (meant != NULL)
			fprintf(stderr, "; did you mean \"%s\"?\n", meant);
		else
			fputs(".\n", stderr);
	}
}

static bool is_json(const char *text, size_t len)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct err_detail detail;
	return json_parse(text, len, &document, &detail) == WR_OK;
}

static enum wr_err put_value(struct json_out *out, const char *name, const char *value, size_t len,
							 struct err_detail *ret_detail)
{
	enum kind kind = kind_of(name, strlen(name));
	int64_t number;
	if (kind == KIND_NUMBER && !text_to_i64(value, len, INT64_MIN, INT64_MAX, &number))
		return err_say(ret_detail, WR_INVALID, "%s: must be a whole number, is \"%.40s\"", name,
					   value);
	if (kind != KIND_TEXT && is_json(value, len))
		json_out_raw(out, name, value, len);
	else
		json_out_string_n(out, name, value, len);
	return WR_OK;
}

static enum wr_err check_name(const char *name, struct err_detail *ret_detail)
{
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name))
		return err_say(ret_detail, WR_INVALID, "%.60s: is no name of a setting", name);
	return WR_OK;
}

static enum wr_err put_one(struct json_out *out, const char *argument,
						   struct err_detail *ret_detail)
{
	const char *equals = strchr(argument, '=');
	WR_AUTO(mem_free_at) char *content = NULL;
	size_t len = 0;
	if (equals == NULL || equals == argument)
		return err_say(ret_detail, WR_INVALID, "\"%.60s\": must be name=value", argument);
	WR_AUTO(mem_free_at) char *name = mem_copy(argument, (size_t)(equals - argument));
	enum wr_err err = check_name(name, ret_detail);
	if (err != WR_OK)
		return err;
	if (equals[1] != '@')
		return put_value(out, name, equals + 1, strlen(equals + 1), ret_detail);
	err = file_read(equals + 2, &content, &len, ret_detail);
	return err == WR_OK ? put_value(out, name, content, len, ret_detail) : err;
}

static enum wr_err check_twice(int argc, char *const argv[], struct err_detail *ret_detail)
{
	for (int i = 0; i < argc; i++) {
		size_t len = strcspn(argv[i], "=") + 1;
		for (int k = 0; k < i; k++)
			if (strncmp(argv[i], argv[k], len) == 0)
				return err_say(ret_detail, WR_INVALID, "%.60s: is given twice", argv[i]);
	}
	return WR_OK;
}

/* A setting that has a value already, or is given twice here, is said to be so. */
static enum wr_err put_defaults(struct json_out *out, const char *const *defaults, int argc,
								char *const argv[], struct err_detail *ret_detail)
{
	enum wr_err err = WR_OK;
	for (int i = 0; err == WR_OK && defaults != NULL && defaults[i] != NULL; i++) {
		size_t len = strlen(defaults[i]);
		bool twice = false;
		for (int k = 0; k < argc; k++)
			twice |= strncmp(argv[k], defaults[i], len) == 0 && argv[k][len] == '=';
		for (int k = 0; k < i; k++)
			twice |= strcmp(defaults[k], defaults[i]) == 0;
		err = check_name(defaults[i], ret_detail);
		if (twice)
			err = err_say(ret_detail, WR_INVALID, "%.60s: is given twice", defaults[i]);
		json_out_null(out, defaults[i]);
	}
	return err;
}

enum wr_err body_of_settings(int argc, char *const argv[], const char *const *defaults, char **ret,
							 struct err_detail *ret_detail)
{
	/* The largest settings, each byte escaped at its longest. */
	size_t room = 6 * QUEUE_SETTINGS_JSON_BYTES;
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room + 1);
	struct json_out out;
	enum wr_err err = check_twice(argc, argv, ret_detail);
	json_out_init(&out, text, room);
	json_out_object(&out, NULL);
	for (int i = 0; i < argc && err == WR_OK; i++)
		err = put_one(&out, argv[i], ret_detail);
	if (err == WR_OK)
		err = put_defaults(&out, defaults, argc, argv, ret_detail);
	json_out_object_end(&out);
	if (err == WR_OK && out.overflow)
		err = err_say(ret_detail, WR_INVALID, "more than the settings of a queue may take");
	if (err == WR_OK)
		*ret = WR_TAKE(text);
	return err;
}
