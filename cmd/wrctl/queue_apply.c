/* wrctl queue apply|diff|export: queues as a file that can be kept beside the code. */
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "look.h"
#include "plan.h"
#include "pretty.h"
#include "progress.h"
#include "waitingroom/memory.h"

static int plan_of_file(struct wrctl *w, struct plan *plan)
{
	const char *path = wrctl_option(w, "file");
	if (path == NULL)
		return wrctl_misuse(w, "say which file: -f FILE");
	return plan_make(w, path, wrctl_flag(w, "prune"), plan);
}

static int show(const struct wrctl *w, const struct plan *plan)
{
	if (w->json)
		plan_print_json(plan);
	else if (plan_is_empty(plan))
		puts("Nothing to do: all queues are as declared.");
	else
		plan_print(plan, &w->terminal);
	return WRCTL_DONE;
}

int wrctl_queue_diff(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(plan_clear) struct plan plan = {0};
	(void)argc, (void)argv;
	int code = plan_of_file(w, &plan);
	if (code == WRCTL_DONE)
		code = show(w, &plan);
	if (code == WRCTL_DONE && wrctl_flag(w, "exit-code") && !plan_is_empty(&plan))
		return WRCTL_REFUSED;
	return code;
}

int wrctl_queue_apply(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(plan_clear) struct plan plan = {0};
	(void)argc, (void)argv;
	int code = plan_of_file(w, &plan);
	if (code != WRCTL_DONE) {
		if (plan.count > 0)
			wrctl_say("nothing was changed");
		return code;
	}
	if (plan_is_empty(&plan) || wrctl_flag(w, "dry-run"))
		return show(w, &plan);
	if (!w->json)
		plan_print(&plan, &w->terminal);
	if (!wrctl_confirm(w, "yes", "This is applied to %zu of %zu queues.",
					   plan.count - plan.actions[PLAN_KEEP], plan.count))
		return WRCTL_CONFLICT;
	code = plan_do(w, &plan);
	if (w->json)
		plan_print_json(&plan);
	return code;
}

/* ---- export ---- */

static int export_one(struct wrctl *w, const char *name, bool is_first)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, name, "");
	WR_AUTO(reply_clear) struct reply reply = {0};
	if (path == NULL)
		return WRCTL_USAGE;
	int code = wrctl_get(w, path, &reply);
	if (code != WRCTL_DONE)
		return code;
	const struct json_value *settings = look(reply.json, "settings");
	printf("%s\n\t\t{\n\t\t\t\"queue\": \"%s\"", is_first ? "" : ",",
		   look_text(reply.json, "queue"));
	for (size_t i = 0; settings != NULL && i < json_count(settings); i++) {
		const struct json_value *member = json_at(settings, i);
		if (strcmp(json_key(member), "version") == 0)
			continue; /* of this cluster, not of the declaration */
		WR_AUTO(mem_free_at) char *text = json_print(member);
		printf(",\n\t\t\t\"%s\": ", json_key(member));
		pretty_print(stdout, text, 3);
	}
	fputs("\n\t\t}", stdout);
	return WRCTL_DONE;
}

int wrctl_queue_export(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	int code = argc == 0 ? wrctl_get(w, "/admin/v1/queues", &reply) : WRCTL_DONE;
	const struct json_value *queues = look(reply.json, "queues");
	if (code != WRCTL_DONE)
		return code;
	fputs("{\n\t\"queues\": [", stdout);
	size_t count = argc > 0 ? (size_t)argc : queues != NULL ? json_count(queues) : 0;
	for (size_t i = 0; i < count && code == WRCTL_DONE; i++)
		code = export_one(w, argc > 0 ? argv[i] : look_text(json_at(queues, i), "queue"), i == 0);
	if (code == WRCTL_DONE)
		puts("\n\t]\n}");
	return code;
}
