/* Doctor: what is wrong with an installation, put together from what all its pods say. */
#ifndef WRCTL_DOCTOR_H
#define WRCTL_DOCTOR_H

#include <stdio.h>

#include "context.h"
#include "terminal.h"
#include "waitingroom/health.h"
#include "waitingroom/json_in.h"

/* One thing that was found, by one pod or several. */
struct finding {
	struct health_check check;
	size_t says_count;
	char says[CONTEXT_URLS_MAX][64]; /* who says it: pods by name; none: wrctl itself */
};

struct findings {
	struct finding *list;
	size_t count, room;
	size_t urls, answered; /* asked, and those that gave a report */
};
void findings_clear(struct findings *findings);

/* ---- doctor_findings.c, pure ---- */

/* Takes in the report of one pod (the answer of GET /admin/v1/health). What several say alike is
 * one finding; numbers in it may differ. false: it is not such an answer. */
bool findings_take_report(struct findings *findings, const struct json_value *report);
/* What wrctl has found itself. */
void findings_add(struct findings *findings, const char *name, enum health_status status,
				  const char *act, const char *said, ...) WR_PRINTF(5, 6);
/* Sorted for people: what fails first. "ok" of a part goes when somebody finds fault with it; a
 * part that some pods find well and others do not is said to be so. */
void findings_settle(struct findings *findings);
enum health_status findings_worst(const struct findings *findings);

/* ---- doctor_print.c ---- */
void findings_print(const struct findings *findings, const struct terminal *terminal, FILE *out);
void findings_print_json(const struct findings *findings, FILE *out);

#endif
