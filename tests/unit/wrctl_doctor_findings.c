/* Reports of several pods become one, and how it is printed. */
#include "cmd/wrctl/doctor.h"
#include "support/cmocka.h"
#include "waitingroom/memory.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(name, status, said, act)                                                             \
	"{\"name\":\"" name "\",\"status\":\"" status "\",\"said\":\"" said "\",\"do\":\"" act "\"}"

static void take(struct findings *findings, const char *pod, const char *checks)
{
	WR_AUTO(mem_free_at) char *text = NULL;
	WR_AUTO(json_free_at) struct json_value *report = NULL;
	struct err_detail detail;
	if (asprintf(&text, "{\"instance\":\"%s\",\"checks\":[%s]}", pod, checks) < 0)
		abort();
	assert_int_equal(json_parse(text, strlen(text), &report, &detail), WR_OK);
	assert_true(findings_take_report(findings, report));
	findings->urls++;
}

static char *print(const struct findings *findings, int width, bool unicode)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct terminal terminal = {.width = width, .unicode = unicode};
	findings_print(findings, &terminal, out);
	fclose(out);
	return text;
}

static void what_pods_say_alike_is_one_finding(void **state)
{
	(void)state;
	struct findings findings = {.list = NULL};
	take(&findings, "api-1",
		 CHECK("pods", "warn", "api-9 has said nothing for 12 s.",
			   "Look.") "," CHECK("store", "ok", "Redis answers in 0.1 ms.", ""));
	take(&findings, "api-2",
		 CHECK("pods", "warn", "api-9 has said nothing for 13 s.",
			   "Look.") "," CHECK("store", "ok", "Redis answers in 22.7 ms.", ""));
	findings_settle(&findings);
	WR_AUTO(mem_free_at) char *text = print(&findings, 0, false);
	assert_string_equal(text, "! pods     api-9 has said nothing for 12 s.\n"
							  "           -> Look.\n"
							  "+ store    Redis answers in 0.1 ms.\n"
							  "\n2 of 2 urls answered with a report. 0 must be mended, 1 should be "
							  "looked at.\n");
	findings_clear(&findings);
}

static void dissent_is_shown_and_goes_before_being_well(void **state)
{
	(void)state;
	struct findings findings = {.list = NULL};
	take(&findings, "api-1", CHECK("store", "ok", "Redis answers.", ""));
	take(&findings, "api-2", CHECK("store", "fail", "The store does not answer api-2.", "Look."));
	findings_settle(&findings);
	assert_int_equal(findings_worst(&findings), HEALTH_FAIL);
	WR_AUTO(mem_free_at) char *text = print(&findings, 0, false);
	assert_string_equal(text, "x store    The store does not answer api-2.\n"
							  "           -> Look.\n"
							  "           Only api-2 says so (1 of 2 pods).\n"
							  "\n2 of 2 urls answered with a report. 1 must be mended, 0 should be "
							  "looked at.\n");
	findings_clear(&findings);
}

static void what_fails_stands_first_and_queues_last(void **state)
{
	(void)state;
	struct findings findings = {.list = NULL};
	take(&findings, "a",
		 CHECK("queue:b/b", "ok", "b", "") "," CHECK("store", "ok", "s", "") "," CHECK(
			 "keys", "warn", "k", "") "," CHECK("queue:a/a", "fail", "q",
												"") "," CHECK("later", "unknown", "x", ""));
	findings_add(&findings, "url", HEALTH_FAIL, "Look.", "No answer from %s.", "http://x");
	findings_settle(&findings);
	static const char *const order[] = {"url", "queue:a/a", "keys", "store", "queue:b/b"};
	assert_int_equal(findings.count, 5); /* what is of a later version is left out */
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(findings.list[i].check.name, order[i]);
	findings_clear(&findings);
}

static void long_texts_are_wrapped_at_words(void **state)
{
	(void)state;
	struct findings findings = {.list = NULL};
	take(&findings, "a",
		 CHECK("queue:default/a-queue-with-a-long-name", "warn",
			   "Somebody has waited for a very long time, longer than anybody should have to.",
			   "Is the rate right for so many people? Runbook: SomebodyWaitsLong."));
	findings_settle(&findings);
	WR_AUTO(mem_free_at) char *text = print(&findings, 60, true);
	assert_non_null(strstr(text, "! queue:default/a-queue-with-a-long-name\n"
								 "           Somebody has waited for a very long time, longer\n"
								 "           than anybody should have to.\n"
								 "           → Is the rate right for so many people? Runbook:\n"
								 "             SomebodyWaitsLong.\n"));
	findings_clear(&findings);
}

static void what_is_no_report_is_refused(void **state)
{
	(void)state;
	struct findings findings = {.list = NULL};
	WR_AUTO(json_free_at) struct json_value *answer = NULL;
	struct err_detail detail;
	static const char problem[] = "{\"status\":503,\"code\":\"busy\"}";
	assert_int_equal(json_parse(problem, sizeof(problem) - 1, &answer, &detail), WR_OK);
	assert_false(findings_take_report(&findings, answer));
	assert_false(findings_take_report(&findings, NULL));
	assert_int_equal(findings.answered, 0);
	findings_settle(&findings);
	findings_clear(&findings);
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_pods_say_alike_is_one_finding),
		cmocka_unit_test(dissent_is_shown_and_goes_before_being_well),
		cmocka_unit_test(what_fails_stands_first_and_queues_last),
		cmocka_unit_test(long_texts_are_wrapped_at_words),
		cmocka_unit_test(what_is_no_report_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
