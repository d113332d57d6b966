/* Plan: what applying a file of declarations would do, and then does.
 *
 *     file ─► each queue: is it there? ─► dry run of the server ─► steps ─► shown ─► done in order
 *
 * What     The file is that of WR_QUEUES_FILE: {"queues":[{"queue":"tenant/queue", settings…}]}. A
 *          setting that is not declared has its default; secrets that are not declared stay.
 * Threads  one.
 */
#ifndef WRCTL_PLAN_H
#define WRCTL_PLAN_H

#include "client.h"

enum plan_action { PLAN_KEEP, PLAN_CREATE, PLAN_CHANGE, PLAN_DELETE, PLAN_ACTIONS };
enum plan_result { PLAN_NOT_DONE, PLAN_DONE, PLAN_FAILED };

struct plan_step {
	char *queue; /* "tenant/queue" */
	enum plan_action action;
	enum plan_result result;
	char *body;			  /* settings, JSON; NULL of a delete */
	char version[24];	  /* that it was read at */
	struct reply dry_run; /* zeroed of a delete */
};

struct plan {
	struct plan_step *steps; /* deletes last */
	size_t count;
	size_t actions[PLAN_ACTIONS]; /* how many of each */
};

/* Reads the file and asks the servers; changes nothing. What is wrong has been said for every
 * queue.
 * prune  queues that are not declared are deleted: those of the tenants that the file names.
 * ret    fills, whatever the exit code; end it with plan_clear. */
int plan_make(struct wrctl *w, const char *path, bool prune, struct plan *ret);
void plan_clear(struct plan *plan);
bool plan_is_empty(const struct plan *plan); /* nothing to do */
void plan_print(const struct plan *plan, const struct terminal *terminal);
/* Does the steps in order, until one fails or Ctrl-C is pressed; says what was done. */
int plan_do(struct wrctl *w, struct plan *plan);
/* One JSON document of the plan and its results. */
void plan_print_json(const struct plan *plan);

#endif
