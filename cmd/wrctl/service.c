/* wrctl pods, log-level, preview: the programs themselves. */
#include <string.h>

#include "actions.h"
#include "client.h"
#include "look.h"
#include "table.h"
#include "waitingroom/clock.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

/* ---- pods ---- */

static enum paint pod_paint(const char *state)
{
	if (strcmp(state, "ok") == 0)
		return PAINT_GREEN;
	return strcmp(state, "draining") == 0 ? PAINT_YELLOW : PAINT_RED;
}

static void pod_row(struct table *table, const struct json_value *pod, int64_t now_ms)
{
	char age[NUMBER_TEXT_BYTES];
	const char *state = look_text(pod, "state");
	table_cell(table, PAINT_BOLD, "%s", look_text(pod, "instance"));
	table_cell(table, PAINT_PLAIN, "%s", look_text(pod, "kind"));
	table_cell(table, PAINT_PLAIN, "%s", look_text(pod, "version"));
	table_cell(table, pod_paint(state), "%s", state);
	table_cell(table, PAINT_PLAIN, "%s",
			   duration_text(now_ms - look_int(pod, "started_ms", now_ms), age));
	table_number(table, look_int(pod, "connections", 0));
	table_cell(table, PAINT_PLAIN, "%.0f", look_real(pod, "requests_per_s", 0));
	table_cell(table, PAINT_PLAIN, "%.1f", look_real(pod, "store_us", 0) / 1000);
	table_cell(table, PAINT_PLAIN, "%s", look_text(pod, "address"));
}

static void print_pods(const struct wrctl *w, const struct json_value *answer)
{
	const struct json_value *pods = look(answer, "pods");
	WR_AUTO(table_free_at)
	struct table *table = table_new("instance", "kind", "version", "state", "up", "conns>",
									"req/s>", "store ms>", "address…");
	for (size_t i = 0; pods != NULL && i < json_count(pods); i++)
		pod_row(table, json_at(pods, i), look_int(answer, "as_of_ms", 0));
	table_print(table, &w->terminal);
}

int wrctl_pods(struct wrctl *w, int argc, char **argv)
{
	(void)argc, (void)argv;
	return wrctl_show(w, "/admin/v1/pods", print_pods);
}

/* ---- log level ---- */

/* {"level","seconds"}; gives; NULL: said. */
static char *level_body(const struct wrctl *w, const char *level)
{
	char body[256];
	int64_t seconds = 0;
	struct json_out out;
	if (!wrctl_number(w, "seconds", 1, 86400, &seconds))
		return NULL;
	json_out_init(&out, body, sizeof(body) - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "level", level);
	if (seconds > 0)
		json_out_int(&out, "seconds", seconds);
	json_out_object_end(&out);
	if (!out.overflow)
		return mem_copy(body, out.len);
	(void)wrctl_misuse(w, "LEVEL: must be debug, info, warn or error");
	return NULL;
}

int wrctl_log_level(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	WR_AUTO(mem_free_at) char *body = argc > 0 ? level_body(w, argv[0]) : NULL;
	struct request request = {
		.method = argc > 0 ? "PUT" : "GET", .path = "/admin/v1/log-level", .body = body};
	if (argc > 0 && body == NULL)
		return WRCTL_USAGE;
	int code = wrctl_ask(w, &request, &reply);
	if (code != WRCTL_DONE)
		return code;
	if (w->json)
		reply_print(&reply);
	else if (argc == 0)
		printf("%s logs at level %s.\n", look_text(reply.json, "instance"),
			   look_text(reply.json, "level"));
	else
		printf("%s at level %s%s.\n",
			   look_flag(reply.json, "everywhere") ? "All programs log" : "That pod alone logs",
			   argv[0], wrctl_flag(w, "seconds") ? " for that time, then as before" : "");
	return WRCTL_DONE;
}

/* ---- preview ---- */

int wrctl_preview(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, argv[0], "/preview");
	WR_AUTO(reply_clear) struct reply reply = {0};
	const char *language = wrctl_option(w, "lang");
	char body[512], time[NUMBER_TEXT_BYTES];
	struct json_out out;
	(void)argc;
	if (path == NULL)
		return WRCTL_USAGE;
	json_out_init(&out, body, sizeof(body) - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "state", argv[1]);
	if (language != NULL)
		json_out_string(&out, "lang", language);
	json_out_object_end(&out);
	if (out.overflow)
		return wrctl_misuse(w, "STATE: is too long");
	body[out.len] = '\0';
	int code =
		wrctl_ask(w, &(struct request){.method = "POST", .path = path, .body = body}, &reply);
	if (code != WRCTL_DONE)
		return code;
	if (w->json) {
		reply_print(&reply);
		return WRCTL_DONE;
	}
	puts(look_text(reply.json, "url"));
	if (w->terminal.err)
		fprintf(stderr, "Good for %s, below the address of the room.\n",
				duration_text(look_int(reply.json, "expires_in_s", 0) * 1000, time));
	return WRCTL_DONE;
}
