/* Plan: making one. A file that is wrong anywhere changes nothing: all of it is tried first. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "diff.h"
#include "file.h"
#include "look.h"
#include "progress.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

void plan_clear(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		free(plan->steps[i].queue);
		free(plan->steps[i].body);
		reply_clear(&plan->steps[i].dry_run);
	}
	free(plan->steps);
	*plan = (struct plan){0};
}

bool plan_is_empty(const struct plan *plan)
{
	return plan->actions[PLAN_KEEP] == plan->count;
}

static struct plan_step *add_step(struct plan *plan, const struct queue_name *name)
{
	char text[QUEUE_NAME_TEXT_BYTES];
	queue_name_print(name, text);
	plan->steps = mem_grow(plan->steps, plan->count + 1, sizeof(*plan->steps));
	struct plan_step *step = &plan->steps[plan->count++];
	*step = (struct plan_step){.queue = mem_copy_string(text)};
	return step;
}

static void drop_last_step(struct plan *plan)
{
	struct plan_step *step = &plan->steps[--plan->count];
	free(step->queue);
	free(step->body);
	reply_clear(&step->dry_run);
}

static const struct plan_step *find_step(const struct plan *plan, const char *queue)
{
	for (size_t i = 0; i < plan->count; i++)
		if (strcmp(plan->steps[i].queue, queue) == 0)
			return &plan->steps[i];
	return NULL;
}

/* ---- the file ---- */

static enum wr_err read_one(const struct json_value *element, size_t number, struct plan *plan,
							struct err_detail *ret_detail)
{
	const char *text = NULL;
	char printed[QUEUE_NAME_TEXT_BYTES];
	struct queue_name name;
	if (!json_string(json_member(element, "queue"), &text) ||
		!queue_name_parse(text, strlen(text), &name))
		return err_say(ret_detail, WR_INVALID, "queue %zu: needs \"queue\":\"tenant/queue\"",
					   number);
	queue_name_print(&name, printed);
	if (find_step(plan, printed) != NULL)
		return err_say(ret_detail, WR_INVALID, "queue %s: is declared twice", printed);
	add_step(plan, &name)->body = json_print_without(element, "queue");
	return WR_OK;
}

static enum wr_err read_declarations(const char *path, struct plan *plan,
									 struct err_detail *ret_detail)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	WR_AUTO(mem_free_at) char *text = NULL;
	size_t len = 0;
	enum wr_err err = file_read(path, &text, &len, ret_detail);
	if (err == WR_OK)
		err = json_parse(text, len, &document, ret_detail);
	if (err != WR_OK)
		return err;
	const struct json_value *queues = json_member(document, "queues");
	if (queues == NULL || !json_is_array(queues))
		return err_say(ret_detail, WR_INVALID, "needs a member \"queues\": [ … ]");
	for (size_t i = 0; i < json_count(queues) && err == WR_OK; i++)
		err = json_is_object(json_at(queues, i))
				  ? read_one(json_at(queues, i), i + 1, plan, ret_detail)
				  : err_say(ret_detail, WR_INVALID, "queue %zu: must be an object", i + 1);
	return err;
}

/* ---- what the servers say ---- */

/* The version that is there, "" when there is no such queue. */
static int read_version(struct wrctl *w, struct plan_step *step)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, step->queue, "");
	WR_AUTO(reply_clear) struct reply reply = {0};
	int code = wrctl_ask_or(w, &(struct request){.method = "GET", .path = path}, 404, &reply);
	if (code != WRCTL_DONE)
		return code;
	if (reply.status == 404 && strcmp(reply_code(&reply), "no_such_queue") == 0)
		return WRCTL_DONE;
	if (reply.status == 404)
		return reply_say(w, &reply);
	snprintf(step->version, sizeof(step->version), "%lld",
			 (long long)look_int(reply.json, "version", 0));
	return WRCTL_DONE;
}

static void say_which(const struct plan_step *step, int code)
{
	fprintf(stderr, "  (queue %s)\n", step->queue);
	if (code == WRCTL_REFUSED)
		body_say_unknown(step->body);
}

/* A dry run of a new queue does not ask whether there is its tenant. */
static int check_tenant(struct wrctl *w, const struct plan_step *step)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	char path[NAME_MAX_CHARS + 32];
	snprintf(path, sizeof(path), "/admin/v1/tenants/%.*s", (int)strcspn(step->queue, "/"),
			 step->queue);
	return wrctl_get(w, path, &reply);
}

static int try_step(struct wrctl *w, struct plan_step *step)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, step->queue, "?dry_run=1");
	int code = read_version(w, step);
	if (code != WRCTL_DONE)
		return code;
	bool is_new = step->version[0] == '\0';
	struct request request = {.method = "PUT",
							  .path = path,
							  .body = step->body,
							  .if_match = is_new ? NULL : step->version,
							  .only_new = is_new};
	code = is_new ? check_tenant(w, step) : WRCTL_DONE;
	if (code == WRCTL_DONE)
		code = wrctl_ask(w, &request, &step->dry_run);
	if (code != WRCTL_DONE)
		say_which(step, code);
	else if (is_new)
		step->action = PLAN_CREATE;
	else
		step->action = diff_count(step->dry_run.json) > 0 ? PLAN_CHANGE : PLAN_KEEP;
	return code;
}

static bool names_tenant(const struct plan *plan, const struct queue_name *name)
{
	size_t len = strlen(name->tenant);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].body != NULL && strncmp(plan->steps[i].queue, name->tenant, len) == 0 &&
			plan->steps[i].queue[len] == '/')
			return true;
	return false;
}

static int add_deletes(struct wrctl *w, struct plan *plan)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	int code = wrctl_get(w, "/admin/v1/queues", &reply);
	const struct json_value *queues = look(reply.json, "queues");
	for (size_t i = 0; code == WRCTL_DONE && queues != NULL && i < json_count(queues); i++) {
		const struct json_value *queue = json_at(queues, i);
		const char *text = look_text(queue, "queue");
		struct queue_name name;
		if (!queue_name_parse(text, strlen(text), &name) || find_step(plan, text) != NULL ||
			!names_tenant(plan, &name))
			continue;
		/* The list is as old as the pod's picture; what is deleted is tied to what is there. */
		struct plan_step *step = add_step(plan, &name);
		code = read_version(w, step);
		step->action = PLAN_DELETE;
		if (step->version[0] == '\0')
			drop_last_step(plan);
	}
	return code;
}

int plan_make(struct wrctl *w, const char *path, bool prune, struct plan *ret)
{
	struct err_detail detail = {""};
	struct progress progress;
	int code = WRCTL_DONE;
	*ret = (struct plan){0};
	if (read_declarations(path, ret, &detail) != WR_OK) {
		wrctl_say("%s: %s", path, detail.text);
		return WRCTL_USAGE;
	}
	progress_begin(&progress, &w->terminal, "comparing", (int64_t)ret->count);
	for (size_t i = 0; i < ret->count; i++) {
		int one = try_step(w, &ret->steps[i]);
		code = code == WRCTL_DONE ? one : code;
		if (one == WRCTL_UNREACHABLE || one == WRCTL_NOT_ALLOWED)
			break;
		progress_set(&progress, (int64_t)i + 1);
	}
	progress_end(&progress);
	if (code == WRCTL_DONE && prune)
		code = add_deletes(w, ret);
	for (size_t i = 0; i < ret->count; i++)
		ret->actions[ret->steps[i].action]++;
	return code;
}
