/* What wrctl top draws: whole pictures, line by line, and that no line is ever too wide. */
#include "cmd/wrctl/top.h"
#include "support/cmocka.h"
#include "waitingroom/memory.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct top_queue three_queues[] = {
	{.name = "default/demo",
	 .state = "open",
	 .waiting = 12345,
	 .active = 70,
	 .capacity = 100,
	 .rate_limit = 60,
	 .rate = 58.4,
	 .oldest_ms = 725000,
	 .estimate_s = 1800},
	{.name = "acme/a-sale-with-a-rather-long-name",
	 .state = "paused",
	 .waiting = 40,
	 .active = 1200,
	 .capacity = 1000,
	 .rate_limit = 6000,
	 .rate = 0,
	 .oldest_ms = 20 * 3600000,
	 .estimate_s = -1},
	{.name = "default/empty",
	 .state = "passthrough",
	 .capacity = 10000000,
	 .rate_limit = 600000,
	 .rate = -1,
	 .estimate_s = 0},
};

static const struct top_pod three_pods[] = {
	{.row = {.kind = "api",
			 .instance = "waitingroom-api-7d9f-x2x7k",
			 .requests_per_s = 12345,
			 .heartbeats_per_s = 12000,
			 .store_us = 420,
			 .relay = true,
			 .nats = true},
	 .state = "ok",
	 .age_ms = 2000},
	{.row = {.kind = "api", .instance = "waitingroom-api-7d9f-b8b2c", .relay = true},
	 .state = "silent",
	 .age_ms = 21000},
	{.row = {.kind = "admitter", .instance = "adm-1", .admitted_per_s = 3, .store_us = 180000},
	 .state = "ok",
	 .age_ms = 1000},
};

static struct top_facts facts(void)
{
	return (struct top_facts){.queues = (struct top_queue *)three_queues,
							  .queue_count = 3,
							  .pods = (struct top_pod *)three_pods,
							  .pod_count = 3,
							  .url = "http://127.0.0.1:9090",
							  .health = HEALTH_FAIL,
							  .finding = "pods: one has said nothing for 21 s.",
							  .findings = 2,
							  .answered = {1000}};
}

static struct top_view view(int width, int height)
{
	return (struct top_view){.width = width,
							 .height = height,
							 .now = {0},
							 .context = "prod",
							 .every_ms = 1000,
							 .keys = true};
}

static char *draw(const struct top_facts *shown, struct top_view *look)
{
	struct frame frame;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	top_draw(shown, look, &frame);
	for (size_t i = 0; i < frame.count; i++)
		fprintf(out, "%s|\n", frame.lines[i]);
	fclose(out);
	frame_clear(&frame);
	return text;
}

static void expect(const char *drawn, const char *const lines[])
{
	const char *at = drawn;
	for (size_t i = 0; lines[i] != NULL; i++) {
		size_t len = strcspn(at, "\n");
		if (strlen(lines[i]) != len || memcmp(lines[i], at, len) != 0)
			fail_msg("line %zu is\n\"%.*s\", not\n\"%s\", in\n%s", i + 1, (int)len, at, lines[i],
					 drawn);
		at += len + (at[len] == '\n');
	}
	if (*at != '\0')
		fail_msg("more lines than expected:\n%s", drawn);
}

static void at_80_columns_everything_has_its_place(void **state)
{
	(void)state;
	struct top_facts shown = facts();
	struct top_view look = view(80, 11);
	WR_AUTO(mem_free_at) char *drawn = draw(&shown, &look);
	expect(drawn,
		   (const char *const[]){
			   "waitingroom prod  http://127.0.0.1:9090                      00:00:00  every 1 s|",
			   "3 queues   12 385 waiting   1270 of 10 001 100 active   58 let in per minute|",
			   "1 pod ok   1 admitter ok   waitingroom-api-7d9f-b8b2c silent 21 s|",
			   "pods: one has said nothing for 21 s. (and 1 more: wrctl doctor)|",
			   "QUEUE               STATE     WAITING   RATE/MIN            ACTIVE OLDEST   WAIT|",
			   "default/demo        open       12 345      58/60 ###..      70/100   12 m   30 m|",
			   "acme/a-sale-with-a~ paused         40     0/6000 #####   1200/1000 20.0 h      -|",
			   "default/empty       passthru        0     -/600k .....     0/10.0M      -    0 s|",
			   "|", "|", "q quit  p processes|", NULL});
}

static void a_wide_terminal_shows_longer_names_and_bars(void **state)
{
	(void)state;
	struct top_facts shown = facts();
	struct top_view look = view(120, 8);
	look.unicode = true;
	WR_AUTO(mem_free_at) char *drawn = draw(&shown, &look);
	assert_non_null(strstr(drawn, "acme/a-sale-with-a-rather-long-name paused"));
	assert_non_null(strstr(drawn, "██████████░░░░░      70/100"));
	assert_non_null(strstr(drawn, "q quit  p processes  ↑↓ scroll   1-2 of 3|"));
}

static void the_list_scrolls_and_stops_at_its_end(void **state)
{
	(void)state;
	struct top_facts shown = facts();
	struct top_view look = view(80, 8);
	look.scroll = 100;
	WR_AUTO(mem_free_at) char *drawn = draw(&shown, &look);
	assert_int_equal(look.scroll, 1);
	assert_null(strstr(drawn, "default/demo"));
	assert_non_null(strstr(drawn, "default/empty"));
	assert_non_null(strstr(drawn, "up/down scroll   2-3 of 3|"));
}

static void processes_are_listed_in_place_of_queues(void **state)
{
	(void)state;
	struct top_facts shown = facts();
	struct top_view look = view(100, 10);
	look.only_pods = true;
	WR_AUTO(mem_free_at) char *drawn = draw(&shown, &look);
	assert_non_null(strstr(
		drawn,
		"PROCESS                    KIND     STATE      SEEN  REQ/S  BEATS/S  LET IN/S  STORE "
		"MS  NATS|\n"
		"waitingroom-api-7d9f-x2x7k api      ok          2 s  12.3k    12.0k         -       "
		"0.4   yes|\n"
		"waitingroom-api-7d9f-b8b2c api      silent     21 s      0        0         -       "
		"0.0    no|\n"
		"adm-1                      admitter ok          1 s      -        -         3     "
		"180.0     -|\n"));
	assert_null(strstr(drawn, "default/demo"));
	assert_non_null(strstr(drawn, "q quit  p queues|"));
}

static void colours_are_only_there_when_asked_for(void **state)
{
	(void)state;
	struct top_facts shown = facts();
	struct top_view look = view(80, 11);
	WR_AUTO(mem_free_at) char *plain = draw(&shown, &look);
	assert_null(strchr(plain, '\033'));
	look.colour = true;
	WR_AUTO(mem_free_at) char *coloured = draw(&shown, &look);
	assert_non_null(strstr(coloured, "\033[31mpods: one has said nothing"));
	assert_non_null(strstr(coloured, "\033[32mopen\033[0m"));
	assert_non_null(strstr(coloured, "\033[31mwaitingroom-api-7d9f-b8b2c silent\033[0m"));
}

static void no_answer_is_said_with_its_reason_and_age(void **state)
{
	(void)state;
	struct top_facts shown = facts();
	struct top_view look = view(80, 11);
	look.now.ms = 13000;
	strcpy(shown.trouble, "http://127.0.0.1:9090: Connection refused");
	WR_AUTO(mem_free_at) char *drawn = draw(&shown, &look);
	assert_non_null(
		strstr(drawn, "no answer for 12 s: http://127.0.0.1:9090: Connection refused|"));
	assert_non_null(strstr(drawn, "default/demo")); /* what was known last stays */
}

static void without_a_terminal_all_lines_are_there_and_no_keys(void **state)
{
	(void)state;
	struct top_facts shown = facts();
	struct top_view look = view(80, 0);
	look.keys = false;
	WR_AUTO(mem_free_at) char *drawn = draw(&shown, &look);
	assert_non_null(strstr(drawn, "default/empty"));
	assert_null(strstr(drawn, "q quit"));
	assert_null(strstr(drawn, "\n|\n")); /* nothing empty */
}

static void nothing_at_all_can_be_drawn(void **state)
{
	(void)state;
	struct top_facts none = {.trouble = "nobody there"};
	struct top_view look = view(80, 8);
	WR_AUTO(mem_free_at) char *drawn = draw(&none, &look);
	assert_non_null(strstr(drawn, "no answer: nobody there|"));
	assert_non_null(strstr(drawn, "0 queues   0 waiting"));
}

static void no_line_is_wider_than_the_terminal_and_none_too_many(void **state)
{
	(void)state;
	struct top_facts shown = facts();
	for (int width = 20; width <= 200; width++)
		for (int height = 1; height <= 14; height++)
			for (int kind = 0; kind < 4; kind++) {
				struct top_view look = view(width, height);
				struct frame frame;
				look.unicode = kind & 1;
				look.only_pods = kind & 2;
				top_draw(&shown, &look, &frame);
				for (size_t i = 0; i < frame.count; i++)
					if (text_columns(frame.lines[i]) > (size_t)width)
						fail_msg("%d x %d: \"%s\"", width, height, frame.lines[i]);
				assert_true(height < 6 || frame.count == (size_t)height);
				frame_clear(&frame);
			}
}

static void control_characters_of_answers_do_not_reach_the_terminal(void **state)
{
	(void)state;
	struct top_facts shown = facts();
	struct top_view look = view(80, 11);
	strcpy(shown.finding, "evil \033[2J\a\n text");
	WR_AUTO(mem_free_at) char *drawn = draw(&shown, &look);
	assert_null(strchr(drawn, '\033'));
	assert_null(strchr(drawn, '\a'));
	assert_non_null(strstr(drawn, "evil  [2J   text"));
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	setlocale(LC_CTYPE, "C.UTF-8");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_80_columns_everything_has_its_place),
		cmocka_unit_test(a_wide_terminal_shows_longer_names_and_bars),
		cmocka_unit_test(the_list_scrolls_and_stops_at_its_end),
		cmocka_unit_test(processes_are_listed_in_place_of_queues),
		cmocka_unit_test(colours_are_only_there_when_asked_for),
		cmocka_unit_test(no_answer_is_said_with_its_reason_and_age),
		cmocka_unit_test(without_a_terminal_all_lines_are_there_and_no_keys),
		cmocka_unit_test(nothing_at_all_can_be_drawn),
		cmocka_unit_test(no_line_is_wider_than_the_terminal_and_none_too_many),
		cmocka_unit_test(control_characters_of_answers_do_not_reach_the_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
