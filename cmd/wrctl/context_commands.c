/* wrctl context list|use|show: which clusters there are, and which one is spoken to. */
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "context.h"
#include "table.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "wrctl.h"

/* false: said. */
static bool load(struct contexts *ret)
{
	struct err_detail detail = {""};
	if (contexts_load(ret, &detail) == WR_OK)
		return true;
	wrctl_say("%s", detail.text);
	return false;
}

static void print_json(const struct contexts *contexts)
{
	size_t room = 4096 * (contexts->count + 1);
	for (size_t i = 0; i < contexts->count; i++)
		for (size_t k = 0; k < contexts->list[i].url_count; k++)
			room += 6 * strlen(contexts->list[i].urls[k]);
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out out;
	json_out_init(&out, text, room);
	json_out_object(&out, NULL);
	if (contexts->current != NULL)
		json_out_string(&out, "current", contexts->current);
	json_out_array(&out, "contexts");
	for (size_t i = 0; i < contexts->count; i++) {
		const struct context *context = &contexts->list[i];
		json_out_object(&out, NULL);
		json_out_string(&out, "name", context->name);
		json_out_array(&out, "urls");
		for (size_t k = 0; k < context->url_count; k++)
			json_out_string(&out, NULL, context->urls[k]);
		json_out_array_end(&out);
		if (context->key_file != NULL)
			json_out_string(&out, "key_file", context->key_file);
		json_out_object_end(&out);
	}
	json_out_array_end(&out);
	json_out_object_end(&out);
	printf("%.*s\n", (int)out.len, text);
}

static void print_table(const struct wrctl *w, const struct contexts *contexts)
{
	WR_AUTO(table_free_at) struct table *table = table_new("", "context", "urls…", "key file");
	for (size_t i = 0; i < contexts->count; i++) {
		const struct context *context = &contexts->list[i];
		bool is_current =
			contexts->current != NULL && strcmp(contexts->current, context->name) == 0;
		table_cell(table, PAINT_GREEN, "%s", is_current ? "*" : "");
		table_cell(table, is_current ? PAINT_BOLD : PAINT_PLAIN, "%s", context->name);
		table_cell(table, PAINT_PLAIN, "%s%s", context->urls[0],
				   context->url_count > 1 ? ", …" : "");
		table_cell(table, PAINT_PLAIN, "%s", context->key_file ? context->key_file : "-");
	}
	table_print(table, &w->terminal);
}

int wrctl_context_list(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(contexts_clear) struct contexts contexts = {0};
	(void)argc, (void)argv;
	if (!load(&contexts))
		return WRCTL_USAGE;
	if (wrctl_flag(w, "names"))
		for (size_t i = 0; i < contexts.count; i++)
			puts(contexts.list[i].name);
	else if (w->json)
		print_json(&contexts);
	else if (contexts.count == 0)
		wrctl_say("%s: there are no contexts", contexts.path);
	else
		print_table(w, &contexts);
	return WRCTL_DONE;
}

int wrctl_context_use(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(contexts_clear) struct contexts contexts = {0};
	struct err_detail detail = {""};
	(void)w, (void)argc;
	if (!load(&contexts))
		return WRCTL_USAGE;
	enum wr_err err = contexts_use(&contexts, argv[0], &detail);
	if (err != WR_OK) {
		wrctl_say("%s", detail.text);
		return err == WR_NOT_FOUND ? WRCTL_NOT_FOUND : WRCTL_USAGE;
	}
	printf("The current context is %s.\n", argv[0]);
	return WRCTL_DONE;
}

static const char *where_the_key_is(const struct wrctl *w, const struct context *context)
{
	const char *key = getenv("WRCTL_KEY");
	if (wrctl_flag(w, "key-stdin"))
		return "standard input";
	if (key != NULL && key[0] != '\0')
		return "WRCTL_KEY";
	return context->key_file ? context->key_file : "(none)";
}

int wrctl_context_show(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(contexts_clear) struct contexts contexts = {0};
	WR_AUTO(context_clear) struct context context = {0};
	struct err_detail detail = {""};
	const char *name = argc > 0 ? argv[0] : wrctl_option(w, "context");
	if (!load(&contexts))
		return WRCTL_USAGE;
	enum wr_err err = context_choose(&contexts, name, &context, &detail);
	if (err != WR_OK) {
		wrctl_say("%s", detail.text);
		return err == WR_NOT_FOUND ? WRCTL_NOT_FOUND : WRCTL_USAGE;
	}
	printf("context    %s\n", context.name[0] != '\0' ? context.name : "(environment)");
	for (size_t i = 0; i < context.url_count; i++)
		printf("url        %s\n", context.urls[i]);
	printf("key        %s\n", where_the_key_is(w, &context));
	printf("CA file    %s\n", context.ca_file ? context.ca_file : "(the system's)");
	printf("NATS       %s\n", context.nats_url ? context.nats_url : "(none)");
	printf("output     %s\n", context.json ? "json" : "table");
	printf("contexts   %s\n", contexts.path);
	return WRCTL_DONE;
}
