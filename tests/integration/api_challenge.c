/* Proof of work before a place: what is asked for, what is taken, and what is refused with a fresh
 * challenge.
 * Each test comes from a network of its own (X-Forwarded-For). Challenges that are older than a
 * test can wait for are signed here, with the pod's keys.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/shared_stack.h"
#include "waitingroom/challenge.h"
#include "waitingroom/client_ip.h"
#include "waitingroom/memory.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EASY                                                                                       \
	HELD ",\"challenge\":\"pow\",\"challenge_bits_min\":2,\"challenge_bits_max\":12,"              \
		 "\"challenge_puzzles\":5"

static const char *url;
static struct keys *keys;
static struct signer *signer;

static int open_room(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_TRUSTED_PROXIES=127.0.0.1", NULL},
		.queues = QUEUES(QUEUE("work", EASY) "," QUEUE("other", EASY) "," QUEUE(
			"lanes", EASY
			",\"lanes\":[{\"name\":\"main\",\"weight\":5,"
			"\"open\":true},"
			"{\"name\":\"slow\",\"weight\":1,\"open\":true},"
			"{\"name\":\"vip\",\"weight\":1,\"open\":false}"
			"]") "," QUEUE("plain",
						   HELD) "," QUEUE("flood",
										   EASY) "," QUEUE("pass",
														   "\"state\":\"passthrough\","
														   "\"challenge\":\"pow\"") "," QUEUE("clos"
																							  "ed",
																							  "\"st"
																							  "ate"
																							  "\":"
																							  "\"cl"
																							  "osed"
																							  "\","
																							  "\"ch"
																							  "alle"
																							  "nge"
																							  "\":"
																							  "\"po"
																							  "w"
																							  "\""))});
	url = stack_url(stack, 0);
	signer = signer_new();
	if (keys_load(stack->keys_file, &keys, NULL) != WR_OK)
		return -1;
	signer_use_keys(signer, keys);
	return 0;
}

static int close_room(void **state)
{
	signer_free(signer);
	keys_free(keys);
	return shared_stack_close(state);
}

/* ---- visitors ---- */

struct offer {
	char text[CHALLENGE_CHARS + 1];
	unsigned bits, puzzles;
};

struct visitor {
	const char *address;
	const char *key; /* NULL: none */
};

static struct http_answer *send(const struct visitor *visitor, const char *method, const char *path,
								const char *body)
{
	char headers[256];
	int len = snprintf(headers, sizeof(headers), "X-Forwarded-For: %s\r\n", visitor->address);
	if (visitor->key)
		snprintf(headers + len, sizeof(headers) - (size_t)len, "Idempotency-Key: %s\r\n",
				 visitor->key);
	return http_call(url, method, path, headers, body);
}

static void read_offer(const cJSON *from, struct offer *ret_offer)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(from, "challenge"));
	assert_non_null(text);
	assert_int_equal(strlen(text), CHALLENGE_CHARS);
	memcpy(ret_offer->text, text, sizeof(ret_offer->text));
	ret_offer->bits = (unsigned)cJSON_GetNumberValue(cJSON_GetObjectItem(from, "bits"));
	ret_offer->puzzles = (unsigned)cJSON_GetNumberValue(cJSON_GetObjectItem(from, "puzzles"));
}

static struct offer get_offer(const struct visitor *visitor, const char *queue)
{
	char path[96];
	struct offer offer;
	snprintf(path, sizeof(path), "/challenge?queue=%s", queue);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = send(visitor, "GET", path, NULL);
	api_expect_status(answer, 200);
	cJSON *document = cJSON_Parse(answer->body);
	read_offer(document, &offer);
	cJSON_Delete(document);
	return offer;
}

/* "[0,3,17]", of the first 'count' puzzles; gives */
static char *solve(const struct offer *offer, unsigned count)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	for (unsigned i = 0; i < count; i++)
		fprintf(out, "%c%llu", i ? ',' : '[',
				(unsigned long long)challenge_solve_puzzle(offer->text, i, offer->bits));
	fprintf(out, "]");
	fclose(out);
	return text;
}

/* solution NULL: none */
static struct http_answer *join(const struct visitor *visitor, const char *queue,
								const char *challenge, const char *solution)
{
	char *body;
	if (asprintf(&body, "{\"queue_id\":\"%s\",\"challenge\":\"%s\"%s%s}", queue, challenge,
				 solution ? ",\"solution\":" : "", solution ? solution : "") < 0)
		abort();
	struct http_answer *answer = send(visitor, "POST", "/enqueue", body);
	free(body);
	return answer;
}

static struct http_answer *join_solved(const struct visitor *visitor, const char *queue,
									   const struct offer *offer)
{
	WR_AUTO(mem_free_at) char *solution = solve(offer, offer->puzzles);
	return join(visitor, queue, offer->text, solution);
}

static void expect_joined(const struct visitor *visitor, const char *queue,
						  const struct offer *offer, int status)
{
	WR_AUTO(http_answer_free_at) struct http_answer *answer = join_solved(visitor, queue, offer);
	api_expect_status(answer, status);
}

/* 403 with a challenge that is not the one that was brought, and that can be solved. */
static void expect_refused(const struct visitor *visitor, const char *queue, const char *challenge,
						   const char *solution)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = join(visitor, queue, challenge, solution);
	api_expect_problem(answer, 403, "challenge_required");
	cJSON *document = cJSON_Parse(answer->body);
	struct offer fresh;
	read_offer(cJSON_GetObjectItem(document, "challenge"), &fresh);
	cJSON_Delete(document);
	assert_string_not_equal(fresh.text, challenge);
	expect_joined(&(struct visitor){.address = visitor->address}, queue, &fresh, 201);
}

static double outcomes(const char *word)
{
	char name[96];
	snprintf(name, sizeof(name), "wr_challenges_total{outcome=\"%s\"}", word);
	return stack_metric(stack_internal_url(stack, 0), name);
}

/* As the pod would have made it, so many seconds ago. */
static struct offer offer_of_old(const char *address, const char *queue, int64_t age_s)
{
	static uint8_t last;
	struct client_ip ip;
	struct queue_name name = {"default", ""};
	struct offer offer = {.bits = 2, .puzzles = 5};
	struct challenge challenge = {.bits = 2,
								  .puzzles = 5,
								  .wait_s = 5,
								  .issued_s = clock_wall().ms / 1000 - age_s,
								  .nonce = {'o', 'l', 'd', ++last}};
	assert_true(client_ip_parse(address, &ip));
	snprintf(name.queue, sizeof(name.queue), "%s", queue);
	challenge_print(signer, &name, client_ip_hash(&ip, 24, 48), &challenge, offer.text);
	return offer;
}

static void a_queue_says_what_it_asks_for(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.1"};
	WR_AUTO(http_answer_free_at)
	struct http_answer *plain = send(&ann, "GET", "/challenge?queue=plain", NULL);
	assert_string_equal(plain->body, "{\"kind\":\"off\"}");
	WR_AUTO(http_answer_free_at)
	struct http_answer *work = send(&ann, "GET", "/challenge?queue=default/work", NULL);
	api_expect_members(work, "kind:s challenge:s puzzles:n bits:n expires_in_ms:n wait_ms:n");
	assert_string_equal(http_answer_header(work, "Cache-Control"), "no-store");
	assert_int_equal(http_answer_number(work, "bits"), 2);
	assert_int_equal(http_answer_number(work, "puzzles"), 5);
	assert_int_equal(http_answer_number(work, "expires_in_ms"), 600000);
	assert_int_equal(http_answer_number(work, "wait_ms"), 5000);
}

static void asking_about_no_queue_is_refused(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.1"};
	WR_AUTO(http_answer_free_at)
	struct http_answer *unknown = send(&ann, "GET", "/challenge?queue=nowhere", NULL);
	api_expect_problem(unknown, 404, "no_such_queue");
	WR_AUTO(http_answer_free_at) struct http_answer *none = send(&ann, "GET", "/challenge", NULL);
	api_expect_problem(none, 422, "invalid_value");
}

static void a_join_without_proof_is_told_what_to_solve_and_then_gets_in(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.2"};
	WR_AUTO(http_answer_free_at)
	struct http_answer *refused =
		send(&ann, "POST", "/enqueue",
			 "{\"queue_id\":\"work\",\"challenge\":null,\"solution\":null,\"captcha\":null,"
			 "\"entry\":null}");
	api_expect_problem(refused, 403, "challenge_required");
	cJSON *document = cJSON_Parse(refused->body);
	struct offer offer;
	read_offer(cJSON_GetObjectItem(document, "challenge"), &offer);
	cJSON_Delete(document);
	expect_joined(&ann, "work", &offer, 201);
}

static void a_queue_that_lets_everybody_through_asks_for_nothing(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.3"};
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = send(&ann, "POST", "/enqueue", "{\"queue_id\":\"pass\"}");
	api_expect_status(answer, 201);
	api_expect_place(answer, "admitted");
}

static void a_closed_queue_says_so_before_anybody_works_for_it(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.3"};
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = send(&ann, "POST", "/enqueue", "{\"queue_id\":\"closed\"}");
	api_expect_problem(answer, 410, "queue_closed");
}

/* ---- proofs ---- */

static void a_proof_that_has_been_redeemed_is_refused(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.4"};
	struct offer offer = get_offer(&ann, "work");
	expect_joined(&ann, "work", &offer, 201);
	double before = outcomes("replayed");
	WR_AUTO(mem_free_at) char *solution = solve(&offer, offer.puzzles);
	expect_refused(&ann, "work", offer.text, solution);
	assert_true(outcomes("replayed") == before + 1);
}

static void a_repeated_join_succeeds_with_the_proof_of_the_first(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.5", .key = "ann"};
	struct offer offer = get_offer(&ann, "work");
	WR_AUTO(http_answer_free_at) struct http_answer *first = join_solved(&ann, "work", &offer);
	WR_AUTO(http_answer_free_at) struct http_answer *again = join_solved(&ann, "work", &offer);
	api_expect_status(first, 201);
	api_expect_status(again, 200);
	WR_AUTO(mem_free_at) char *one = http_answer_text(first, "token");
	WR_AUTO(mem_free_at) char *other = http_answer_text(again, "token");
	assert_string_equal(one, other);
}

static void a_proof_of_another_queue_is_refused(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.6"};
	struct offer offer = get_offer(&ann, "other");
	WR_AUTO(mem_free_at) char *solution = solve(&offer, offer.puzzles);
	expect_refused(&ann, "work", offer.text, solution);
	expect_joined(&ann, "other", &offer, 201);
}

static void a_proof_of_another_network_is_refused(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "198.51.100.7"}, near = {.address = "198.51.100.99"},
						 bob = {.address = "203.0.113.7"};
	struct offer offer = get_offer(&ann, "work");
	WR_AUTO(mem_free_at) char *solution = solve(&offer, offer.puzzles);
	expect_refused(&bob, "work", offer.text, solution);
	/* The same network, as a phone behind its carrier may change addresses. */
	expect_joined(&near, "work", &offer, 201);
	const struct visitor six = {.address = "2001:db8:1:2::3"},
						 six_near = {.address = "2001:db8:1:ffff::1"},
						 six_far = {.address = "2001:db8:2::3"};
	struct offer six_offer = get_offer(&six, "work");
	WR_AUTO(mem_free_at) char *six_solution = solve(&six_offer, six_offer.puzzles);
	expect_refused(&six_far, "work", six_offer.text, six_solution);
	expect_joined(&six_near, "work", &six_offer, 201);
}

static void an_old_proof_is_refused_unless_it_made_this_place(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.8"},
						 keyed = {.address = "192.0.2.8", .key = "old"};
	struct offer offer = offer_of_old(ann.address, "work", CHALLENGE_LIFE_S);
	WR_AUTO(mem_free_at) char *solution = solve(&offer, offer.puzzles);
	double before = outcomes("expired");
	expect_refused(&ann, "work", offer.text, solution);
	assert_true(outcomes("expired") == before + 1);
	/* With a key it may be the repetition of a join: the store knows. */
	expect_refused(&keyed, "work", offer.text, solution);
	struct offer young = get_offer(&keyed, "work");
	expect_joined(&keyed, "work", &young, 201);
	expect_joined(&keyed, "work", &offer, 200);
}

static void a_difficulty_that_was_lowered_is_refused(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.9"};
	struct offer offer = get_offer(&ann, "work");
	uint8_t bytes[33];
	size_t len;
	assert_true(base64url_decode(offer.text, CHALLENGE_CHARS, bytes, sizeof(bytes), &len));
	bytes[0]--; /* the difficulty */
	base64url_encode(bytes, len, offer.text);
	offer.bits--;
	double before = outcomes("forged");
	WR_AUTO(mem_free_at) char *solution = solve(&offer, offer.puzzles);
	expect_refused(&ann, "work", offer.text, solution);
	assert_true(outcomes("forged") == before + 1);
}

static void too_few_or_wrong_numbers_are_refused(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.10"};
	struct offer offer = get_offer(&ann, "work");
	WR_AUTO(mem_free_at) char *few = solve(&offer, offer.puzzles - 1);
	const char *const solutions[] = {few,
									 "[]",
									 "[0,0,0,0,0]",
									 "[-1,-1,-1,-1,-1]",
									 "[0.5,0,0,0,0]",
									 "[\"0\",\"0\",\"0\",\"0\",\"0\"]",
									 "[9007199254740993,0,0,0,0]",
									 "[null,0,0,0,0]",
									 "[0,0,0,0,0,0]"};
	for (size_t i = 0; i < COUNT(solutions); i++) {
		if (i == 2 && challenge_solve_puzzle(offer.text, 0, 2) == 0)
			continue; /* zeros happen to begin a solution; the other cases are there */
		expect_refused(&ann, "work", offer.text, solutions[i]);
	}
	expect_joined(&ann, "work", &offer, 201); /* a failed try does not use it up */
}

static void a_proof_of_another_shape_is_an_error_that_names_the_field(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.11"};
	static const char *const bodies[][2] = {
		{"{\"queue_id\":\"work\",\"challenge\":1}", "challenge"},
		{"{\"queue_id\":\"work\",\"challenge\":\"a\",\"solution\":\"1,2\"}", "solution"},
		{"{\"queue_id\":\"work\",\"captcha\":[]}", "captcha"},
		{"{\"queue_id\":\"work\",\"entry\":{}}", "entry"},
	};
	for (size_t i = 0; i < COUNT(bodies); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = send(&ann, "POST", "/enqueue", bodies[i][0]);
		api_expect_problem(answer, 422, "invalid_value");
		WR_AUTO(mem_free_at) char *detail = http_answer_text(answer, "detail");
		assert_memory_equal(detail, bodies[i][1], strlen(bodies[i][1]));
	}
}

/* ---- without scripts ---- */

static void whoever_cannot_solve_waits_instead(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.12"};
	struct offer young = get_offer(&ann, "work");
	expect_refused(&ann, "work", young.text, NULL);
	struct offer old = offer_of_old(ann.address, "work", 6);
	double before = outcomes("waited");
	WR_AUTO(http_answer_free_at) struct http_answer *answer = join(&ann, "work", old.text, NULL);
	api_expect_status(answer, 201);
	assert_true(outcomes("waited") == before + 1);
	expect_refused(&ann, "work", old.text, NULL); /* once */
}

static void those_who_waited_stand_in_the_open_lane_of_the_lowest_weight(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "192.0.2.13"};
	struct offer old = offer_of_old(ann.address, "lanes", 6), young = get_offer(&ann, "lanes");
	WR_AUTO(http_answer_free_at) struct http_answer *waited = join(&ann, "lanes", old.text, NULL);
	api_expect_status(waited, 201);
	expect_joined(&ann, "lanes", &young, 201);
	assert_int_equal(api_store_number(stack, "GET wr:{default/lanes}:ticket:slow"), 1);
	assert_int_equal(api_store_number(stack, "GET wr:{default/lanes}:ticket:main"), 1);
}

static void a_network_of_many_who_wait_is_told_to_solve(void **state)
{
	(void)state;
	const struct visitor ann = {.address = "203.0.112.1"}, bob = {.address = "203.0.111.1"};
	int joined = 0;
	for (int i = 0; i < 200; i++) {
		struct offer old = offer_of_old(ann.address, "work", 6);
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = join(&ann, "work", old.text, NULL);
		joined += answer->status == 201;
		if (answer->status != 201)
			break;
	}
	assert_in_range(joined, 1, 100);
	struct offer other = offer_of_old(bob.address, "work", 6);
	WR_AUTO(http_answer_free_at) struct http_answer *answer = join(&bob, "work", other.text, NULL);
	api_expect_status(answer, 201);
}

/* ---- a flood ---- */

static void a_flood_from_one_network_makes_it_harder_there_and_nowhere_else(void **state)
{
	(void)state;
	const struct visitor campus = {.address = "198.18.0.7"}, home = {.address = "198.18.1.7"};
	WR_AUTO(mem_free_at) char *place = NULL;
	{
		struct offer first = get_offer(&campus, "flood");
		assert_int_equal(first.bits, 2);
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = join_solved(&campus, "flood", &first);
		api_expect_status(answer, 201);
		place = http_answer_text(answer, "token");
	}
	unsigned hardest = 0;
	for (int i = 0; i < 600; i++) {
		struct offer offer = get_offer(&campus, "flood");
		hardest = offer.bits > hardest ? offer.bits : hardest;
		if (i % 10 == 0) /* whoever solves gets in, also in the middle of it */
			expect_joined(&campus, "flood", &offer, 201);
	}
	assert_in_range(hardest, 6, 12);
	struct offer calm = get_offer(&home, "flood");
	assert_int_equal(calm.bits, 2);
	expect_joined(&home, "flood", &calm, 201);
	/* Nobody who has a place is asked for anything. */
	WR_AUTO(http_answer_free_at) struct http_answer *beat = api_poll(url, "/heartbeat", place);
	api_expect_place(beat, "waiting");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_says_what_it_asks_for),
		cmocka_unit_test(asking_about_no_queue_is_refused),
		cmocka_unit_test(a_join_without_proof_is_told_what_to_solve_and_then_gets_in),
		cmocka_unit_test(a_queue_that_lets_everybody_through_asks_for_nothing),
		cmocka_unit_test(a_closed_queue_says_so_before_anybody_works_for_it),
		cmocka_unit_test(a_proof_that_has_been_redeemed_is_refused),
		cmocka_unit_test(a_repeated_join_succeeds_with_the_proof_of_the_first),
		cmocka_unit_test(a_proof_of_another_queue_is_refused),
		cmocka_unit_test(a_proof_of_another_network_is_refused),
		cmocka_unit_test(an_old_proof_is_refused_unless_it_made_this_place),
		cmocka_unit_test(a_difficulty_that_was_lowered_is_refused),
		cmocka_unit_test(too_few_or_wrong_numbers_are_refused),
		cmocka_unit_test(a_proof_of_another_shape_is_an_error_that_names_the_field),
		cmocka_unit_test(whoever_cannot_solve_waits_instead),
		cmocka_unit_test(those_who_waited_stand_in_the_open_lane_of_the_lowest_weight),
		cmocka_unit_test(a_network_of_many_who_wait_is_told_to_solve),
		cmocka_unit_test(a_flood_from_one_network_makes_it_harder_there_and_nowhere_else),
	};
	return cmocka_run_group_tests(tests, open_room, close_room);
}
