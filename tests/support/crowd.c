/* Crowd: wrload, started with a report file of its own, and that file read when it has ended. */
#include "support/crowd.h"

#include "support/cmocka.h"
#include "support/process.h"
#include "support/temp.h"
#include "waitingroom/memory.h"

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 48

struct crowd_process {
	struct process *process;
	char *report_file, *text;
	cJSON *report;
};

struct crowd_process *crowd_start_at(const char *const urls[], const char *queue,
									 const char *const arguments[])
{
	static int crowds;
	struct crowd_process *crowd = mem_alloc_zero(1, sizeof(*crowd));
	char name[32];
	snprintf(name, sizeof(name), "wrload%d", ++crowds);
	crowd->report_file = temp_path("%s.json", name);
	WR_AUTO(mem_free_at) char *binary = process_binary("wrload");
	const char *argv[ARGUMENTS_MAX] = {binary,		"--queue",			queue,
									   "--report",	crowd->report_file, "--vanish=0",
									   "--sleep=0", "--leave=0"};
	int count = 8;
	for (; *arguments; arguments++) {
		assert_in_range(count, 0, ARGUMENTS_MAX - STACK_PODS_MAX - 2);
		argv[count++] = *arguments;
	}
	for (; *urls; urls++)
		argv[count++] = *urls;
	crowd->process = process_start(name, argv, NULL);
	return crowd;
}

struct crowd_process *crowd_start(const struct stack *stack, const char *queue,
								  const char *const arguments[])
{
	const char *urls[STACK_PODS_MAX + 1] = {NULL};
	for (int pod = 0; pod < stack->pod_count; pod++)
		urls[pod] = stack_url(stack, pod);
	return crowd_start_at(urls, queue, arguments);
}

struct process *crowd_process(struct crowd_process *crowd)
{
	return crowd->process;
}

static void read_report(struct crowd_process *crowd, int code)
{
	crowd->text = temp_read(crowd->report_file, NULL);
	crowd->report = crowd->text ? cJSON_Parse(crowd->text) : NULL;
	if (code != 0 || !crowd->report || crowd_count(crowd, "violation_count") != 0) {
		process_show_logs();
		fail_msg("wrload ended with %d: %s", code, crowd->text ? crowd->text : "no report");
	}
}

void crowd_await(struct crowd_process *crowd, int deadline_ms)
{
	read_report(crowd, process_wait(crowd->process, deadline_ms));
}

void crowd_end(struct crowd_process *crowd, int deadline_ms)
{
	process_signal(crowd->process, SIGINT);
	crowd_await(crowd, deadline_ms);
}

void crowd_next_phase(struct crowd_process *crowd)
{
	process_signal(crowd->process, SIGUSR1);
}

static const cJSON *member_of(const cJSON *value, const char *name)
{
	return cJSON_IsArray(value) ? cJSON_GetArrayItem(value, atoi(name))
								: cJSON_GetObjectItemCaseSensitive(value, name);
}

double crowd_number(const struct crowd_process *crowd, const char *path)
{
	WR_AUTO(mem_free_at) char *copy = mem_copy_string(path);
	char *rest = copy;
	const cJSON *value = crowd->report;
	for (char *name; (name = strsep(&rest, "."));)
		value = member_of(value, name);
	if (!cJSON_IsNumber(value))
		fail_msg("the report has no %s: %s", path, crowd->text ? crowd->text : "not read yet");
	return value->valuedouble;
}

int64_t crowd_count(const struct crowd_process *crowd, const char *path)
{
	return (int64_t)crowd_number(crowd, path);
}

const char *crowd_report(const struct crowd_process *crowd)
{
	return crowd->text;
}

void crowd_expect_nobody_lost(const struct crowd_process *crowd)
{
	if (crowd_count(crowd, "counts.lost") || crowd_count(crowd, "counts.expired") ||
		crowd_count(crowd, "counts.missed")) {
		process_show_logs();
		fail_msg("somebody's place was lost: %s", crowd->text);
	}
}

void crowd_close(struct crowd_process *crowd)
{
	if (!crowd)
		return;
	process_free(crowd->process);
	cJSON_Delete(crowd->report);
	free(crowd->report_file);
	free(crowd->text);
	free(crowd);
}
