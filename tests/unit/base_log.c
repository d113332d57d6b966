/* Log: what goes out on standard error, caught with a pipe. */
#include "support/cmocka.h"
#include "support/wait.h"
#include "waitingroom/clock.h"
#include "waitingroom/log.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int real_stderr, pipe_ends[2];
static char caught[1 << 20];

static int catch_stderr(void **state)
{
	(void)state;
	real_stderr = dup(STDERR_FILENO);
	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
	dup2(pipe_ends[1], STDERR_FILENO);
	fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
	log_start("tester", LOG_LEVEL_INFO);
	return 0;
}

static int release_stderr(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	return 0;
}

static size_t read_caught(void)
{
	size_t len = 0;
	for (ssize_t got; (got = read(pipe_ends[0], caught + len, sizeof(caught) - 1 - len)) > 0;)
		len += (size_t)got;
	caught[len] = '\0';
	return len;
}

/* The single line that was written; cJSON_Delete() */
static cJSON *caught_line(void)
{
	size_t len = read_caught();
	assert_true(len > 0);
	assert_ptr_equal(strchr(caught, '\n'), caught + len - 1);
	cJSON *line = cJSON_ParseWithOpts(caught, NULL, 0);
	assert_non_null(line);
	return line;
}

static const char *text_of(const cJSON *line, const char *key)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(line, key);
	assert_true(cJSON_IsString(value));
	return value->valuestring;
}

static void a_line_is_one_json_object_with_its_fields(void **state)
{
	(void)state;
	log_event(LOG_LEVEL_WARN, "store_lost", LOG_TEXT("address", "a \"b\"\n\xff"),
			  LOG_NUMBER("tries", -3), LOG_TEXT("reason", "none"));
	cJSON *line = caught_line();
	assert_string_equal(text_of(line, "log.level"), "warn");
	assert_string_equal(text_of(line, "event.action"), "store_lost");
	assert_string_equal(text_of(line, "message"), "The connection to the store was lost.");
	assert_string_equal(text_of(line, "service.name"), "tester");
	assert_string_equal(text_of(line, "service.instance.id"), log_instance());
	assert_string_equal(text_of(line, "wr.address"), "a \"b\"\n\xef\xbf\xbd");
	assert_string_equal(text_of(line, "error.message"), "none");
	assert_int_equal(cJSON_GetObjectItem(line, "wr.tries")->valueint, -3);
	const char *when = text_of(line, "@timestamp");
	assert_int_equal(strlen(when), strlen("2026-01-31T12:34:56.789Z"));
	assert_int_equal(when[23], 'Z');
	cJSON_Delete(line);
}

static void an_event_without_fields_is_a_line_too(void **state)
{
	(void)state;
	log_event(LOG_LEVEL_INFO, "started");
	cJSON *line = caught_line();
	assert_string_equal(text_of(line, "event.action"), "started");
	assert_int_equal(cJSON_GetArraySize(line), 8);
	cJSON_Delete(line);
}

static void levels_below_the_chosen_one_are_silent(void **state)
{
	(void)state;
	enum log_level level;
	assert_true(log_level_parse("error", &level));
	log_set_level(level);
	read_caught(); /* log_level_changed */
	log_event(LOG_LEVEL_WARN, "unheard");
	assert_int_equal(read_caught(), 0);
	log_event(LOG_LEVEL_ERROR, "heard");
	cJSON_Delete(caught_line());
	assert_false(log_level_parse("loud", &level));
	assert_false(log_level_parse("", &level));
	assert_int_equal(level, LOG_LEVEL_ERROR);
}

static void fields_that_do_not_fit_are_left_out_and_said_so(void **state)
{
	(void)state;
	char *longer = malloc(2 * PIPE_BUF);
	memset(longer, 'x', 2 * PIPE_BUF - 1);
	longer[2 * PIPE_BUF - 1] = '\0';
	log_event(LOG_LEVEL_INFO, "big", LOG_TEXT("small", "s"), LOG_TEXT("longer", longer));
	free(longer);
	cJSON *line = caught_line();
	assert_string_equal(text_of(line, "wr.small"), "s");
	assert_null(cJSON_GetObjectItem(line, "wr.longer"));
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(line, "wr.truncated")));
	cJSON_Delete(line);
}

static void a_stopped_reader_costs_lines_and_not_the_caller(void **state)
{
	(void)state;
	int room = fcntl(pipe_ends[1], F_SETPIPE_SZ, 4096);
	assert_true(room > 0);
	int written = 0;
	for (; written < 3 * room; written += 80) /* more than fits */
		log_event(LOG_LEVEL_INFO, written < room ? "fits" : "dropped");
	read_caught();
	assert_true(fcntl(pipe_ends[1], F_SETPIPE_SZ, 1 << 16) > 0);
	log_event(LOG_LEVEL_INFO, "after"); /* the first line of which there is room says it */
	read_caught();
	char *end = strchr(caught, '\n');
	assert_non_null(end);
	cJSON *said = cJSON_ParseWithLength(caught, (size_t)(end - caught));
	assert_string_equal(text_of(said, "event.action"), "log_lines_dropped");
	assert_true(cJSON_GetObjectItem(said, "wr.count")->valueint > 0);
	assert_non_null(strstr(end, "\"event.action\":\"after\""));
	cJSON_Delete(said);
	struct log_counts counts;
	log_counts(&counts);
	assert_true(counts.dropped > 0);
}

static void the_level_that_stays_comes_back_after_an_override(void **state)
{
	(void)state;
	log_override_level(LOG_LEVEL_DEBUG, 100);
	assert_true(log_would_say(LOG_LEVEL_DEBUG));
	log_end_override();
	assert_false(log_would_say(LOG_LEVEL_DEBUG));
	log_writer_start();
	log_override_level(LOG_LEVEL_DEBUG, 0); /* over at the writer's next look */
	WAIT_UNTIL(3000, !log_would_say(LOG_LEVEL_DEBUG), "the level that stays");
	log_writer_stop();
	assert_true(log_would_say(LOG_LEVEL_INFO));
}

static void a_signal_steps_the_level_and_stops_at_both_ends(void **state)
{
	(void)state;
	log_step_level(-1);
	assert_int_equal(log_current_level(), LOG_LEVEL_DEBUG);
	log_step_level(-1);
	assert_int_equal(log_current_level(), LOG_LEVEL_DEBUG);
	for (int i = 0; i < 5; i++)
		log_step_level(1);
	assert_int_equal(log_current_level(), LOG_LEVEL_ERROR);
	log_override_level(LOG_LEVEL_DEBUG, 60); /* who asks for more than all does not get less */
	log_step_level(-1);
	assert_int_equal(log_current_level(), LOG_LEVEL_DEBUG);
	log_end_override();
	assert_int_equal(log_current_level(), LOG_LEVEL_ERROR);
}

static size_t count_of(const char *text)
{
	size_t count = 0;
	for (const char *at = caught; (at = strstr(at, text)) != NULL; at++)
		count++;
	return count;
}

static void repeated_lines_are_counted_and_said_once(void **state)
{
	(void)state;
	struct log_counts before, after;
	log_counts(&before);
	log_set_limit(5);
	log_writer_start();
	for (int i = 0; i < 1000; i++)
		log_event(LOG_LEVEL_INFO, "chatty", LOG_NUMBER("i", i));
	log_event(LOG_LEVEL_INFO, "another");
	static char all[sizeof(caught)];
	WAIT_UNTIL(5000, (read_caught(), strcat(all, caught), strstr(all, "log_repeated") != NULL),
			   "the line that sums up");
	log_writer_stop();
	log_set_limit(0);
	strcpy(caught, all);
	log_counts(&after);
	/* a second may end in between: then five more, and a sum of their own */
	assert_in_range(count_of("\"event.action\":\"chatty\""), 5, 10);
	assert_int_equal(count_of("\"event.action\":\"another\""), 1);
	assert_non_null(strstr(all, "\"wr.event\":\"chatty\""));
	assert_in_range(after.withheld - before.withheld, 990, 995);
}

static void a_writer_keeps_the_order_and_loses_nothing_at_its_end(void **state)
{
	(void)state;
	assert_true(fcntl(pipe_ends[1], F_SETPIPE_SZ, 1 << 20) > 0);
	log_writer_start();
	for (int i = 0; i < 300; i++)
		log_event(LOG_LEVEL_INFO, "ordered", LOG_NUMBER("i", i));
	log_writer_stop();
	read_caught();
	char *at = caught;
	for (int i = 0; i < 300; i++) {
		char text[32];
		snprintf(text, sizeof(text), "\"wr.i\":%d}", i);
		at = strstr(at, text);
		assert_non_null(at);
	}
}

static void a_writer_whose_reader_has_stopped_costs_lines_and_no_time(void **state)
{
	(void)state;
	struct log_counts before, after;
	log_counts(&before);
	assert_true(fcntl(pipe_ends[1], F_SETPIPE_SZ, 4096) > 0);
	log_writer_start();
	struct mono_time began = clock_mono();
	for (int i = 0; i < 5000; i++)
		log_event(LOG_LEVEL_INFO, "flood", LOG_NUMBER("i", i));
	assert_true(mono_diff_ms(began, clock_mono()) < 1000);
	log_writer_stop(); /* gives up in time, though nobody reads */
	assert_true(mono_diff_ms(began, clock_mono()) < 4000);
	log_counts(&after);
	assert_true(after.dropped - before.dropped > 4000);
}

static void *log_many(void *event)
{
	for (int i = 0; i < 200; i++)
		log_event(LOG_LEVEL_INFO, event, LOG_NUMBER("i", i));
	return NULL;
}

static void what_lasts_is_said_at_first_and_once_a_minute(void **state)
{
	(void)state;
	struct mono_time said = {0}, start = {.ns = 1};
	assert_true(log_once_a_minute(&said, start));
	assert_false(log_once_a_minute(&said, mono_add_ms(start, 59999)));
	assert_true(log_once_a_minute(&said, mono_add_ms(start, 60000)));
	assert_false(log_once_a_minute(&said, mono_add_ms(start, 119999)));
}

static void lines_of_two_threads_do_not_mix(void **state)
{
	(void)state;
	assert_true(fcntl(pipe_ends[1], F_SETPIPE_SZ, 1 << 18) > 0);
	pthread_t other;
	assert_int_equal(pthread_create(&other, NULL, log_many, "other"), 0);
	log_many("mine");
	pthread_join(other, NULL);
	read_caught();
	int lines = 0;
	char *rest = caught;
	for (char *text; (text = strsep(&rest, "\n")) && *text; lines++) {
		cJSON *line = cJSON_Parse(text);
		assert_non_null(line);
		cJSON_Delete(line);
	}
	assert_int_equal(lines, 400);
}

int main(void)
{
#define CAUGHT(test) cmocka_unit_test_setup_teardown(test, catch_stderr, release_stderr)
	const struct CMUnitTest tests[] = {
		CAUGHT(a_line_is_one_json_object_with_its_fields),
		CAUGHT(an_event_without_fields_is_a_line_too),
		CAUGHT(levels_below_the_chosen_one_are_silent),
		CAUGHT(fields_that_do_not_fit_are_left_out_and_said_so),
		CAUGHT(a_stopped_reader_costs_lines_and_not_the_caller),
		CAUGHT(lines_of_two_threads_do_not_mix),
		CAUGHT(the_level_that_stays_comes_back_after_an_override),
		CAUGHT(a_signal_steps_the_level_and_stops_at_both_ends),
		cmocka_unit_test(what_lasts_is_said_at_first_and_once_a_minute),
		CAUGHT(repeated_lines_are_counted_and_said_once),
		CAUGHT(a_writer_keeps_the_order_and_loses_nothing_at_its_end),
		CAUGHT(a_writer_whose_reader_has_stopped_costs_lines_and_no_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
