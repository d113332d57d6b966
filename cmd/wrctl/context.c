/* Contexts: reading the file, choosing one, and what the environment changes. The key: key.c. */
#include "context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

/* ---- one context ---- */

void context_clear(struct context *context)
{
	for (size_t i = 0; i < context->url_count; i++)
		free(context->urls[i]);
	free(context->name);
	free(context->key_file);
	free(context->ca_file);
	free(context->nats_url);
	*context = (struct context){0};
}

static char *copy_or_null(const char *text)
{
	return text ? mem_copy_string(text) : NULL;
}

static void context_copy(const struct context *from, struct context *ret)
{
	*ret = (struct context){.name = mem_copy_string(from->name),
							.key_file = copy_or_null(from->key_file),
							.ca_file = copy_or_null(from->ca_file),
							.nats_url = copy_or_null(from->nats_url),
							.json = from->json,
							.url_count = from->url_count};
	for (size_t i = 0; i < from->url_count; i++)
		ret->urls[i] = mem_copy_string(from->urls[i]);
}

static enum wr_err add_url(struct context *context, const char *text, size_t len,
						   struct err_detail *ret_detail)
{
	while (len > 0 && text[len - 1] == '/')
		len--;
	if ((strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0) ||
		memchr(text, '@', len) != NULL || memchr(text, '?', len) != NULL)
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "url %.*s: must be http://host:port or https://host:port", (int)len, text);
	if (context->url_count == CONTEXT_URLS_MAX)
		return err_say(ret_detail, WR_BAD_CONFIG, "urls: more than %d", CONTEXT_URLS_MAX);
	context->urls[context->url_count++] = mem_copy(text, len);
	return WR_OK;
}

/* ---- the file ---- */

static char *default_path(void)
{
	const char *given = getenv("WRCTL_CONFIG"), *base = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	if (given != NULL && given[0] != '\0')
		return mem_copy_string(given);
	if (base != NULL && base[0] == '/')
		return file_join(base, "wrctl/contexts.json");
	return file_join(home != NULL ? home : "", ".config/wrctl/contexts.json");
}

/* A member that is a file, found from where the contexts file is. */
static enum wr_err read_path(const struct json_value *object, const char *member,
							 const char *contexts_path, char **ret, struct err_detail *ret_detail)
{
	const struct json_value *value = json_member(object, member);
	const char *text = NULL;
	if (value == NULL)
		return WR_OK;
	if (!json_string(value, &text) || text[0] == '\0')
		return err_say(ret_detail, WR_BAD_CONFIG, "%s: must be the name of a file", member);
	*ret = file_beside(contexts_path, text);
	return WR_OK;
}

static enum wr_err read_urls(const struct json_value *list, struct context *context,
							 struct err_detail *ret_detail)
{
	if (list == NULL || !json_is_array(list) || json_count(list) == 0)
		return err_say(ret_detail, WR_BAD_CONFIG, "urls: must be a list of at least one url");
	for (size_t i = 0; i < json_count(list); i++) {
		const char *url = NULL;
		if (!json_string(json_at(list, i), &url))
			return err_say(ret_detail, WR_BAD_CONFIG, "urls: must be texts");
		enum wr_err err = add_url(context, url, strlen(url), ret_detail);
		if (err != WR_OK)
			return err;
	}
	return WR_OK;
}

static enum wr_err read_output(const struct json_value *value, bool *ret_json,
							   struct err_detail *ret_detail)
{
	const char *text = NULL;
	if (value == NULL)
		return WR_OK;
	if (!json_string(value, &text) || (strcmp(text, "table") != 0 && strcmp(text, "json") != 0))
		return err_say(ret_detail, WR_BAD_CONFIG, "output: must be \"table\" or \"json\"");
	*ret_json = strcmp(text, "json") == 0;
	return WR_OK;
}

static enum wr_err check_members(const struct json_value *object, struct err_detail *ret_detail)
{
	static const char *const known[] = {"name",		"urls",	  "key_file", "ca_file",
										"nats_url", "output", NULL};
	if (!json_is_object(object))
		return err_say(ret_detail, WR_BAD_CONFIG, "must be an object");
	for (size_t i = 0; i < json_count(object); i++) {
		const char *key = json_key(json_at(object, i));
		bool found = false;
		for (const char *const *name = known; *name != NULL; name++)
			found = found || strcmp(key, *name) == 0;
		if (strcmp(key, "key") == 0)
			return err_say(ret_detail, WR_BAD_CONFIG,
						   "key: a key is not kept here; put it into a file of mode 600 and name "
						   "that as key_file");
		if (!found)
			return err_say(ret_detail, WR_BAD_CONFIG, "%.60s: there is no such member", key);
	}
	return WR_OK;
}

static enum wr_err read_context(const struct json_value *object, const char *path,
								struct context *context, struct err_detail *ret_detail)
{
	const char *name = NULL, *nats_url = NULL;
	const struct json_value *nats = json_member(object, "nats_url");
	enum wr_err err = check_members(object, ret_detail);
	if (err != WR_OK)
		return err;
	if (!json_string(json_member(object, "name"), &name) || name[0] == '\0')
		return err_say(ret_detail, WR_BAD_CONFIG, "name: is missing");
	context->name = mem_copy_string(name);
	if (nats != NULL && !json_string(nats, &nats_url))
		return err_say(ret_detail, WR_BAD_CONFIG, "nats_url: must be a text");
	context->nats_url = copy_or_null(nats_url);
	err = read_urls(json_member(object, "urls"), context, ret_detail);
	if (err == WR_OK)
		err = read_path(object, "key_file", path, &context->key_file, ret_detail);
	if (err == WR_OK)
		err = read_path(object, "ca_file", path, &context->ca_file, ret_detail);
	if (err == WR_OK)
		err = read_output(json_member(object, "output"), &context->json, ret_detail);
	return err;
}

static enum wr_err read_all(const struct json_value *document, struct contexts *contexts,
							struct err_detail *ret_detail)
{
	const struct json_value *list = json_member(document, "contexts");
	const struct json_value *current = json_member(document, "current");
	const char *name = NULL;
	if (list == NULL || !json_is_array(list))
		return err_say(ret_detail, WR_BAD_CONFIG, "%s: needs \"contexts\": [ … ]", contexts->path);
	if (current != NULL && !json_string(current, &name))
		return err_say(ret_detail, WR_BAD_CONFIG, "%s: current: must be a name", contexts->path);
	contexts->current = copy_or_null(name);
	contexts->list = mem_alloc_zero(json_count(list) + 1, sizeof(*contexts->list));
	for (size_t i = 0; i < json_count(list); i++) {
		struct err_detail inner = {""};
		enum wr_err err = read_context(json_at(list, i), contexts->path,
									   &contexts->list[contexts->count++], &inner);
		if (err != WR_OK)
			return err_say(ret_detail, err, "%s: context %zu: %s", contexts->path, i + 1,
						   inner.text);
	}
	return WR_OK;
}

void contexts_clear(struct contexts *contexts)
{
	for (size_t i = 0; i < contexts->count; i++)
		context_clear(&contexts->list[i]);
	free(contexts->list);
	free(contexts->path);
	free(contexts->current);
	*contexts = (struct contexts){0};
}

enum wr_err contexts_load(struct contexts *ret, struct err_detail *ret_detail)
{
	struct contexts contexts = {.path = default_path()};
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	WR_AUTO(mem_free_at) char *text = NULL;
	struct err_detail inner = {""};
	size_t len = 0;
	enum wr_err err = file_read(contexts.path, &text, &len, &inner);
	if (err == WR_OK)
		err = json_parse(text, len, &document, &inner);
	if (err == WR_OK)
		err = read_all(document, &contexts, ret_detail);
	else if (err != WR_NOT_FOUND)
		err = err_say(ret_detail, WR_BAD_CONFIG, "%s: %s", contexts.path, inner.text);
	if (err != WR_OK && err != WR_NOT_FOUND) {
		contexts_clear(&contexts);
		return err;
	}
	*ret = contexts;
	return WR_OK;
}

const struct context *contexts_find(const struct contexts *contexts, const char *name)
{
	for (size_t i = 0; i < contexts->count; i++)
		if (strcmp(contexts->list[i].name, name) == 0)
			return &contexts->list[i];
	return NULL;
}

/* ---- choosing ---- */

static enum wr_err no_such_context(const struct contexts *contexts, const char *name,
								   struct err_detail *ret_detail)
{
	return err_say(ret_detail, WR_NOT_FOUND, "there is no context \"%.60s\" in %s", name,
				   contexts->path);
}

enum wr_err contexts_use(const struct contexts *contexts, const char *name,
						 struct err_detail *ret_detail)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	WR_AUTO(mem_free_at) char *text = NULL;
	size_t len = 0;
	if (contexts_find(contexts, name) == NULL)
		return no_such_context(contexts, name, ret_detail);
	enum wr_err err = file_read(contexts->path, &text, &len, ret_detail);
	if (err == WR_OK)
		err = json_parse(text, len, &document, ret_detail);
	if (err != WR_OK)
		return err;
	/* Whatever else is in the file stays as it is; "contexts" is there, so the rest is not
	 * empty. */
	WR_AUTO(mem_free_at) char *rest = json_print_without(document, "current");
	size_t room = strlen(rest) + 6 * strlen(name) + 64;
	WR_AUTO(mem_free_at) char *changed = mem_alloc_zero(1, room);
	struct json_out out;
	json_out_init(&out, changed, room);
	json_out_object(&out, NULL);
	json_out_string(&out, "current", name);
	snprintf(changed + out.len, room - out.len, ",%s\n", rest + 1);
	return file_replace(contexts->path, changed, ret_detail);
}

static void replace(char **text, const char *variable)
{
	const char *value = getenv(variable);
	if (value == NULL || value[0] == '\0')
		return;
	free(*text);
	*text = mem_copy_string(value);
}

static enum wr_err take_urls_of_environment(struct context *context, struct err_detail *ret_detail)
{
	const char *text = getenv("WRCTL_URL");
	if (text == NULL || text[0] == '\0')
		return WR_OK;
	for (size_t i = 0; i < context->url_count; i++)
		free(context->urls[i]);
	context->url_count = 0;
	for (; *text != '\0'; text += strspn(text, ", ")) {
		size_t len = strcspn(text, ", ");
		enum wr_err err = add_url(context, text, len, ret_detail);
		if (err != WR_OK)
			return err;
		text += len;
	}
	return WR_OK;
}

enum wr_err context_choose(const struct contexts *contexts, const char *name, struct context *ret,
						   struct err_detail *ret_detail)
{
	const char *environment = getenv("WRCTL_CONTEXT");
	struct context context = {.name = mem_copy_string("")};
	if (name == NULL && environment != NULL && environment[0] != '\0')
		name = environment;
	if (name == NULL)
		name = contexts->current;
	const struct context *found = name ? contexts_find(contexts, name) : NULL;
	if (name != NULL && found == NULL) {
		context_clear(&context);
		return no_such_context(contexts, name, ret_detail);
	}
	if (found != NULL) {
		context_clear(&context);
		context_copy(found, &context);
	}
	enum wr_err err = take_urls_of_environment(&context, ret_detail);
	if (err == WR_OK && context.url_count == 0)
		err = add_url(&context, CONTEXT_URL_DEFAULT, strlen(CONTEXT_URL_DEFAULT), ret_detail);
	replace(&context.key_file, "WRCTL_KEY_FILE");
	replace(&context.nats_url, "WRCTL_NATS_URL");
	if (err != WR_OK) {
		context_clear(&context);
		return err;
	}
	*ret = context;
	return WR_OK;
}
