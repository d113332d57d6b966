/* Verdicts: a token is verified once, and never stands for another queue, another token or after
 * its key has gone.
 */
#include "cmd/api/verdicts.h"

#include "support/cmocka.h"
#include "support/shared_signer.h"

#include <string.h>

#define NOW_S INT64_C(1893453000)
#define NOW ((struct wall_time){.ms = NOW_S * 1000})

static const struct queue_name demo = {.tenant = "default", .queue = "demo"};
static const struct queue_name other = {.tenant = "default", .queue = "other"};
static struct verdicts *verdicts;

static int begin(void **state)
{
	verdicts = verdicts_new(64);
	return shared_signer_open(state);
}

static int end(void **state)
{
	verdicts_free(verdicts);
	return shared_signer_close(state);
}

struct text {
	char bytes[TOKEN_MAX_BYTES + 1];
	size_t len;
};

static struct text token_of(unsigned number, int64_t expires_s)
{
	struct session_claims claims = {
		.queue = demo, .epoch = "0123456789A", .issued_s = NOW_S - 100, .expires_s = expires_s};
	struct text text;
	memcpy(claims.position_id, "person-----0000-", POSITION_ID_CHARS);
	for (int i = 14; number > 0; i--, number /= 10)
		claims.position_id[i] = (char)('0' + number % 10);
	assert_int_equal(session_token_print(signer, &claims, text.bytes, &text.len), WR_OK);
	return text;
}

static struct verdict *look(const struct queue_name *queue, const struct text *text,
							enum wr_err *ret_err, bool *ret_was_known)
{
	return verdicts_look(verdicts, signer, queue, text->bytes, text->len, NOW, ret_err,
						 ret_was_known);
}

static void expect_none(const struct queue_name *queue, const struct text *text,
						enum wr_err expected)
{
	enum wr_err err = WR_OK;
	bool was_known = true;
	assert_null(look(queue, text, &err, &was_known));
	assert_int_equal(err, expected);
	assert_false(was_known);
}

static void a_token_is_verified_once(void **state)
{
	(void)state;
	struct text text = token_of(1, NOW_S + 100);
	enum wr_err err = WR_BUG;
	bool was_known = true;
	struct verdict *first = look(&demo, &text, &err, &was_known);
	assert_non_null(first);
	assert_false(was_known);
	assert_string_equal(first->claims.position_id, "person-----0001-");
	struct verdict *again = look(&demo, &text, &err, &was_known);
	assert_ptr_equal(again, first);
	assert_true(was_known);
	assert_int_equal(err, WR_OK);
}

static void a_known_token_is_not_good_for_another_queue(void **state)
{
	(void)state;
	struct text text = token_of(2, NOW_S + 100);
	enum wr_err err;
	bool was_known;
	assert_non_null(look(&demo, &text, &err, &was_known));
	expect_none(&other, &text, WR_BAD_TOKEN);
	assert_non_null(look(&demo, &text, &err, &was_known));
}

static void a_known_token_with_any_byte_changed_is_unknown(void **state)
{
	(void)state;
	struct text text = token_of(3, NOW_S + 100);
	enum wr_err err;
	bool was_known;
	assert_non_null(look(&demo, &text, &err, &was_known));
	for (size_t i = 0; i < text.len; i++) {
		struct text changed = text;
		changed.bytes[i] ^= 1;
		expect_none(&demo, &changed, WR_BAD_TOKEN);
	}
	struct text longer = text;
	strcpy(longer.bytes + longer.len++, "A");
	expect_none(&demo, &longer, WR_BAD_TOKEN);
}

static void a_token_that_is_refused_is_not_remembered(void **state)
{
	(void)state;
	struct text late = token_of(4, NOW_S - TOKEN_LEEWAY_S);
	expect_none(&demo, &late, WR_TOKEN_EXPIRED);
	expect_none(&demo, &late, WR_TOKEN_EXPIRED);
	struct text huge = {.len = TOKEN_MAX_BYTES + 1};
	expect_none(&demo, &huge, WR_BAD_TOKEN);
}

static void other_keys_make_everything_unknown(void **state)
{
	(void)state;
	struct text text = token_of(5, NOW_S + 100);
	enum wr_err err;
	bool was_known;
	assert_non_null(look(&demo, &text, &err, &was_known));
	struct keys *same = NULL;
	assert_int_equal(keys_parse(KEY_FILE_OF_THREE, strlen(KEY_FILE_OF_THREE), &same, NULL), WR_OK);
	signer_use_keys(signer, same);
	assert_non_null(look(&demo, &text, &err, &was_known));
	assert_false(was_known);
	signer_use_keys(signer, signing_keys);
	keys_free(same);
}

static void the_table_stays_as_large_as_it_is(void **state)
{
	(void)state;
	static struct text texts[300];
	enum wr_err err;
	unsigned known = 0;
	bool was_known;
	for (unsigned i = 0; i < 300; i++) {
		texts[i] = token_of(1000 + i, NOW_S + 100 + i);
		assert_non_null(look(&demo, &texts[i], &err, &was_known));
		assert_non_null(look(&demo, &texts[i], &err, &was_known));
		assert_true(was_known);
	}
	for (unsigned i = 300; i-- > 0;) { /* those that end last are the ones that are kept */
		assert_non_null(look(&demo, &texts[i], &err, &was_known));
		known += was_known;
	}
	assert_in_range(known, 1, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_verified_once),
		cmocka_unit_test(a_known_token_is_not_good_for_another_queue),
		cmocka_unit_test(a_known_token_with_any_byte_changed_is_unknown),
		cmocka_unit_test(a_token_that_is_refused_is_not_remembered),
		cmocka_unit_test(other_keys_make_everything_unknown),
		cmocka_unit_test(the_table_stays_as_large_as_it_is),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
