/* wrctl pods, log-level, preview: the programs themselves. */
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "look.h"
#include "table.h"
#include "waitingroom/clock.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

/* ---- pods ---- */

static void pod_row(struct table *table, const struct json_value *pod)
{
	char age[NUMBER_TEXT_BYTES];
	int64_t started_ms = look_int(pod, "started_ms", 0), now_ms = clock_wall().ms;
	bool draining = look_flag(pod, "draining"), ready = look_flag(pod, "ready");
	table_cell(table, PAINT_BOLD, "%s", look_text(pod, "instance"));
	table_cell(table, PAINT_PLAIN, "%s", look_text(pod, "kind"));
	table_cell(table, PAINT_PLAIN, "%s", look_text(pod, "version"));
	table_cell(table,
			   draining ? PAINT_YELLOW
			   : ready	? PAINT_GREEN
						: PAINT_RED,
			   "%s",
			   draining ? "draining"
			   : ready	? "ready"
						: "not ready");
	table_cell(table, PAINT_PLAIN, "%s", duration_text(now_ms - started_ms, age));
	table_cell(table, PAINT_PLAIN, "%s ago",
			   duration_text(now_ms - look_int(pod, "seen_ms", now_ms), age));
	table_number(table, look_int(pod, "connections", 0));
	table_cell(table, PAINT_PLAIN, "%.0f", look_real(pod, "requests_per_s", 0));
	table_cell(table, PAINT_PLAIN, "%.1f", look_real(pod, "store_ms", 0));
	table_cell(table, PAINT_PLAIN, "%s", look_text(pod, "address"));
}

int wrctl_pods(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	(void)argc, (void)argv;
	int code = wrctl_get(w, "/admin/v1/pods", &reply);
	if (code != WRCTL_DONE)
		return code;
	if (w->json) {
		reply_print(&reply);
		return WRCTL_DONE;
	}
	const struct json_value *pods = look(reply.json, "pods");
	WR_AUTO(table_free_at)
	struct table *table = table_new("instance", "kind", "version", "state", "up", "seen", "conns>",
									"req/s>", "store ms>", "address…");
	for (size_t i = 0; pods != NULL && i < json_count(pods); i++)
		pod_row(table, json_at(pods, i));
	table_print(table, &w->terminal);
	return WRCTL_DONE;
}

/* ---- log level ---- */

int wrctl_log_level(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	char body[256];
	int64_t seconds = 0;
	struct json_out out;
	(void)argc;
	if (!wrctl_number(w, "seconds", 1, 86400, &seconds))
		return WRCTL_USAGE;
	json_out_init(&out, body, sizeof(body) - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "level", argv[0]);
	if (seconds > 0)
		json_out_int(&out, "seconds", seconds);
	json_out_object_end(&out);
	if (out.overflow)
		return wrctl_misuse(w, "LEVEL: must be debug, info, warn or error");
	body[out.len] = '\0';
	struct request request = {.method = "PUT", .path = "/admin/v1/log-level", .body = body};
	int code = wrctl_ask(w, &request, &reply);
	if (code == WRCTL_DONE && w->json)
		reply_print(&reply);
	else if (code == WRCTL_DONE)
		printf("All programs log at level %s%s.\n", argv[0],
			   seconds > 0 ? " for that time, then as before" : "");
	return code;
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
