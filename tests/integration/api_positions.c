/* Positions are exact: what any pod tells is what the store would count.
 *
 * Two pods, two lanes, some two hundred places. People leave, fall silent, never confirm, and are
 * let in, by a random history whose seed is printed. After each round every pod must tell
 * everybody in line the number that the store's own records give, and never a larger one than
 * before.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEOPLE 200
#define PODS 2
#define ROUNDS 8

struct visitor {
	char *token, *id;
	bool silent;		/* sends no more heartbeats */
	int64_t seen[PODS]; /* the last position that a pod told; 0: none */
};

static struct visitor visitors[PEOPLE];
static int visitor_count;
static unsigned seed;

static int open_room(void **state)
{
	(void)state;
	const char *given = getenv("WR_TEST_SEED");
	seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)clock_wall().ms;
	print_message("# WR_TEST_SEED=%u\n", seed);
	stack = stack_start(&(struct stack_options){
		.pods = PODS,
		.admitters = 1,
		.without_nats = true,
		.admin_keys = API_ADMIN_KEYS_FILE,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_SYNC_INTERVAL_MS=100",
									 "WR_FLUSH_INTERVAL_MS=20", "WR_REAP_INTERVAL_MS=50", NULL},
		.queues = QUEUES(QUEUE(
			"line", HELD
			",\"heartbeat_ttl_ms\":6000,\"absent_after_ms\":3000,\"poll_min_ms\":100,"
			"\"poll_max_ms\":500,\"first_heartbeat_ms\":7500,\"capacity\":1000,"
			"\"lanes\":[{\"name\":\"main\",\"open\":true},{\"name\":\"fast\",\"open\":true}]"))});
	return 0;
}

static int close_room(void **state)
{
	for (int i = 0; i < visitor_count; i++) {
		free(visitors[i].token);
		free(visitors[i].id);
	}
	return shared_stack_close(state);
}

static int random_below(int limit)
{
	return rand_r(&seed) % limit;
}

/* ---- what the store says ---- */

struct expected {
	struct visitor *visitor;
	int64_t ticket;
	char lane[8];
};

static struct visitor *visitor_of(const char *id)
{
	for (int i = 0; i < visitor_count; i++)
		if (strcmp(visitors[i].id, id) == 0)
			return &visitors[i];
	fail_msg("the store knows a place that nobody holds: %s", id);
	return NULL;
}

/* Everybody who stands in line, from their own records: not from the bitmap that pods read. */
static int read_line(struct expected line[PEOPLE])
{
	WR_AUTO(mem_free_at)
	char *reply =
		redis_do(stack->redis,
				 "EVAL \"local out = {} "
				 "for _, name in ipairs(redis.call('KEYS', 'wr:{default/line}:position:*')) do "
				 "local p = redis.call('HMGET', name, 's', 'l', 't', 'a', 'b') "
				 "if p[1] == 'w' and not p[4] and not p[5] then "
				 "out[#out + 1] = p[2] .. ' ' .. p[3] .. ' ' .. name:match('[^:]+$') end end "
				 "return table.concat(out, '|') .. '|'\" 0");
	assert_non_null(reply);
	int count = 0;
	char id[32];
	for (char *at = strstr(reply, "\r\n") + 2; *at != '|'; at = strchr(at, '|') + 1) {
		struct expected *one = &line[count];
		if (sscanf(at, "%7s %ld %31[^|]", one->lane, &one->ticket, id) != 3)
			break;
		one->visitor = visitor_of(id);
		count++;
	}
	return count;
}

static int64_t rank_in(const struct expected line[PEOPLE], int count, const struct expected *one)
{
	int64_t rank = 1;
	for (int i = 0; i < count; i++)
		rank += line[i].ticket < one->ticket && strcmp(line[i].lane, one->lane) == 0;
	return rank;
}

/* ---- what the pods say ---- */

/* 0: no longer in line for this pod, or not yet. */
static int64_t position_at(struct http_client *client, const char *path, struct visitor *visitor,
						   int pod)
{
	api_send_poll(client, path, visitor->token);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = http_client_read(client, 5000);
	if (answer->status == 410 || !http_answer_has(answer, "position"))
		return 0;
	int64_t position = http_answer_number(answer, "position");
	if (visitor->seen[pod] && position > visitor->seen[pod])
		fail_msg("pod %d said %ld and then %ld", pod, (long)visitor->seen[pod], (long)position);
	visitor->seen[pod] = position;
	return position;
}

static bool pod_agrees(int pod)
{
	struct expected line[PEOPLE];
	int count = read_line(line), wrong = 0;
	struct http_client *client = http_client_open(stack_url(stack, pod));
	for (int i = 0; i < count; i++)
		wrong +=
			position_at(client, "/status", line[i].visitor, pod) != rank_in(line, count, &line[i]);
	http_client_close(client);
	return wrong == 0;
}

static void expect_agreement(void)
{
	for (int pod = 0; pod < PODS; pod++)
		WAIT_UNTIL(5000, pod_agrees(pod), "the pod tells what the store counts");
}

/* ---- a history ---- */

static void join(void)
{
	const char *body =
		random_below(3) ? "{\"queue_id\":\"line\"}" : "{\"queue_id\":\"line\",\"lane\":\"fast\"}";
	int pod = random_below(PODS);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(stack_url(stack, pod), "POST", "/enqueue", NULL, body);
	api_expect_status(answer, 201);
	struct visitor *visitor = &visitors[visitor_count++];
	visitor->token = http_answer_text(answer, "token");
	visitor->id = http_answer_text(answer, "position_id");
	visitor->seen[pod] = http_answer_number(answer, "position");
	visitor->silent = random_below(10) == 0; /* never confirms */
}

static void beat_all(void)
{
	struct http_client *clients[PODS];
	for (int pod = 0; pod < PODS; pod++)
		clients[pod] = http_client_open(stack_url(stack, pod));
	for (int i = 0; i < visitor_count; i++) {
		int pod = random_below(PODS);
		if (!visitors[i].silent)
			position_at(clients[pod], "/heartbeat", &visitors[i], pod);
	}
	for (int pod = 0; pod < PODS; pod++)
		http_client_close(clients[pod]);
}

static void play_round(void)
{
	beat_all();
	for (int i = 0; i < visitor_count; i++) {
		int what = random_below(20);
		if (what == 0 && !visitors[i].silent) {
			http_answer_free(
				api_poll(stack_url(stack, random_below(PODS)), "/leave", visitors[i].token));
			visitors[i].silent = true;
		} else if (what == 1) {
			visitors[i].silent = true;
		}
	}
	char body[32];
	snprintf(body, sizeof(body), "{\"count\":%d}", 1 + random_below(3));
	WR_AUTO(http_answer_free_at)
	struct http_answer *admitted = api_admin(stack, 0, "POST", "/default/line/admit", body);
	api_expect_status(admitted, 200);
}

static void every_pod_tells_everybody_the_exact_position(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		while (visitor_count < PEOPLE * (round + 1) / ROUNDS)
			join();
		play_round();
		expect_agreement();
	}
	struct expected line[PEOPLE];
	assert_in_range(read_line(line), 20, PEOPLE - 20); /* some are left, some have gone */
}

static void a_pod_that_starts_anew_tells_the_same(void **state)
{
	(void)state;
	process_kill(stack_pod(stack, 1));
	stack_restart_pod(stack, 1);
	for (int i = 0; i < visitor_count; i++)
		visitors[i].seen[1] = 0;
	beat_all();
	expect_agreement();
}

static void positions_follow_those_who_fall_silent(void **state)
{
	(void)state;
	struct expected line[PEOPLE];
	int before = read_line(line);
	for (int i = 0; i < visitor_count; i += 2)
		visitors[i].silent = true;
	WAIT_UNTIL(20000, (beat_all(), read_line(line) <= before * 3 / 4), "the silent have expired");
	expect_agreement();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pod_tells_everybody_the_exact_position),
		cmocka_unit_test(a_pod_that_starts_anew_tells_the_same),
		cmocka_unit_test(positions_follow_those_who_fall_silent),
	};
	return cmocka_run_group_tests(tests, open_room, close_room);
}
