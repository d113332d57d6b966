/* Options of wrload: what the command line means, and what is refused with which words. */
#include "cmd/wrload/options.h"

#include "support/cmocka.h"
#include <string.h>

static struct options options;
static struct err_detail detail;

/* Splits 'line' at blanks; the program's name is put before it. */
static enum wr_err parse(const char *line)
{
	static char words[512];
	static char program[] = "wrload";
	char *argv[32] = {program};
	int argc = 1;
	snprintf(words, sizeof(words), "%s", line);
	for (char *rest = words, *word; (word = strsep(&rest, " "));)
		argv[argc++] = word;
	static char *kept[32]; /* the options lend the addresses from it */
	memcpy(kept, argv, sizeof(kept));
	memset(&detail, 0, sizeof(detail));
	return options_parse(argc, kept, &options, &detail);
}

static void what_is_not_given_has_its_default(void **state)
{
	(void)state;
	assert_int_equal(parse("--queue demo http://a:1"), WR_OK);
	assert_string_equal(options.queue, "demo");
	assert_int_equal(options.visitors, 1000);
	assert_int_equal(options.stay_ms, 1000);
	assert_int_equal(options.capacity, -1);
	assert_int_equal(options.rate_per_minute, -1);
	assert_false(options.forever);
	assert_true(options.seed > 0);
	assert_int_equal(options.url_count, 1);
	assert_string_equal(options.urls[0], "http://a:1");
}

static void options_and_addresses_are_taken_in_any_order(void **state)
{
	(void)state;
	assert_int_equal(parse("http://a:1 --visitors=7 --queue default/demo --vanish 0.25 http://b:2 "
						   "--forever --seed 0 --rate-per-minute 60 --burst 5 --report out.json"),
					 WR_OK);
	assert_int_equal(options.visitors, 7);
	assert_true(options.vanish > 0.2499 && options.vanish < 0.2501);
	assert_true(options.forever);
	assert_int_equal(options.seed, 0);
	assert_int_equal(options.rate_per_minute, 60);
	assert_int_equal(options.burst, 5);
	assert_string_equal(options.report, "out.json");
	assert_int_equal(options.url_count, 2);
	assert_string_equal(options.urls[1], "http://b:2");
}

static void wrong_use_is_refused_with_the_option_named(void **state)
{
	(void)state;
	static const struct {
		const char *line, *word;
	} wrong[] = {
		{"http://a:1", "--queue"},
		{"--queue demo", "URL"},
		{"--queue DEMO http://a:1", "--queue"},
		{"--queue demo --visitors 0 http://a:1", "--visitors"},
		{"--queue demo --visitors 1x http://a:1", "--visitors"},
		{"--queue demo --visitors -1 http://a:1", "--visitors"},
		{"--queue demo --arrive-per-s 0 http://a:1", "--arrive-per-s"},
		{"--queue demo --arrive-per-s nan http://a:1", "--arrive-per-s"},
		{"--queue demo --vanish 1.5 http://a:1", "--vanish"},
		{"--queue demo --vanish 0.6 --leave 0.6 http://a:1", "--leave"},
		{"--queue demo --rate-per-minute 60 http://a:1", "--burst"},
		{"--queue demo --burst 60 http://a:1", "--rate-per-minute"},
		{"--queue demo --connections 100000 http://a:1", "--connections"},
		{"--queue demo --bogus http://a:1", "--bogus"},
		{"--queue demo http://a:1 --seed", "--seed"},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(parse(wrong[i].line), WR_BAD_CONFIG);
		assert_non_null(strstr(detail.text, wrong[i].word));
	}
}

static void help_needs_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(parse("--help"), WR_OK);
	assert_true(options.wants_help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_given_has_its_default),
		cmocka_unit_test(options_and_addresses_are_taken_in_any_order),
		cmocka_unit_test(wrong_use_is_refused_with_the_option_named),
		cmocka_unit_test(help_needs_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
