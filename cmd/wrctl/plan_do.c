/* Plan: showing it, doing it. Each step is tied to what was shown: a queue that somebody else has
 * changed in between is not overwritten, and the rest is left alone. */
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "plan.h"
#include "table.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "watching.h"

static const char *const action_words[] = {"keep", "create", "change", "delete"};
static const char *const done_words[] = {"unchanged", "created", "changed", "deleted"};
static const char *const result_words[] = {"not done", "done", "failed"};

void plan_print(const struct plan *plan, const struct terminal *terminal)
{
	static const char *const signs[] = {" ", "+", "~", "-"};
	static const enum paint colours[] = {PAINT_PLAIN, PAINT_GREEN, PAINT_YELLOW, PAINT_RED};
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *step = &plan->steps[i];
		if (step->action == PLAN_KEEP)
			continue;
		printf("%s%s %s%s", paint(terminal->colour, colours[step->action]), signs[step->action],
			   step->queue, paint(terminal->colour, PAINT_PLAIN));
		if (step->action == PLAN_CREATE)
			puts(" (new)");
		else if (step->action == PLAN_DELETE)
			puts(" (is not declared: will be deleted, with everybody in it)");
		else
			printf(" (version %s)\n", step->version);
		diff_print(step->dry_run.json, step->action == PLAN_CREATE, terminal);
		diff_print_effect(step->dry_run.json, terminal);
	}
	printf("%zu to create, %zu to change, %zu to delete, %zu unchanged.\n",
		   plan->actions[PLAN_CREATE], plan->actions[PLAN_CHANGE], plan->actions[PLAN_DELETE],
		   plan->actions[PLAN_KEEP]);
}

/* ---- doing ---- */

static int do_step(struct wrctl *w, const struct plan_step *step)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, step->queue, "");
	WR_AUTO(reply_clear) struct reply reply = {0};
	bool is_delete = step->action == PLAN_DELETE, is_new = step->action == PLAN_CREATE;
	struct request request = {.method = is_delete ? "DELETE" : "PUT",
							  .path = path,
							  .body = is_delete ? NULL : step->body,
							  .if_match = is_new ? NULL : step->version,
							  .only_new = is_new};
	return wrctl_ask(w, &request, &reply);
}

/* After a step that did not work: a person must know what is as it was. */
static void say_how_far(const struct plan *plan)
{
	size_t done = 0, left = 0;
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *step = &plan->steps[i];
		if (step->action == PLAN_KEEP)
			continue;
		done += step->result == PLAN_DONE;
		left += step->result == PLAN_NOT_DONE;
		fprintf(stderr, "  %-8s %s %s\n", result_words[step->result], action_words[step->action],
				step->queue);
	}
	fprintf(stderr, "  %zu done, %zu left. The same command again does the rest.\n", done, left);
}

int plan_do(struct wrctl *w, struct plan *plan)
{
	struct progress progress;
	int code = WRCTL_DONE;
	size_t done = 0, all = plan->count - plan->actions[PLAN_KEEP];
	interrupt_watch();
	progress_begin(&progress, &w->terminal, "applying", (int64_t)all);
	for (size_t i = 0; i < plan->count && code == WRCTL_DONE; i++) {
		struct plan_step *step = &plan->steps[i];
		if (step->action == PLAN_KEEP)
			continue;
		if (interrupt_seen()) {
			wrctl_say("stopped between two queues");
			code = WRCTL_REFUSED;
			break;
		}
		code = do_step(w, step);
		step->result = code == WRCTL_DONE ? PLAN_DONE : PLAN_FAILED;
		progress_set(&progress, (int64_t)++done);
		if (code == WRCTL_DONE && !w->json) {
			progress_end(&progress);
			printf("%s %s\n", step->queue, done_words[step->action]);
			fflush(stdout); /* a log shows how far it is */
		}
	}
	progress_end(&progress);
	fflush(stdout);
	if (code != WRCTL_DONE)
		say_how_far(plan);
	return code;
}

/* ---- as JSON ---- */

void plan_print_json(const struct plan *plan)
{
	fputs("{\"queues\":[", stdout);
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *step = &plan->steps[i];
		printf("%s{\"queue\":\"%s\",\"action\":\"%s\",\"result\":\"%s\"", i > 0 ? "," : "",
			   step->queue, action_words[step->action],
			   step->action == PLAN_KEEP ? "nothing to do" : result_words[step->result]);
		if (step->dry_run.json != NULL)
			printf(",\"dry_run\":%s", step->dry_run.text);
		putchar('}');
	}
	puts("]}");
}
