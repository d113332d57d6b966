/* Challenges: what is redeemed, what is refused, and how the difficulty follows the joins.
 *
 * An independent check of the puzzles stands in one vector, made with another implementation:
 *     printf '<challenge>:0:<n>' | sha256sum
 */
#include "waitingroom/challenge.h"
#include "support/cmocka.h"
#include "support/shared_signer.h"
#include "waitingroom/join_rate.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW_S INT64_C(1893453000)
#define HOME UINT64_C(0x1234567890abcdef)
#define ELSEWHERE UINT64_C(0x1234567890abcdee)

static const struct queue_name demo = {"default", "demo"}, other = {"default", "other"};
static struct keys *strangers;
static struct signer *stranger;
static const struct challenge easy = {.kind = CHALLENGE_WORK,
									  .bits = 4,
									  .puzzles = 8,
									  .wait_s = 5,
									  .issued_s = NOW_S,
									  .nonce = {1, 2, 3, 4, 5, 6, 7, 8, 9}};

static int open_desk(void **state)
{
	static const char other_file[] =
		KEY_FILE(POSITION_ROW "," SESSION_ROW "," KEY_ROW("i1", "identity", "HS256", SECRET_C));
	if (keys_parse(other_file, strlen(other_file), &strangers, NULL) != WR_OK)
		return -1;
	stranger = signer_new();
	signer_use_keys(stranger, strangers);
	return shared_signer_open(state);
}

static int close_desk(void **state)
{
	signer_free(stranger);
	keys_free(strangers);
	return shared_signer_close(state);
}

static struct wall_time at(int64_t s)
{
	return (struct wall_time){.ms = s * 1000};
}

static enum challenge_outcome read_text(const char *text, int64_t now_s)
{
	struct challenge found;
	return challenge_read(signer, &demo, HOME, text, strlen(text), at(now_s), &found);
}

static void solve(const struct challenge *challenge, const char *text, uint64_t *ret_numbers)
{
	for (unsigned i = 0; i < challenge->puzzles; i++)
		ret_numbers[i] = challenge_solve_puzzle(text, i, challenge->bits);
}

/* ---- reading ---- */

static void what_was_printed_is_read_back(void **state)
{
	(void)state;
	const struct challenge edges[] = {
		easy,
		{.kind = CHALLENGE_CAPTCHA, .bits = 1, .puzzles = 1, .wait_s = 255, .issued_s = NOW_S},
		{.kind = CHALLENGE_WORK, .bits = 30, .puzzles = 256, .wait_s = 0, .issued_s = NOW_S},
	};
	for (size_t i = 0; i < COUNT(edges); i++) {
		char text[CHALLENGE_CHARS + 1];
		struct challenge found;
		challenge_print(signer, &demo, HOME, &edges[i], text);
		assert_int_equal(strlen(text), CHALLENGE_CHARS);
		assert_int_equal(challenge_read(signer, &demo, HOME, text, strlen(text), at(NOW_S), &found),
						 CHALLENGE_SOLVED);
		assert_int_equal(found.kind, edges[i].kind);
		assert_int_equal(found.bits, edges[i].bits);
		assert_int_equal(found.puzzles, edges[i].puzzles);
		assert_int_equal(found.wait_s, edges[i].wait_s);
		assert_int_equal(found.issued_s, edges[i].issued_s);
		assert_memory_equal(found.nonce, edges[i].nonce, CHALLENGE_NONCE_BYTES);
	}
}

static void any_changed_character_is_refused(void **state)
{
	(void)state;
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+. ";
	char text[CHALLENGE_CHARS + 1];
	challenge_print(signer, &demo, HOME, &easy, text);
	for (size_t i = 0; i < CHALLENGE_CHARS; i++) {
		char kept = text[i];
		for (const char *to = alphabet; *to; to++) {
			if (*to == kept)
				continue;
			text[i] = *to;
			assert_int_equal(read_text(text, NOW_S), CHALLENGE_FORGED);
		}
		text[i] = kept;
	}
	assert_int_equal(read_text(text, NOW_S), CHALLENGE_SOLVED);
}

static void another_length_is_refused(void **state)
{
	(void)state;
	char text[CHALLENGE_CHARS + 2];
	challenge_print(signer, &demo, HOME, &easy, text);
	strcpy(text + CHALLENGE_CHARS, "A");
	assert_int_equal(read_text(text, NOW_S), CHALLENGE_FORGED);
	text[CHALLENGE_CHARS - 1] = '\0';
	assert_int_equal(read_text(text, NOW_S), CHALLENGE_FORGED);
	assert_int_equal(read_text("", NOW_S), CHALLENGE_FORGED);
}

static void the_challenge_of_another_queue_or_installation_is_refused(void **state)
{
	(void)state;
	char text[CHALLENGE_CHARS + 1];
	challenge_print(signer, &other, HOME, &easy, text);
	assert_int_equal(read_text(text, NOW_S), CHALLENGE_FORGED);
	challenge_print(stranger, &demo, HOME, &easy, text);
	assert_int_equal(read_text(text, NOW_S), CHALLENGE_FORGED);
}

static void the_challenge_of_another_network_is_refused(void **state)
{
	(void)state;
	char text[CHALLENGE_CHARS + 1];
	challenge_print(signer, &demo, ELSEWHERE, &easy, text);
	assert_int_equal(read_text(text, NOW_S), CHALLENGE_NETWORK);
}

static void a_challenge_is_good_for_its_life_and_no_longer(void **state)
{
	(void)state;
	char text[CHALLENGE_CHARS + 1];
	challenge_print(signer, &demo, HOME, &easy, text);
	assert_int_equal(read_text(text, NOW_S + CHALLENGE_LIFE_S - 1), CHALLENGE_SOLVED);
	assert_int_equal(read_text(text, NOW_S + CHALLENGE_LIFE_S), CHALLENGE_EXPIRED);
	assert_int_equal(read_text(text, NOW_S - TOKEN_LEEWAY_S), CHALLENGE_SOLVED);
	assert_int_equal(read_text(text, NOW_S - TOKEN_LEEWAY_S - 1), CHALLENGE_EXPIRED);
}

static void waiting_counts_from_the_signed_time(void **state)
{
	(void)state;
	assert_false(challenge_was_waited_for(&easy, (struct wall_time){.ms = NOW_S * 1000 + 4999}));
	assert_true(challenge_was_waited_for(&easy, at(NOW_S + 5)));
}

/* ---- solving ---- */

static void a_whole_solution_is_taken(void **state)
{
	(void)state;
	char text[CHALLENGE_CHARS + 1];
	uint64_t numbers[8];
	challenge_print(signer, &demo, HOME, &easy, text);
	solve(&easy, text, numbers);
	assert_true(challenge_is_solved(&easy, text, numbers, 8));
}

static void too_few_or_too_many_numbers_are_refused(void **state)
{
	(void)state;
	char text[CHALLENGE_CHARS + 1];
	uint64_t numbers[9] = {0};
	challenge_print(signer, &demo, HOME, &easy, text);
	solve(&easy, text, numbers);
	assert_false(challenge_is_solved(&easy, text, numbers, 7));
	assert_false(challenge_is_solved(&easy, text, numbers, 9));
	assert_false(challenge_is_solved(&easy, text, numbers, 0));
}

static void one_wrong_number_among_good_ones_is_refused(void **state)
{
	(void)state;
	char text[CHALLENGE_CHARS + 1];
	uint64_t numbers[8];
	challenge_print(signer, &demo, HOME, &easy, text);
	for (unsigned i = 0; i < 8; i++) {
		solve(&easy, text, numbers);
		uint64_t smallest = numbers[i];
		/* Below the smallest that solves there is none, unless it is 0 already. */
		numbers[i] = smallest > 0 ? smallest - 1 : CHALLENGE_NONCE_END;
		assert_false(challenge_is_solved(&easy, text, numbers, 8));
	}
}

static void the_solution_of_another_challenge_is_refused(void **state)
{
	(void)state;
	struct challenge hard = easy, second = easy;
	hard.bits = second.bits = 8;
	second.nonce[0]++;
	char text[CHALLENGE_CHARS + 1], second_text[CHALLENGE_CHARS + 1];
	uint64_t numbers[8];
	challenge_print(signer, &demo, HOME, &hard, text);
	challenge_print(signer, &demo, HOME, &second, second_text);
	solve(&hard, text, numbers);
	assert_true(challenge_is_solved(&hard, text, numbers, 8));
	assert_false(challenge_is_solved(&second, second_text, numbers, 8));
}

static void a_captcha_is_not_solved_by_numbers(void **state)
{
	(void)state;
	struct challenge captcha = easy;
	captcha.kind = CHALLENGE_CAPTCHA;
	char text[CHALLENGE_CHARS + 1];
	uint64_t numbers[8];
	challenge_print(signer, &demo, HOME, &captcha, text);
	solve(&captcha, text, numbers);
	assert_false(challenge_is_solved(&captcha, text, numbers, 8));
}

/* printf 'AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAh:3:2168' | sha256sum gives 000ddc…, and no
 * smaller number begins with 12 zero bits. */
static void a_puzzle_is_plain_sha256_of_challenge_puzzle_and_number(void **state)
{
	(void)state;
	static const char text[] = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAh";
	assert_int_equal(challenge_solve_puzzle(text, 3, 12), 2168);
}

/* ---- difficulty ---- */

static unsigned bits_at(uint64_t network, uint64_t queue)
{
	struct queue_settings settings;
	queue_settings_default(&settings);
	struct challenge_load load = {.network_per_minute = network, .queue_per_minute = queue};
	return challenge_bits(&settings, &load);
}

static void calm_networks_and_queues_get_the_lowest_difficulty(void **state)
{
	(void)state;
	assert_int_equal(bits_at(0, 0), 10);
	assert_int_equal(bits_at(CHALLENGE_CALM_NETWORK, CHALLENGE_CALM_QUEUE), 10);
}

static void each_doubling_of_the_joins_is_one_bit_more(void **state)
{
	(void)state;
	assert_int_equal(bits_at(2 * CHALLENGE_CALM_NETWORK - 1, 0), 10);
	assert_int_equal(bits_at(2 * CHALLENGE_CALM_NETWORK, 0), 11);
	assert_int_equal(bits_at(4 * CHALLENGE_CALM_NETWORK, 0), 12);
	assert_int_equal(bits_at(64 * CHALLENGE_CALM_NETWORK, 0), 16);
	assert_int_equal(bits_at(0, 2 * CHALLENGE_CALM_QUEUE), 11);
	assert_int_equal(bits_at(0, 16 * CHALLENGE_CALM_QUEUE), 14);
}

static void the_larger_of_network_and_queue_counts_and_settings_bound_it(void **state)
{
	(void)state;
	assert_int_equal(bits_at(4 * CHALLENGE_CALM_NETWORK, 8 * CHALLENGE_CALM_QUEUE), 13);
	assert_int_equal(bits_at(8 * CHALLENGE_CALM_NETWORK, 4 * CHALLENGE_CALM_QUEUE), 13);
	assert_int_equal(bits_at(UINT64_MAX, 0), 18);
	assert_int_equal(bits_at(0, UINT64_MAX), 18);
}

static void the_wait_without_a_solution_grows_with_the_difficulty(void **state)
{
	(void)state;
	struct queue_settings settings;
	queue_settings_default(&settings);
	static const unsigned waits[] = {5, 5, 10, 10, 20, 20, 40, 40, 60};
	for (unsigned i = 0; i < COUNT(waits); i++)
		assert_int_equal(challenge_wait_s(&settings, 10 + i), waits[i]);
	/* Settings may have been raised since. */
	assert_int_equal(challenge_wait_s(&settings, 1), 5);
}

/* ---- rates ---- */

static void joins_are_counted_by_key_and_forgotten(void **state)
{
	(void)state;
	struct join_rate *rate = join_rate_new(64);
	int64_t now = 1000000000;
	assert_int_equal(join_rate_per_minute(rate, 7, now), 0);
	for (int i = 0; i < 20; i++)
		join_rate_add(rate, 7, now);
	assert_int_equal(join_rate_per_minute(rate, 7, now), 120);
	assert_int_equal(join_rate_per_minute(rate, 8, now), 0);
	assert_int_equal(join_rate_per_minute(rate, 7, now + 10000), 120); /* all of it still counts */
	assert_int_equal(join_rate_per_minute(rate, 7, now + 15000), 60);
	assert_int_equal(join_rate_per_minute(rate, 7, now + 20000), 0);
	join_rate_add(rate, 7, now + 30000);
	assert_int_equal(join_rate_per_minute(rate, 7, now + 30000), 6);
	join_rate_free(rate);
}

static void a_full_table_forgets_the_oldest(void **state)
{
	(void)state;
	struct join_rate *rate = join_rate_new(8);
	int64_t now = 1000000000;
	for (uint64_t key = 1; key <= 8; key++)
		join_rate_add(rate, key, now + (int64_t)key * 10000);
	join_rate_add(rate, 9, now + 85000);
	assert_int_equal(join_rate_per_minute(rate, 9, now + 85000), 6);
	assert_int_equal(join_rate_per_minute(rate, 8, now + 85000), 6);
	join_rate_free(rate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_printed_is_read_back),
		cmocka_unit_test(any_changed_character_is_refused),
		cmocka_unit_test(another_length_is_refused),
		cmocka_unit_test(the_challenge_of_another_queue_or_installation_is_refused),
		cmocka_unit_test(the_challenge_of_another_network_is_refused),
		cmocka_unit_test(a_challenge_is_good_for_its_life_and_no_longer),
		cmocka_unit_test(waiting_counts_from_the_signed_time),
		cmocka_unit_test(a_whole_solution_is_taken),
		cmocka_unit_test(too_few_or_too_many_numbers_are_refused),
		cmocka_unit_test(one_wrong_number_among_good_ones_is_refused),
		cmocka_unit_test(the_solution_of_another_challenge_is_refused),
		cmocka_unit_test(a_captcha_is_not_solved_by_numbers),
		cmocka_unit_test(a_puzzle_is_plain_sha256_of_challenge_puzzle_and_number),
		cmocka_unit_test(calm_networks_and_queues_get_the_lowest_difficulty),
		cmocka_unit_test(each_doubling_of_the_joins_is_one_bit_more),
		cmocka_unit_test(the_larger_of_network_and_queue_counts_and_settings_bound_it),
		cmocka_unit_test(the_wait_without_a_solution_grows_with_the_difficulty),
		cmocka_unit_test(joins_are_counted_by_key_and_forgotten),
		cmocka_unit_test(a_full_table_forgets_the_oldest),
	};
	return cmocka_run_group_tests(tests, open_desk, close_desk);
}
