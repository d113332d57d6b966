/* Captchas before a place: whom a provider vouches for, and what happens when it is in trouble.
 *
 * The provider is a fake one on this machine (support/fake_provider.h). Each test that breaks it
 * has a pod of its own, whose circuit breaker starts closed.
 */
#include "support/api.h"
#include "support/cmocka.h"
#include "support/fake_provider.h"
#include "support/process.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/challenge.h"
#include "waitingroom/memory.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPTCHA(kind, secret)                                                                      \
	HELD ",\"challenge\":\"" kind                                                                  \
		 "\",\"captcha_site_key\":\"public-key\",\"captcha_secret\":\"" secret                     \
		 "\",\"challenge_bits_min\":2,\"challenge_bits_max\":4,\"challenge_puzzles\":3"

static struct fake_provider *provider;
static const char *url;

static int open_room(void **state)
{
	static char turnstile[96], hcaptcha[96], friendly[96];
	(void)state;
	provider = fake_provider_start();
	snprintf(turnstile, sizeof(turnstile), "WR_TURNSTILE_URL=%s", fake_provider_url(provider));
	snprintf(hcaptcha, sizeof(hcaptcha), "WR_HCAPTCHA_URL=%s", fake_provider_url(provider));
	snprintf(friendly, sizeof(friendly), "WR_FRIENDLY_URL=%s", fake_provider_url(provider));
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_CAPTCHA_TIMEOUT_MS=1000", "WR_WORKERS=1",
									 "no_proxy=127.0.0.1", turnstile, hcaptcha, friendly, NULL},
		.queues = QUEUES(QUEUE("turnstile", CAPTCHA("turnstile", "good-secret")) "," QUEUE(
			"hcaptcha",
			CAPTCHA(
				"hcaptcha",
				"good-secret")) "," QUEUE("friendly",
										  CAPTCHA(
											  "friendly",
											  "good-secret")) "," QUEUE("misused",
																		CAPTCHA(
																			"turnstile",
																			"another")) "," QUEUE("plain",
																								  HELD))});
	url = stack_url(stack, 0);
	return 0;
}

static int close_room(void **state)
{
	fake_provider_free(provider);
	return shared_stack_close(state);
}

/* Restarted: all breakers are closed. */
static int fresh_pod(void **state)
{
	(void)state;
	fake_provider_set(provider, FAKE_FINE);
	stack_restart_pod(stack, 0);
	url = stack_url(stack, 0);
	return 0;
}

/* ---- visitors ---- */

struct offer {
	char kind[16], text[CHALLENGE_CHARS + 1];
	unsigned bits, puzzles;
};

static void copy_text(const cJSON *from, const char *name, char *ret_text, size_t room)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(from, name));
	assert_non_null(text);
	assert_true(strlen(text) < room);
	strcpy(ret_text, text);
}

static struct offer read_offer(const cJSON *from)
{
	struct offer offer = {.kind = ""};
	copy_text(from, "kind", offer.kind, sizeof(offer.kind));
	copy_text(from, "challenge", offer.text, sizeof(offer.text));
	if (strcmp(offer.kind, "pow") == 0) {
		offer.bits = (unsigned)cJSON_GetNumberValue(cJSON_GetObjectItem(from, "bits"));
		offer.puzzles = (unsigned)cJSON_GetNumberValue(cJSON_GetObjectItem(from, "puzzles"));
	} else {
		char key[32];
		copy_text(from, "site_key", key, sizeof(key));
		assert_string_equal(key, "public-key");
	}
	return offer;
}

static struct offer get_offer(const char *queue)
{
	char path[96];
	snprintf(path, sizeof(path), "/challenge?queue=%s", queue);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, "GET", path, NULL, NULL);
	api_expect_status(answer, 200);
	cJSON *document = cJSON_Parse(answer->body);
	struct offer offer = read_offer(document);
	cJSON_Delete(document);
	return offer;
}

static char *join_body(const char *queue, const char *challenge, const char *response)
{
	char *body;
	if (asprintf(&body, "{\"queue_id\":\"%s\",\"challenge\":\"%s\",\"captcha\":\"%s\"}", queue,
				 challenge, response) < 0)
		abort();
	return body;
}

/* key NULL: none */
static struct http_answer *join(const char *queue, const char *challenge, const char *response,
								const char *key)
{
	char headers[96] = "";
	if (key)
		snprintf(headers, sizeof(headers), "Idempotency-Key: %s\r\n", key);
	WR_AUTO(mem_free_at) char *body = join_body(queue, challenge, response);
	return http_call(url, "POST", "/enqueue", headers, body);
}

/* The offer that comes with a refusal. */
static struct offer expect_refused(const struct http_answer *answer)
{
	api_expect_problem(answer, 403, "challenge_required");
	cJSON *document = cJSON_Parse(answer->body);
	struct offer offer = read_offer(cJSON_GetObjectItem(document, "challenge"));
	cJSON_Delete(document);
	return offer;
}

static struct offer refused(const char *queue, const char *response)
{
	struct offer offer = get_offer(queue);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = join(queue, offer.text, response, NULL);
	return expect_refused(answer);
}

/* By work, as whoever is told to does. */
static void expect_work_gets_in(const char *queue, const struct offer *offer)
{
	assert_string_equal(offer->kind, "pow");
	char body[512];
	int len =
		snprintf(body, sizeof(body),
				 "{\"queue_id\":\"%s\",\"challenge\":\"%s\",\"solution\":", queue, offer->text);
	for (unsigned i = 0; i < offer->puzzles; i++)
		len += snprintf(body + len, sizeof(body) - (size_t)len, "%c%llu", i ? ',' : '[',
						(unsigned long long)challenge_solve_puzzle(offer->text, i, offer->bits));
	snprintf(body + len, sizeof(body) - (size_t)len, "]}");
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = http_call(url, "POST", "/enqueue", NULL, body);
	api_expect_status(answer, 201);
}

static double metric(const char *name)
{
	return stack_metric(stack_internal_url(stack, 0), name);
}

/* ---- a provider that works ---- */

static void whoever_is_vouched_for_gets_a_place(void **state)
{
	(void)state;
	static const char *const queues[] = {"turnstile", "hcaptcha", "friendly"};
	for (size_t i = 0; i < COUNT(queues); i++) {
		struct offer offer = get_offer(queues[i]);
		assert_string_equal(offer.kind, queues[i]);
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = join(queues[i], offer.text, "human", NULL);
		api_expect_status(answer, 201);
		api_expect_place(answer, "waiting");
	}
	assert_true(metric("wr_challenges_total{outcome=\"vouched\"}") == 3);
	assert_true(metric("wr_captcha_questions_total{provider=\"friendly\",verdict=\"accepted\"}") ==
				1);
}

static void providers_are_asked_in_their_own_way(void **state)
{
	(void)state;
	struct offer offer = get_offer("turnstile");
	WR_AUTO(http_answer_free_at)
	struct http_answer *turnstile = join("turnstile", offer.text, "human+1", NULL);
	api_expect_status(turnstile, 201);
	WR_AUTO(mem_free_at) char *form = fake_provider_last(provider);
	assert_memory_equal(form, "POST /siteverify HTTP/1.1\r\n", 27);
	assert_non_null(strstr(form, "\r\n\r\nsecret=good-secret&response=human%2B1"));
	offer = get_offer("friendly");
	WR_AUTO(http_answer_free_at)
	struct http_answer *friendly = join("friendly", offer.text, "human", NULL);
	api_expect_status(friendly, 201);
	WR_AUTO(mem_free_at) char *json = fake_provider_last(provider);
	assert_non_null(strstr(json, "X-API-Key: good-secret\r\n"));
	assert_non_null(strstr(json, "{\"response\":\"human\",\"sitekey\":\"public-key\"}"));
	assert_null(strstr(json, "secret=")); /* and not in the body */
}

static void whoever_is_not_vouched_for_is_asked_again(void **state)
{
	(void)state;
	struct offer fresh = refused("turnstile", "robot");
	assert_string_equal(fresh.kind, "turnstile");
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = join("turnstile", fresh.text, "human", NULL);
	api_expect_status(answer, 201);
}

static void a_join_without_an_answer_or_with_nonsense_does_not_reach_the_provider(void **state)
{
	(void)state;
	int before = fake_provider_questions(provider);
	refused("turnstile", "");
	refused("turnstile", "a b");
	struct offer other = get_offer("hcaptcha");
	WR_AUTO(http_answer_free_at)
	struct http_answer *elsewhere = join("turnstile", other.text, "human", NULL);
	expect_refused(elsewhere);
	WR_AUTO(http_answer_free_at)
	struct http_answer *none = http_call(url, "POST", "/enqueue", NULL,
										 "{\"queue_id\":\"turnstile\",\"captcha\":\"human\"}");
	expect_refused(none);
	assert_int_equal(fake_provider_questions(provider), before);
}

static void a_challenge_is_good_for_one_place_whatever_the_provider_says(void **state)
{
	(void)state;
	struct offer offer = get_offer("turnstile");
	WR_AUTO(http_answer_free_at)
	struct http_answer *first = join("turnstile", offer.text, "human", NULL);
	api_expect_status(first, 201);
	WR_AUTO(http_answer_free_at)
	struct http_answer *second = join("turnstile", offer.text, "human-2", NULL);
	expect_refused(second);
}

static void a_repeated_join_succeeds_though_the_provider_has_seen_its_answer(void **state)
{
	(void)state;
	struct offer offer = get_offer("turnstile");
	WR_AUTO(http_answer_free_at)
	struct http_answer *first = join("turnstile", offer.text, "human", "again");
	api_expect_status(first, 201);
	WR_AUTO(http_answer_free_at)
	struct http_answer *again = join("turnstile", offer.text, "seen", "again");
	api_expect_status(again, 200);
	/* Nobody new gets in by that. */
	struct offer fresh = get_offer("turnstile");
	WR_AUTO(http_answer_free_at)
	struct http_answer *other = join("turnstile", fresh.text, "seen", "another");
	expect_refused(other);
	WR_AUTO(http_answer_free_at)
	struct http_answer *without = join("turnstile", fresh.text, "seen", NULL);
	expect_refused(without);
}

static void connections_to_the_provider_are_kept(void **state)
{
	(void)state;
	int before = fake_provider_connections(provider), asked = fake_provider_questions(provider);
	for (int i = 0; i < 20; i++) {
		struct offer offer = get_offer("turnstile");
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = join("turnstile", offer.text, "human", NULL);
		api_expect_status(answer, 201);
	}
	assert_int_equal(fake_provider_questions(provider), asked + 20);
	assert_in_range(fake_provider_connections(provider), before, before + 2);
}

static void wrong_keys_of_one_queue_do_not_spoil_the_provider_for_others(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		struct offer fresh = refused("misused", "human");
		if (i == 0)
			expect_work_gets_in("misused", &fresh);
	}
	assert_true(metric("wr_captcha_provider_up{provider=\"turnstile\"}") == 1);
	struct offer offer = get_offer("turnstile");
	assert_string_equal(offer.kind, "turnstile");
}

/* ---- a provider in trouble ---- */

static void expect_work_takes_over(enum fake_trouble trouble)
{
	fake_provider_set(provider, trouble);
	for (int i = 0; i < 4; i++) {
		/* Each is told to work instead, at once. */
		struct offer fresh = refused("turnstile", "human");
		expect_work_gets_in("turnstile", &fresh);
	}
	refused("turnstile", "human");
	/* From now on the provider is not even asked. */
	assert_true(metric("wr_captcha_provider_up{provider=\"turnstile\"}") == 0);
	assert_true(metric("wr_captcha_provider_up{provider=\"hcaptcha\"}") == 1);
	int asked = fake_provider_questions(provider);
	struct offer offer = get_offer("turnstile");
	expect_work_gets_in("turnstile", &offer);
	assert_int_equal(fake_provider_questions(provider), asked);
}

static void garbage_from_the_provider_lets_proof_of_work_take_over(void **state)
{
	(void)state;
	expect_work_takes_over(FAKE_GARBAGE);
}

static void errors_of_the_provider_let_proof_of_work_take_over(void **state)
{
	(void)state;
	expect_work_takes_over(FAKE_ERROR);
}

static void an_endless_answer_is_broken_off_and_proof_of_work_takes_over(void **state)
{
	(void)state;
	expect_work_takes_over(FAKE_ENDLESS);
}

static void a_provider_that_hangs_up_lets_proof_of_work_take_over(void **state)
{
	(void)state;
	expect_work_takes_over(FAKE_HANG_UP);
}

static void a_provider_that_is_down_lets_proof_of_work_take_over_and_comes_back(void **state)
{
	(void)state;
	fake_provider_go(provider);
	for (int i = 0; i < 5; i++)
		refused("turnstile", "human");
	struct offer offer = get_offer("turnstile");
	expect_work_gets_in("turnstile", &offer);
	fake_provider_come_back(provider);
	/* After the pause visitors see captchas again, and the first good answer makes that stay. */
	WAIT_UNTIL(15000, strcmp(get_offer("turnstile").kind, "turnstile") == 0, "another try");
	struct offer again = get_offer("turnstile");
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = join("turnstile", again.text, "human", NULL);
	api_expect_status(answer, 201);
	assert_true(metric("wr_captcha_provider_up{provider=\"turnstile\"}") == 1);
	assert_true(metric("wr_captcha_breaker_opened_total{provider=\"turnstile\"}") == 1);
}

static void a_silent_provider_holds_up_nobody_else(void **state)
{
	(void)state;
	struct http_client *waiting[20];
	fake_provider_set(provider, FAKE_SILENT);
	for (size_t i = 0; i < COUNT(waiting); i++) {
		struct offer offer = get_offer("turnstile");
		WR_AUTO(mem_free_at) char *body = join_body("turnstile", offer.text, "human");
		waiting[i] = http_client_open(url);
		http_client_send(waiting[i], "POST", "/enqueue", NULL, body);
	}
	/* The only worker serves others while those wait: none of them has been answered before. */
	for (int i = 0; i < 10; i++) {
		WR_AUTO(mem_free_at) char *token = api_join(url, "plain");
		WR_AUTO(http_answer_free_at) struct http_answer *beat = api_poll(url, "/heartbeat", token);
		api_expect_place(beat, "waiting");
	}
	for (size_t i = 0; i < COUNT(waiting); i++) {
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = http_client_read(waiting[i], 5000);
		struct offer fresh = expect_refused(answer);
		assert_string_equal(fresh.kind, "pow");
		http_client_close(waiting[i]);
	}
}

static void a_pod_that_ends_answers_those_who_wait_for_the_provider(void **state)
{
	(void)state;
	struct http_client *waiting[5];
	fake_provider_set(provider, FAKE_SILENT);
	int asked = fake_provider_questions(provider);
	for (size_t i = 0; i < COUNT(waiting); i++) {
		struct offer offer = get_offer("turnstile");
		WR_AUTO(mem_free_at) char *body = join_body("turnstile", offer.text, "human");
		waiting[i] = http_client_open(url);
		http_client_send(waiting[i], "POST", "/enqueue", NULL, body);
	}
	WAIT_UNTIL(5000, fake_provider_questions(provider) == asked + 5, "all are asked about");
	process_signal(stack_pod(stack, 0), 15);
	process_signal(stack_pod(stack, 0), 15); /* the second: at once */
	assert_int_equal(process_wait(stack_pod(stack, 0), 10000), 0);
	for (size_t i = 0; i < COUNT(waiting); i++)
		http_client_close(waiting[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_is_vouched_for_gets_a_place),
		cmocka_unit_test(providers_are_asked_in_their_own_way),
		cmocka_unit_test(whoever_is_not_vouched_for_is_asked_again),
		cmocka_unit_test(a_join_without_an_answer_or_with_nonsense_does_not_reach_the_provider),
		cmocka_unit_test(a_challenge_is_good_for_one_place_whatever_the_provider_says),
		cmocka_unit_test(a_repeated_join_succeeds_though_the_provider_has_seen_its_answer),
		cmocka_unit_test(connections_to_the_provider_are_kept),
		cmocka_unit_test(wrong_keys_of_one_queue_do_not_spoil_the_provider_for_others),
		cmocka_unit_test_setup(garbage_from_the_provider_lets_proof_of_work_take_over, fresh_pod),
		cmocka_unit_test_setup(errors_of_the_provider_let_proof_of_work_take_over, fresh_pod),
		cmocka_unit_test_setup(an_endless_answer_is_broken_off_and_proof_of_work_takes_over,
							   fresh_pod),
		cmocka_unit_test_setup(a_provider_that_hangs_up_lets_proof_of_work_take_over, fresh_pod),
		cmocka_unit_test_setup(a_provider_that_is_down_lets_proof_of_work_take_over_and_comes_back,
							   fresh_pod),
		cmocka_unit_test_setup(a_silent_provider_holds_up_nobody_else, fresh_pod),
		cmocka_unit_test_setup(a_pod_that_ends_answers_those_who_wait_for_the_provider, fresh_pod),
	};
	return cmocka_run_group_tests(tests, open_room, close_room);
}
