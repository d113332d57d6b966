/* wrctl queue stats: one queue now and in the last hour. */

#include "actions.h"
#include "client.h"
#include "look.h"
#include "spark.h"
#include "table.h"
#include "waitingroom/memory.h"

#define POINTS_MAX 1440

static void fact(struct table *table, const char *name, int64_t number)
{
	table_cell(table, PAINT_PLAIN, "%s", name);
	if (number < 0)
		table_cell(table, PAINT_PLAIN, "-");
	else
		table_number(table, number);
}

static void print_rates(const struct wrctl *w, const struct json_value *stats)
{
	static const char *const words[] = {"joined", "admitted", "expired", "missed", "left"};
	WR_AUTO(table_free_at) struct table *table = table_new("per minute", "people>");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char member[32];
		snprintf(member, sizeof(member), "%s_per_minute", words[i]);
		double rate = look_real(stats, member, -1);
		table_cell(table, PAINT_PLAIN, "%s", words[i]);
		if (rate < 0)
			table_cell(table, PAINT_PLAIN, "-");
		else
			table_cell(table, PAINT_PLAIN, "%.1f", rate);
	}
	table_print(table, &w->terminal);
	putchar('\n');
}

static void print_now(const struct wrctl *w, const struct json_value *stats)
{
	char text[NUMBER_TEXT_BYTES];
	const struct json_value *lanes = look(stats, "lanes");
	WR_AUTO(table_free_at) struct table *table = table_new("now", "people>");
	printf("%s%s%s at %s\n\n", paint(w->terminal.colour, PAINT_BOLD), look_text(stats, "queue"),
		   paint(w->terminal.colour, PAINT_PLAIN),
		   moment_text(look_int(stats, "as_of_ms", 0), text));
	fact(table, "waiting", look_int(stats, "waiting", -1));
	for (size_t i = 0; lanes != NULL && json_count(lanes) > 1 && i < json_count(lanes); i++) {
		char name[96];
		snprintf(name, sizeof(name), "  lane %s", look_text(json_at(lanes, i), "lane"));
		fact(table, name, look_int(json_at(lanes, i), "waiting", -1));
	}
	fact(table, "active", look_int(stats, "active", -1));
	fact(table, "capacity", look_int(stats, "capacity", -1));
	fact(table, "absent", look_int(stats, "absent", -1));
	table_print(table, &w->terminal);
	putchar('\n');
	int64_t oldest_ms = look_int(stats, "oldest_wait_ms", -1);
	if (oldest_ms >= 0)
		printf("Longest wait so far: %s.\n", duration_text(oldest_ms, text));
	double share = look_real(stats, "no_show_share", -1);
	if (share >= 0)
		printf("Did not come when it was their turn: %.1f %%.\n", share * 100);
	double within = look_real(stats, "eta_accuracy.within_share", -1);
	if (within >= 0)
		printf("Waits within what was told: %.1f %% of %s.\n", within * 100,
			   number_text(look_int(stats, "eta_accuracy.judged", 0), text));
	putchar('\n');
}

static size_t read_points(const struct json_value *list, int64_t points[POINTS_MAX])
{
	size_t count = json_count(list) < POINTS_MAX ? json_count(list) : POINTS_MAX;
	for (size_t i = 0; i < count; i++)
		if (!json_int(json_at(list, i), &points[i]))
			points[i] = -1; /* null: it was not measured then */
	return count;
}

static void print_series(const struct wrctl *w, const struct json_value *series)
{
	static int64_t points[POINTS_MAX];
	WR_AUTO(table_free_at) struct table *table = table_new("last hour", "most>", "");
	size_t columns = w->terminal.width > 0 ? (size_t)w->terminal.width - 18 : 60;
	bool unicode = w->terminal.unicode;
	char text[SPARK_TEXT_BYTES];
	for (size_t i = 0; i < json_count(series); i++) {
		const struct json_value *list = json_at(series, i);
		if (!json_is_array(list))
			continue;
		size_t count = read_points(list, points);
		int64_t most = 0;
		for (size_t k = 0; k < count; k++)
			most = points[k] > most ? points[k] : most;
		table_cell(table, PAINT_PLAIN, "%s", json_key(list));
		table_number(table, most);
		table_cell(table, PAINT_CYAN, "%s", spark_text(points, count, columns, unicode, text));
	}
	table_print(table, &w->terminal);
}

static void print_stats(const struct wrctl *w, const struct json_value *answer)
{
	print_now(w, answer);
	print_rates(w, answer);
	if (json_is_object(look(answer, "series")))
		print_series(w, look(answer, "series"));
}

int wrctl_queue_stats(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, argv[0], "/stats");
	(void)argc;
	return path != NULL ? wrctl_show(w, path, print_stats) : WRCTL_USAGE;
}
