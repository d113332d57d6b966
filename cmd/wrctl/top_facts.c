/* Facts of wrctl top: answers of the API, and the rate between two of them. */
#include <stdlib.h>
#include <string.h>

#include "look.h"
#include "top.h"
#include "waitingroom/memory.h"

#define RATE_LEAST_MS 900 /* a rate is measured over so long at least */

void top_facts_clear(struct top_facts *facts)
{
	free(facts->queues);
	free(facts->pods);
	*facts = (struct top_facts){.queues = NULL};
}

void top_facts_copy(const struct top_facts *facts, struct top_facts *ret)
{
	*ret = *facts;
	ret->queues = mem_alloc_zero(facts->queue_count + 1, sizeof(*ret->queues));
	ret->pods = mem_alloc_zero(facts->pod_count + 1, sizeof(*ret->pods));
	for (size_t i = 0; i < facts->queue_count; i++)
		ret->queues[i] = facts->queues[i];
	for (size_t i = 0; i < facts->pod_count; i++)
		ret->pods[i] = facts->pods[i];
}

/* ---- queues ---- */

static const struct top_queue *find_queue(const struct top_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->queue_count; i++)
		if (strcmp(facts->queues[i].name, name) == 0)
			return &facts->queues[i];
	return NULL;
}

/* People per minute since the answer before. The pod's picture changes a few times a second: an
 * answer too soon after the last one leaves the rate as it is. */
static void measure(struct top_queue *queue, const struct top_queue *before, int64_t now_ms)
{
	queue->rate = -1;
	if (before == NULL || queue->admitted < before->admitted) {
		queue->at_ms = now_ms; /* new, or made anew */
		return;
	}
	int64_t ms = now_ms - before->at_ms;
	if (ms >= RATE_LEAST_MS) {
		double rate = (double)(queue->admitted - before->admitted) * 60000.0 / (double)ms;
		/* Half of what was: people go in by tens, and the number should be readable. */
		queue->rate = before->rate < 0 ? rate : (rate + before->rate) / 2;
		if (queue->rate < 0.05)
			queue->rate = 0;
		queue->at_ms = now_ms;
	} else {
		queue->rate = before->rate;
		queue->admitted = before->admitted;
		queue->at_ms = before->at_ms;
	}
}

static void take_queue(struct top_queue *queue, const struct json_value *json,
					   const struct top_facts *before)
{
	snprintf(queue->name, sizeof(queue->name), "%s", look_text(json, "queue"));
	snprintf(queue->state, sizeof(queue->state), "%s", look_text(json, "state"));
	queue->recovering = look_flag(json, "recovering");
	queue->waiting = look_int(json, "waiting", 0);
	queue->active = look_int(json, "active", 0);
	queue->capacity = look_int(json, "capacity", 0);
	queue->rate_limit = look_int(json, "rate_per_minute", 0);
	queue->oldest_ms = look_int(json, "oldest_wait_ms", 0);
	queue->estimate_s = look_int(json, "estimated_wait_s", -1);
	queue->admitted = look_int(json, "admitted_total", 0);
	measure(queue, find_queue(before, queue->name), look_int(json, "as_of_ms", 0));
}

static int by_waiting(const void *a, const void *b)
{
	const struct top_queue *left = a, *right = b;
	if (left->waiting != right->waiting)
		return left->waiting < right->waiting ? 1 : -1;
	return strcmp(left->name, right->name);
}

void top_take_queues(struct top_facts *facts, const struct json_value *answer)
{
	const struct json_value *list = look(answer, "queues");
	size_t count = list != NULL ? json_count(list) : 0;
	if (count > TOP_QUEUES_MAX)
		count = TOP_QUEUES_MAX;
	struct top_queue *queues = mem_alloc_zero(count + 1, sizeof(*queues));
	for (size_t i = 0; i < count; i++)
		take_queue(&queues[i], json_at(list, i), facts);
	qsort(queues, count, sizeof(*queues), by_waiting);
	free(facts->queues);
	facts->queues = queues;
	facts->queue_count = count;
}

/* ---- pods ---- */

void top_take_pods(struct top_facts *facts, const struct json_value *answer)
{
	const struct json_value *list = look(answer, "pods");
	size_t count = list != NULL ? json_count(list) : 0;
	struct top_pod *pods = mem_alloc_zero(count + 1, sizeof(*pods));
	for (size_t i = 0; i < count; i++) {
		const struct json_value *json = json_at(list, i);
		struct pod_row *row = &pods[i].row;
#define TAKE_TEXT(name, bytes, text) snprintf(row->name, bytes, "%s", look_text(json, #name));
#define TAKE_NUMBER(name, text) row->name = look_int(json, #name, 0);
#define TAKE_BOOL(name, text) row->name = look_flag(json, #name);
		POD_TABLE(TAKE_TEXT, TAKE_NUMBER, TAKE_BOOL)
#undef TAKE_TEXT
#undef TAKE_NUMBER
#undef TAKE_BOOL
		snprintf(pods[i].state, sizeof(pods[i].state), "%s", look_text(json, "state"));
		pods[i].age_ms = look_int(json, "age_ms", 0);
	}
	free(facts->pods);
	facts->pods = pods;
	facts->pod_count = count;
}

/* ---- health ---- */

void top_take_health(struct top_facts *facts, const struct json_value *answer)
{
	const struct json_value *checks = look(answer, "checks");
	facts->health = HEALTH_OK;
	facts->finding[0] = '\0';
	facts->findings = 0;
	for (size_t i = 0; checks != NULL && i < json_count(checks); i++) {
		const struct json_value *check = json_at(checks, i);
		enum health_status status = HEALTH_OK;
		if (!health_status_parse(look_text(check, "status"), &status) || status == HEALTH_OK)
			continue;
		facts->findings++;
		if (status <= facts->health)
			continue;
		facts->health = status;
		snprintf(facts->finding, sizeof(facts->finding), "%s: %s", look_text(check, "name"),
				 look_text(check, "said"));
	}
}
