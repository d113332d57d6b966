/* wrctl queue list|get: what there is. */
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "look.h"
#include "table.h"
#include "waitingroom/memory.h"

enum paint state_paint(const char *state)
{
	if (strcmp(state, "open") == 0)
		return PAINT_GREEN;
	if (strcmp(state, "passthrough") == 0)
		return PAINT_CYAN;
	return strcmp(state, "closed") == 0 ? PAINT_RED : PAINT_YELLOW;
}

static int compare_names(const void *a, const void *b)
{
	const struct json_value *const *one = a, *const *other = b;
	return strcmp(look_text(*one, "queue"), look_text(*other, "queue"));
}

/* By name: the API lists them as it found them. gives */
static const struct json_value **sorted_queues(const struct json_value *queues, size_t *ret_count)
{
	size_t count = queues != NULL ? json_count(queues) : 0;
	const struct json_value **sorted = mem_alloc_zero(count + 1, sizeof(*sorted));
	for (size_t i = 0; i < count; i++)
		sorted[i] = json_at(queues, i);
	qsort(sorted, count, sizeof(*sorted), compare_names);
	*ret_count = count;
	return sorted;
}

static void queue_row(struct table *table, const struct json_value *queue)
{
	const char *state = look_text(queue, "state");
	table_cell(table, PAINT_BOLD, "%s", look_text(queue, "queue"));
	table_cell(table, state_paint(state), "%s", state);
	table_number(table, look_int(queue, "waiting", 0));
	table_number(table, look_int(queue, "active", 0));
	table_number(table, look_int(queue, "capacity", 0));
	table_number(table, look_int(queue, "rate_per_minute", 0));
	table_number(table, look_int(queue, "absent", 0));
	table_number(table, look_int(queue, "version", 0));
}

static void print_queues(const struct wrctl *w, const struct json_value *queues)
{
	size_t count;
	WR_AUTO(mem_free_at) const struct json_value **sorted = sorted_queues(queues, &count);
	WR_AUTO(table_free_at)
	struct table *table = table_new("queue…", "state", "waiting>", "active>", "capacity>",
									"rate/min>", "absent>", "version>");
	for (size_t i = 0; i < count; i++) {
		if (wrctl_flag(w, "names"))
			puts(look_text(sorted[i], "queue"));
		else
			queue_row(table, sorted[i]);
	}
	if (!wrctl_flag(w, "names"))
		table_print(table, &w->terminal);
}

int wrctl_queue_list(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	(void)argc, (void)argv;
	int code = wrctl_get(w, "/admin/v1/queues", &reply);
	if (code != WRCTL_DONE)
		return code;
	if (w->json && !wrctl_flag(w, "names"))
		reply_print(&reply);
	else
		print_queues(w, look(reply.json, "queues"));
	return WRCTL_DONE;
}

static void print_settings(const struct wrctl *w, const struct json_value *settings)
{
	WR_AUTO(table_free_at) struct table *table = table_new("setting", "value…");
	for (size_t i = 0; i < json_count(settings); i++) {
		const struct json_value *member = json_at(settings, i);
		WR_AUTO(mem_free_at) char *shown = look_shown(member);
		table_cell(table, PAINT_PLAIN, "%s", json_key(member));
		table_cell(table, PAINT_PLAIN, "%s", shown);
	}
	table_print(table, &w->terminal);
}

static void print_now(const struct wrctl *w, const struct json_value *reply)
{
	const struct json_value *now = look(reply, "now"), *lanes = look(now, "lanes");
	WR_AUTO(table_free_at)
	struct table *table = table_new("lane", "waiting>", "admitted>", "last ticket>");
	printf("%s%s%s  version %lld\n", paint(w->terminal.colour, PAINT_BOLD),
		   look_text(reply, "queue"), paint(w->terminal.colour, PAINT_PLAIN),
		   (long long)look_int(reply, "version", 0));
	printf("active %lld, absent %lld, returned %lld, outbox %lld%s\n\n",
		   (long long)look_int(now, "active", 0), (long long)look_int(now, "absent", 0),
		   (long long)look_int(now, "returned", 0), (long long)look_int(now, "outbox", 0),
		   look_flag(now, "recovering") ? ", recovering after a loss of the store" : "");
	for (size_t i = 0; lanes != NULL && i < json_count(lanes); i++) {
		const struct json_value *lane = json_at(lanes, i);
		table_cell(table, PAINT_PLAIN, "%s", look_text(lane, "lane"));
		table_number(table, look_int(lane, "waiting", 0));
		table_number(table, look_int(lane, "admitted", 0));
		table_number(table, look_int(lane, "last_ticket", 0));
	}
	table_print(table, &w->terminal);
	putchar('\n');
}

static void print_queue(const struct wrctl *w, const struct json_value *answer)
{
	print_now(w, answer);
	print_settings(w, look(answer, "settings"));
}

int wrctl_queue_get(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, argv[0], "");
	(void)argc;
	return path != NULL ? wrctl_show(w, path, print_queue) : WRCTL_USAGE;
}
