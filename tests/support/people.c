/* People: each poll is a connection of its own, as after an outage; pods that do not answer are
 * passed over, as a gateway would.
 */
#include "support/people.h"

#include "support/api.h"
#include "support/cmocka.h"
#include "support/http.h"
#include "support/process.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_DEADLINE_MS 5000

static uint64_t ticket_of(const char *token)
{
	char text[2048];
	size_t len = 0;
	const char *payload = strchr(token, '.');
	assert_non_null(payload);
	assert_true(
		base64url_decode(payload + 1, strcspn(payload + 1, "."), text, sizeof(text) - 1, &len));
	text[len] = '\0';
	cJSON *claims = cJSON_Parse(text);
	const cJSON *ticket = cJSON_GetObjectItemCaseSensitive(claims, "ticket");
	assert_true(cJSON_IsNumber(ticket));
	uint64_t number = (uint64_t)ticket->valuedouble;
	cJSON_Delete(claims);
	return number;
}

static void check_answer(struct person *person, const struct http_answer *answer)
{
	enum standing before = person->standing;
	WR_AUTO(mem_free_at) char *status = http_answer_text(answer, "status");
	bool is_waiting = strcmp(status, "waiting") == 0;
	person->standing = is_waiting ? STANDING_WAITING : STANDING_ADMITTED;
	person->stale = http_answer_has(answer, "stale");
	if (is_waiting && !person->stale && (before == STANDING_ADMITTED || before == STANDING_GONE))
		fail_msg("ticket %llu waits again: %s", (unsigned long long)person->ticket, answer->body);
	if (!is_waiting || person->stale || !http_answer_has(answer, "position"))
		return;
	int64_t position = http_answer_number(answer, "position");
	if (position > person->position)
		fail_msg("the position of ticket %llu grew from %lld to %lld",
				 (unsigned long long)person->ticket, (long long)person->position,
				 (long long)position);
	person->position = position;
}

static bool is_heard(const struct people *people, const struct person *person)
{
	return api_score(people->stack, people->queue, person->position_id) > 0;
}

struct people *people_join(struct stack *stack, const char *queue, size_t count)
{
	struct people *people = mem_alloc_zero(1, sizeof(*people));
	people->stack = stack;
	people->count = count;
	people->all = mem_alloc_zero(count + 1, sizeof(*people->all));
	snprintf(people->queue, sizeof(people->queue), "%s", queue);
	for (size_t i = 0; i < count; i++) {
		struct person *person = &people->all[i];
		*person = (struct person){.position = INT64_MAX, .standing = STANDING_WAITING};
		person->token = api_join(stack_url(stack, (int)i % stack->pod_count), queue);
		person->position_id = api_position_id(person->token);
		person->ticket = ticket_of(person->token);
	}
	people_poll(people, 0, 0);
	for (size_t i = 0; i < count; i++)
		WAIT_UNTIL(5000, is_heard(people, &people->all[i]), "the store has heard of everybody");
	return people;
}

/* The highest ticket of the queue's first lane in this pod's picture. */
static uint64_t last_ticket(const struct people *people, int pod)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer =
		http_call(stack_internal_url(people->stack, pod), "GET", "/debug/state", NULL, NULL);
	cJSON *document = cJSON_Parse(answer->body);
	const cJSON *queue, *last = NULL;
	cJSON_ArrayForEach(queue, cJSON_GetObjectItemCaseSensitive(document, "queues"))
	{
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(queue, "queue");
		const cJSON *lanes = cJSON_GetObjectItemCaseSensitive(queue, "lanes");
		if (cJSON_IsString(name) && strcmp(name->valuestring, people->queue) == 0)
			last = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(lanes, 0), "last_ticket");
	}
	uint64_t ticket = cJSON_IsNumber(last) ? (uint64_t)last->valuedouble : 0;
	cJSON_Delete(document);
	return ticket;
}

void people_await_known(const struct people *people)
{
	uint64_t highest = people->all[people->count - 1].ticket;
	for (int pod = 0; pod < people->stack->pod_count; pod++)
		WAIT_UNTIL(5000, last_ticket(people, pod) >= highest, "the pod knows everybody");
}

void people_free(struct people *people)
{
	if (!people)
		return;
	for (size_t i = 0; i < people->count; i++) {
		free(people->all[i].token);
		free(people->all[i].position_id);
	}
	free(people->all);
	free(people);
}

/* NULL when no pod answers. */
static struct http_answer *poll_any_pod(const struct people *people, const struct person *person,
										size_t first)
{
	const struct stack *stack = people->stack;
	for (int tries = 0; tries < stack->pod_count; tries++) {
		int pod = ((int)first + tries) % stack->pod_count;
		struct http_client *client = http_client_try_open(stack_url(stack, pod));
		if (!client)
			continue;
		api_send_poll(client, "/heartbeat", person->token);
		struct http_answer *answer = http_client_try_read(client, ANSWER_DEADLINE_MS);
		http_client_close(client);
		if (answer)
			return answer;
	}
	return NULL;
}

static void poll_person(struct people *people, size_t number, struct poll_counts *counts)
{
	struct person *person = &people->all[number];
	struct mono_time began = clock_mono();
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = poll_any_pod(people, person, number);
	int64_t took_ms = mono_diff_ms(began, clock_mono());
	if (took_ms > counts->slowest_ms)
		counts->slowest_ms = took_ms;
	if (!answer || answer->status == 503) {
		counts->unavailable++;
		return;
	}
	if (answer->status == 410) {
		person->standing = STANDING_GONE;
		counts->gone++;
		return;
	}
	if (answer->status != 200) {
		process_show_logs();
		fail_msg("a heartbeat was answered with %d: %s", answer->status, answer->body);
	}
	check_answer(person, answer);
	counts->waiting += person->standing == STANDING_WAITING;
	counts->stale += person->standing == STANDING_WAITING && person->stale;
	counts->admitted += person->standing == STANDING_ADMITTED;
}

struct poll_counts people_poll(struct people *people, size_t from, size_t count)
{
	struct poll_counts counts = {.waiting = 0};
	size_t end = count ? from + count : people->count;
	assert_true(end <= people->count);
	for (size_t i = from; i < end; i++)
		poll_person(people, i, &counts);
	return counts;
}

int64_t person_silence_ms(const struct people *people, const struct person *person)
{
	int64_t score = api_score(people->stack, people->queue, person->position_id);
	if (score == INT64_MIN)
		return INT64_MIN;
	int64_t now = api_store_number(
		people->stack,
		"EVAL \"local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000)\" 0");
	return now - (score < 0 ? -score : score);
}
