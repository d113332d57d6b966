/* Findings: reports of several pods become one. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "look.h"
#include "waitingroom/memory.h"

void findings_clear(struct findings *findings)
{
	free(findings->list);
	*findings = (struct findings){.list = NULL};
}

/* The same but for the digits: "for 12 s" and "for 13 s" are one thing, seen twice. */
static bool is_alike(const char *a, const char *b)
{
	for (;;) {
		while (isdigit((unsigned char)*a))
			a++;
		while (isdigit((unsigned char)*b))
			b++;
		if (*a != *b)
			return false;
		if (*a == '\0')
			return true;
		a++;
		b++;
	}
}

static struct finding *add(struct findings *findings)
{
	if (findings->count == findings->room) {
		findings->room = findings->room > 0 ? 2 * findings->room : 32;
		findings->list = mem_grow(findings->list, findings->room, sizeof(*findings->list));
	}
	struct finding *finding = &findings->list[findings->count++];
	*finding = (struct finding){.says_count = 0};
	return finding;
}

static struct finding *find_alike(struct findings *findings, const struct health_check *check)
{
	for (size_t i = 0; i < findings->count; i++) {
		struct finding *finding = &findings->list[i];
		if (finding->says_count > 0 && finding->check.status == check->status &&
			strcmp(finding->check.name, check->name) == 0 &&
			(check->status == HEALTH_OK || is_alike(finding->check.said, check->said)))
			return finding;
	}
	return NULL;
}

static void take_check(struct findings *findings, const struct json_value *json, const char *pod)
{
	struct health_check check = {.status = HEALTH_WARN};
	if (!health_status_parse(look_text(json, "status"), &check.status))
		return; /* of a later version */
	snprintf(check.name, sizeof(check.name), "%s", look_text(json, "name"));
	snprintf(check.said, sizeof(check.said), "%s", look_text(json, "said"));
	snprintf(check.act, sizeof(check.act), "%s", look_text(json, "do"));
	struct finding *finding = find_alike(findings, &check);
	if (finding == NULL) {
		finding = add(findings);
		finding->check = check;
	}
	if (finding->says_count < CONTEXT_URLS_MAX)
		snprintf(finding->says[finding->says_count++], sizeof(finding->says[0]), "%s", pod);
}

bool findings_take_report(struct findings *findings, const struct json_value *report)
{
	const struct json_value *checks = look(report, "checks");
	const char *pod = look_text(report, "instance");
	if (!json_is_array(checks))
		return false;
	for (size_t i = 0; i < json_count(checks); i++)
		take_check(findings, json_at(checks, i), pod);
	findings->answered++;
	return true;
}

void findings_add(struct findings *findings, const char *name, enum health_status status,
				  const char *act, const char *said, ...)
{
	struct finding *finding = add(findings);
	finding->check.status = status;
	snprintf(finding->check.name, sizeof(finding->check.name), "%s", name);
	snprintf(finding->check.act, sizeof(finding->check.act), "%s", act);
	va_list arguments;
	va_start(arguments, said);
	vsnprintf(finding->check.said, sizeof(finding->check.said), said, arguments);
	va_end(arguments);
}

/* Parts stand in this order, queues behind them. */
static int rank(const char *name)
{
	static const char *const order[] = {"url",	 "key",		   "store",	 "broker",
										"clock", "settings",   "keys",	 "admitter",
										"pods",	 "invariants", "outbox", "queues"};
	int i = 0, count = (int)(sizeof(order) / sizeof(order[0]));
	while (i < count && strcmp(order[i], name) != 0)
		i++;
	return i;
}

static int by_weight(const void *a, const void *b)
{
	const struct health_check *left = &((const struct finding *)a)->check;
	const struct health_check *right = &((const struct finding *)b)->check;
	if (left->status != right->status)
		return (int)right->status - (int)left->status;
	if (rank(left->name) != rank(right->name))
		return rank(left->name) - rank(right->name);
	int order = strcmp(left->name, right->name);
	return order != 0 ? order : strcmp(left->said, right->said);
}

static bool is_disputed(const struct findings *findings, const char *name)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->list[i].check.status != HEALTH_OK &&
			strcmp(findings->list[i].check.name, name) == 0)
			return true;
	return false;
}

void findings_settle(struct findings *findings)
{
	size_t kept = 0;
	if (findings->count == 0)
		return;
	for (size_t i = 0; i < findings->count; i++) {
		struct finding *finding = &findings->list[i];
		if (finding->check.status != HEALTH_OK || !is_disputed(findings, finding->check.name))
			findings->list[kept++] = *finding;
	}
	findings->count = kept;
	qsort(findings->list, kept, sizeof(*findings->list), by_weight);
}

enum health_status findings_worst(const struct findings *findings)
{
	enum health_status worst = HEALTH_OK;
	for (size_t i = 0; i < findings->count; i++)
		if (findings->list[i].check.status > worst)
			worst = findings->list[i].check.status;
	return worst;
}
