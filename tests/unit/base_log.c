/* Log: what goes out on standard error, caught with a pipe. */
#include "support/cmocka.h"
#include "waitingroom/log.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
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
			  LOG_NUMBER("tries", -3));
	cJSON *line = caught_line();
	assert_string_equal(text_of(line, "level"), "warn");
	assert_string_equal(text_of(line, "event"), "store_lost");
	assert_string_equal(text_of(line, "program"), "tester");
	assert_string_equal(text_of(line, "address"), "a \"b\"\n\xef\xbf\xbd");
	assert_int_equal(cJSON_GetObjectItem(line, "tries")->valueint, -3);
	const char *when = text_of(line, "ts");
	assert_int_equal(strlen(when), strlen("2026-01-31T12:34:56.789Z"));
	assert_int_equal(when[23], 'Z');
	cJSON_Delete(line);
}

static void an_event_without_fields_is_a_line_too(void **state)
{
	(void)state;
	log_event(LOG_LEVEL_INFO, "started");
	cJSON *line = caught_line();
	assert_string_equal(text_of(line, "event"), "started");
	assert_int_equal(cJSON_GetArraySize(line), 4);
	cJSON_Delete(line);
}

static void levels_below_the_chosen_one_are_silent(void **state)
{
	(void)state;
	enum log_level level;
	assert_true(log_level_parse("error", &level));
	log_set_level(level);
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
	assert_string_equal(text_of(line, "small"), "s");
	assert_null(cJSON_GetObjectItem(line, "longer"));
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(line, "truncated")));
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
	log_event(LOG_LEVEL_INFO, "after");
	cJSON *line = caught_line();
	assert_string_equal(text_of(line, "event"), "after");
	assert_true(cJSON_GetObjectItem(line, "lines_dropped")->valueint > 0);
	cJSON_Delete(line);
}

static void *log_many(void *event)
{
	for (int i = 0; i < 200; i++)
		log_event(LOG_LEVEL_INFO, event, LOG_NUMBER("i", i));
	return NULL;
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
