/* wrctl tenant list|set|delete. */
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "look.h"
#include "table.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

static void print_tenants(const struct wrctl *w, const struct json_value *answer)
{
	const struct json_value *tenants = look(answer, "tenants");
	if (wrctl_flag(w, "names")) {
		look_print_texts(tenants, "tenant");
		return;
	}
	WR_AUTO(table_free_at)
	struct table *table = table_new("tenant", "title", "queues>", "most>", "note…");
	for (size_t i = 0; tenants != NULL && i < json_count(tenants); i++) {
		const struct json_value *tenant = json_at(tenants, i);
		table_cell(table, PAINT_BOLD, "%s", look_text(tenant, "tenant"));
		table_cell(table, PAINT_PLAIN, "%s", look_text(tenant, "title"));
		table_number(table, look_int(tenant, "queues", 0));
		table_number(table, look_int(tenant, "queues_max", 0));
		table_cell(table, PAINT_PLAIN, "%s", look_text(tenant, "note"));
	}
	table_print(table, &w->terminal);
}

int wrctl_tenant_list(struct wrctl *w, int argc, char **argv)
{
	(void)argc, (void)argv;
	return wrctl_show(w, "/admin/v1/tenants", print_tenants);
}

/* "/admin/v1/tenants/<name>"; gives; NULL: said. */
static char *tenant_path(const struct wrctl *w, const char *name)
{
	char *path;
	if (!name_is_valid(name, strlen(name))) {
		(void)wrctl_misuse(w, "\"%.80s\" is no name of a tenant: 1..63 of a-z, 0-9 and -", name);
		return NULL;
	}
	if (asprintf(&path, "/admin/v1/tenants/%s", name) < 0)
		abort();
	return path;
}

/* What is not given stays as it is there. */
static const char *text_of(const struct wrctl *w, const struct reply *there, const char *member)
{
	const char *given = wrctl_option(w, member);
	return given ? given : there->status == 200 ? look_text(there->json, member) : "";
}

int wrctl_tenant_set(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(mem_free_at) char *path = tenant_path(w, argv[0]);
	WR_AUTO(reply_clear) struct reply there = {0};
	WR_AUTO(reply_clear) struct reply reply = {0};
	char body[8192];
	struct json_out out;
	(void)argc;
	if (path == NULL)
		return WRCTL_USAGE;
	int code = wrctl_ask_or(w, &(struct request){.method = "GET", .path = path}, 404, &there);
	int64_t most = there.status == 200 ? look_int(there.json, "queues_max", -1) : -1;
	if (code != WRCTL_DONE || !wrctl_number(w, "queues-max", 0, 1000000, &most))
		return code != WRCTL_DONE ? code : WRCTL_USAGE;
	json_out_init(&out, body, sizeof(body) - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "title", text_of(w, &there, "title"));
	if (most >= 0)
		json_out_int(&out, "queues_max", most);
	json_out_string(&out, "note", text_of(w, &there, "note"));
	json_out_object_end(&out);
	if (out.overflow)
		return wrctl_misuse(w, "--title, --note: are too long");
	body[out.len] = '\0';
	code = wrctl_ask(w, &(struct request){.method = "PUT", .path = path, .body = body}, &reply);
	if (code == WRCTL_DONE && w->json)
		reply_print(&reply);
	else if (code == WRCTL_DONE)
		printf("Tenant %s is %s.\n", argv[0], there.status == 200 ? "changed" : "made");
	return code;
}

int wrctl_tenant_delete(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(mem_free_at) char *path = tenant_path(w, argv[0]);
	WR_AUTO(reply_clear) struct reply reply = {0};
	(void)argc;
	if (path == NULL)
		return WRCTL_USAGE;
	if (!wrctl_confirm(w, argv[0], "This deletes tenant %s and its keys.", argv[0]))
		return WRCTL_CONFLICT;
	int code = wrctl_ask(w, &(struct request){.method = "DELETE", .path = path}, &reply);
	if (code == WRCTL_DONE && !w->json)
		printf("Tenant %s is deleted.\n", argv[0]);
	return code;
}
