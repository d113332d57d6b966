/* What the doctor names is there: its limits are those of the alerts, and its runbooks can be
 * read. */
#include "waitingroom/health.h"

#include "support/cmocka.h"
#include "support/temp.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The expression of an alert in deploy/prometheus/alerts.yml. */
static bool alert_has(const char *rules, const char *alert, const char *number)
{
	char name[64];
	snprintf(name, sizeof(name), "- alert: %s\n", alert);
	const char *from = strstr(rules, name);
	const char *to = from ? strstr(from, "annotations:") : NULL;
	const char *at = from ? strstr(from, number) : NULL;
	return at != NULL && to != NULL && at < to;
}

static void limits_are_those_of_the_alerts(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *rules = temp_read("deploy/prometheus/alerts.yml", NULL);
	assert_non_null(rules);
#define LIMIT_CHECK(name, number, alert, text)                                                     \
	if (!alert_has(rules, alert, text))                                                            \
		fail_msg("%s: the alert %s does not say \"%s\"", #name, alert, text);
	HEALTH_LIMIT_TABLE(LIMIT_CHECK)
#undef LIMIT_CHECK
}

/* Every text behind "Runbook: " in the program's sources. */
static void every_runbook_that_is_named_is_there(void **state)
{
	(void)state;
	static const char *const sources[] = {"lib/ops/health.c", "lib/ops/health_pods.c",
										  "lib/ops/health_queues.c", "lib/ops/health_settings.c"};
	size_t named = 0;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		WR_AUTO(mem_free_at) char *text = temp_read(sources[i], NULL);
		assert_non_null(text);
		for (char *at = strchr(text, '"'); at; at = strchr(at + 1, '"')) {
			size_t len = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
			char path[128];
			/* A word in quotes with two capitals, none of them next to another: StoreSlow. */
			if (at[1 + len] != '"' || len < 6 || at[1] < 'A' || at[1] > 'Z' ||
				strspn(at + 2, "abcdefghijklmnopqrstuvwxyz") + 1 == len)
				continue;
			snprintf(path, sizeof(path), "deploy/runbooks/%.*s.md", (int)len, at + 1);
			if (strncmp(at + 1, "DragonflyDB", len) == 0)
				continue;
			if (access(path, R_OK) != 0)
				fail_msg("%s names %s", sources[i], path);
			named++;
		}
	}
	assert_true(named > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_those_of_the_alerts),
		cmocka_unit_test(every_runbook_that_is_named_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
