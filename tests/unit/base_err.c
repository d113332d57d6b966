/* Errors: the table is complete and fit to be shown. */
#include "support/cmocka.h"
#include "waitingroom/err.h"

#include <string.h>

static void codes_are_unique_and_sentences_end_like_sentences(void **state)
{
	(void)state;
	for (int i = 0; i < WR_ERR_COUNT; i++) {
		const char *sentence = err_sentence((enum wr_err)i);
		assert_true(strlen(sentence) > 4);
		assert_int_equal(sentence[strlen(sentence) - 1], '.');
		assert_true(strlen(err_code((enum wr_err)i)) > 1);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(err_code((enum wr_err)i), err_code((enum wr_err)j));
	}
}

static void only_errors_that_may_pass_are_retryable(void **state)
{
	(void)state;
	for (int i = 0; i < WR_ERR_COUNT; i++) {
		int status = err_http_status((enum wr_err)i);
		if (status == 429 || status == 503 || status == 408)
			assert_true(err_is_retryable((enum wr_err)i));
		else if (status < 500)
			assert_false(err_is_retryable((enum wr_err)i));
	}
	assert_int_equal(err_http_status(WR_OK), 200);
	assert_int_equal(err_http_status(WR_BAD_TOKEN), 401);
}

static void an_unknown_number_is_a_bug(void **state)
{
	(void)state;
	assert_string_equal(err_code((enum wr_err)9999), err_code(WR_BUG));
	assert_string_equal(err_code((enum wr_err) - 1), err_code(WR_BUG));
	assert_int_equal(err_http_status(WR_ERR_COUNT), 500);
}

static void err_say_fills_the_detail_and_cuts_what_is_too_long(void **state)
{
	(void)state;
	struct err_detail detail;
	assert_int_equal(err_say(&detail, WR_INVALID, "burst: must be %d..%d", 1, 9), WR_INVALID);
	assert_string_equal(detail.text, "burst: must be 1..9");
	assert_int_equal(err_say(NULL, WR_IO, "unheard"), WR_IO);
	char longer[400];
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(err_say(&detail, WR_IO, "%s", longer), WR_IO);
	assert_int_equal(strlen(detail.text), sizeof(detail.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_unique_and_sentences_end_like_sentences),
		cmocka_unit_test(only_errors_that_may_pass_are_retryable),
		cmocka_unit_test(an_unknown_number_is_a_bug),
		cmocka_unit_test(err_say_fills_the_detail_and_cuts_what_is_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
