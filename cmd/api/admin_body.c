/* Admin body: reading with complaints that name the member. */
#include "admin_body.h"

#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"

static bool is_known(const char *const *known, const char *name)
{
	while (*known != NULL && strcmp(*known, name) != 0)
		known++;
	return *known != NULL;
}

/* Of the name that was sent only what looks like one is repeated. */
static enum wr_err unknown_member(const char *name, struct err_detail *ret_detail)
{
	if (strlen(name) > 40 || strspn(name, "abcdefghijklmnopqrstuvwxyz_") != strlen(name))
		name = "A member";
	return err_say(ret_detail, WR_INVALID, "%s: is not known here", name);
}

enum wr_err admin_body(const struct http_request *request, const char *const *known,
					   struct json_value **ret_document, struct err_detail *ret_detail)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	size_t len = 0;
	const char *body = http_request_body(request, &len);
	enum wr_err err = json_parse(body, len, &document, ret_detail);
	if (err != WR_OK)
		return err;
	if (!json_is_object(document))
		return err_say(ret_detail, WR_INVALID, "The body must be a JSON object.");
	for (size_t i = 0; i < json_count(document); i++)
		if (!is_known(known, json_key(json_at(document, i))))
			return unknown_member(json_key(json_at(document, i)), ret_detail);
	*ret_document = WR_TAKE(document);
	return WR_OK;
}

static bool is_plain(const char *text, bool lines)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < ' ' && !(lines && *text == '\n')) || *text == 0x7f)
			return false;
	return true;
}

enum wr_err admin_body_text(const struct json_value *document, const char *name, size_t least,
							size_t most, bool lines, const char **ret_text,
							struct err_detail *ret_detail)
{
	const struct json_value *given = json_member(document, name);
	const char *text = "";
	if ((given != NULL && !json_string(given, &text)) || strlen(text) < least ||
		strlen(text) > most || !is_plain(text, lines))
		return err_say(ret_detail, WR_INVALID,
					   "%s: must be a text of %zu..%zu bytes without control characters", name,
					   least, most);
	*ret_text = text;
	return WR_OK;
}

enum wr_err admin_body_number(const struct json_value *document, const char *name, int64_t least,
							  int64_t most, int64_t *ret_number, struct err_detail *ret_detail)
{
	const struct json_value *given = json_member(document, name);
	int64_t number;
	if (given == NULL)
		return WR_OK;
	if (!json_int(given, &number) || number < least || number > most)
		return err_say(ret_detail, WR_INVALID, "%s: must be a whole number %lld..%lld", name,
					   (long long)least, (long long)most);
	*ret_number = number;
	return WR_OK;
}

void admin_row_begin(struct json_out *out, const struct json_value *row, const char *secret)
{
	json_out_object(out, NULL);
	for (size_t i = 0; row != NULL && i < json_count(row); i++) {
		const struct json_value *member = json_at(row, i);
		if (secret != NULL && strcmp(json_key(member), secret) == 0)
			continue;
		WR_AUTO(mem_free_at) char *value = json_print(member);
		json_out_raw(out, json_key(member), value, strlen(value));
	}
}
