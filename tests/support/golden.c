/* Golden files: read, asked, compared. See golden.h for their shape. */
#include "support/golden.h"

#include "support/cmocka.h"
#include "support/http.h"
#include "support/temp.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CASES_MAX 64
#define LINES_MAX 40
#define LINE_BYTES 8192
#define DEADLINE_MS 5000

struct golden_case {
	const char *name;
	char *lines[LINES_MAX]; /* lend from the file's text */
	size_t count;
};

static const char *const *server;
static const struct golden_word *words;

/* ---- words ---- */

static const char *value_of(const char *name, size_t len)
{
	for (const struct golden_word *word = words; word->name; word++)
		if (strlen(word->name) == len && !memcmp(word->name, name, len))
			return word->value;
	fail_msg("${%.*s} is no word of this test", (int)len, name);
	return "";
}

/* With all ${…} replaced. */
static void expand(const char *line, char ret_text[LINE_BYTES])
{
	char *end = ret_text;
	while (*line) {
		assert_true((size_t)(end - ret_text) < LINE_BYTES / 2);
		size_t len = strncmp(line, "${", 2) ? 0 : strcspn(line, "}");
		if (!len)
			*end++ = *line++;
		else if (!strncmp(line, "${b64 ", 6))
			end += base64url_encode(line + 6, len - 6, end);
		else
			end = stpcpy(end, value_of(line + 2, len - 2));
		if (len)
			line += len + 1;
	}
	*end = '\0';
}

/* ---- asking ---- */

static struct http_answer *ask(const struct golden_case *golden)
{
	char request[4 * LINE_BYTES] = "", body[LINE_BYTES] = "", line[LINE_BYTES];
	bool is_head = false, has_host = false;
	char *end = request;
	for (size_t i = 0; i < golden->count; i++) {
		expand(golden->lines[i] + 2, line);
		if (golden->lines[i][0] == '=')
			strcpy(body, line);
		if (golden->lines[i][0] != '>')
			continue;
		if (end == request)
			is_head = !strncmp(line, "HEAD ", 5);
		has_host |= !strncasecmp(line, "Host:", 5);
		end += sprintf(end, "%s%s\r\n", line, end == request ? " HTTP/1.1" : "");
	}
	if (!has_host)
		end = stpcpy(end, "Host: checker.internal\r\n");
	if (body[0])
		end += sprintf(end, "Content-Length: %zu\r\n", strlen(body));
	end = stpcpy(stpcpy(end, "\r\n"), body);
	struct http_client *client = http_client_open(*server);
	assert_true(http_client_send_raw(client, request, (size_t)(end - request)));
	struct http_answer *answer = is_head ? http_client_read_head(client, DEADLINE_MS)
										 : http_client_read(client, DEADLINE_MS);
	http_client_close(client);
	return answer;
}

/* ---- comparing ---- */

static bool is_of_the_moment(const char *header)
{
	static const char *const names[] = {"Date:", "Connection:", "Content-Length:", "X-Request-Id:"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncasecmp(header, names[i], strlen(names[i])))
			return true;
	return false;
}

/* Is this line of the answer among those expected and not yet seen? */
static bool take_line(char expected[][LINE_BYTES], size_t count, const char *line)
{
	for (size_t i = 0; i < count; i++)
		if (expected[i][0] && !fnmatch(expected[i], line, FNM_CASEFOLD)) {
			expected[i][0] = '\0';
			return true;
		}
	return false;
}

static const char *compare_head(char expected[][LINE_BYTES], size_t count,
								const struct http_answer *answer)
{
	WR_AUTO(mem_free_at) char *head = mem_copy_string(answer->head);
	char *rest = strstr(head, "\r\n") + 2, *line;
	while ((line = strsep(&rest, "\r\n")))
		if (*line && !is_of_the_moment(line) && !take_line(expected, count, line))
			return "has a header that is not expected";
	for (size_t i = 0; i < count; i++)
		if (expected[i][0])
			return expected[i];
	return NULL;
}

static void run_case(void **state)
{
	const struct golden_case *golden = *state;
	char(*expected)[LINE_BYTES] = mem_alloc_zero(LINES_MAX, LINE_BYTES);
	size_t expected_count = 0;
	bool has_body = false;
	int status = 0;
	struct http_answer *answer = ask(golden);
	for (size_t i = 0; i < golden->count; i++) {
		char line[LINE_BYTES];
		expand(golden->lines[i] + 2, line);
		if (golden->lines[i][0] == '+' && !strstr(answer->body, line))
			fail_msg("the body lacks %s: %s", line, answer->body);
		has_body |= golden->lines[i][0] == '+';
		if (golden->lines[i][0] == '<' && !status)
			status = atoi(line);
		else if (golden->lines[i][0] == '<')
			strcpy(expected[expected_count++], line);
	}
	const char *wrong = answer->status != status ? "has another status" : NULL;
	if (!wrong)
		wrong = compare_head(expected, expected_count, answer);
	if (!wrong && !has_body && answer->body_len > 0)
		wrong = "has a body";
	if (wrong)
		fail_msg("The answer: %s\n%s%s", wrong, answer->head, answer->body);
	free(expected);
	http_answer_free(answer);
}

/* ---- the file ---- */

static size_t read_cases(char *text, struct golden_case cases[CASES_MAX])
{
	size_t count = 0;
	for (char *line; (line = strsep(&text, "\n"));) {
		if (line[0] == '#' && line[1] == ' ') {
			assert(count < CASES_MAX);
			cases[count++].name = line + 2;
		} else if (line[0] && strncmp(line, "##", 2) != 0) {
			struct golden_case *golden = &cases[count - 1];
			assert(count > 0 && golden->count < LINES_MAX && strchr("><=+", line[0]) &&
				   line[1] == ' ');
			golden->lines[golden->count++] = line;
		}
	}
	return count;
}

int golden_run(const char *file, const char *const *address, const struct golden_word *all_words,
			   int (*setup)(void **state), int (*teardown)(void **state))
{
	static struct golden_case cases[CASES_MAX];
	static struct CMUnitTest tests[CASES_MAX];
	WR_AUTO(mem_free_at) char *text = temp_read(file, NULL);
	if (!text) {
		fprintf(stderr, "%s cannot be read\n", file);
		return 1;
	}
	server = address;
	words = all_words;
	size_t count = read_cases(text, cases);
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){
			.name = cases[i].name, .test_func = run_case, .initial_state = &cases[i]};
	return _cmocka_run_group_tests(file, tests, count, setup, teardown);
}
