/* wrctl audit: who has changed what, newest at the end; with --follow until Ctrl-C. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "look.h"
#include "table.h"
#include "waitingroom/memory.h"
#include "watching.h"

#define FOLLOW_MS 2000
#define LIMIT_DEFAULT 50

static char *audit_path(const struct wrctl *w, int64_t limit)
{
	static const char *const filters[] = {"queue", "tenant", "action"};
	char *path;
	if (asprintf(&path, "/admin/v1/audit?limit=%lld", (long long)limit) < 0)
		abort();
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		const char *value = wrctl_option(w, filters[i]);
		if (value == NULL)
			continue;
		WR_AUTO(mem_free_at) char *escaped = url_escape(value);
		char *longer;
		if (asprintf(&longer, "%s&%s=%s", path, filters[i], escaped) < 0)
			abort();
		free(path);
		path = longer;
	}
	return path;
}

/* One line each: they are read as they come, so no columns are measured. */
static void print_entry(const struct wrctl *w, const struct json_value *entry)
{
	char when[NUMBER_TEXT_BYTES];
	WR_AUTO(mem_free_at) char *before = look_json(look(entry, "before"));
	WR_AUTO(mem_free_at) char *after = look_json(look(entry, "after"));
	bool colour = w->terminal.colour;
	const char *object = look_text(entry, "object");
	if (object[0] == '\0')
		object = look_text(entry, "queue");
	printf("%s%s%s  %s (%s)  %s%s%s  %s  %s%s -> %s%s\n", paint(colour, PAINT_DIM),
		   moment_text(look_int(entry, "at_ms", 0), when), paint(colour, PAINT_PLAIN),
		   look_text(entry, "who.name"), look_text(entry, "who.key_id"), paint(colour, PAINT_BOLD),
		   look_text(entry, "action"), paint(colour, PAINT_PLAIN), object, paint(colour, PAINT_DIM),
		   before, after, paint(colour, PAINT_PLAIN));
}

static void print_json_entry(const struct json_value *entry)
{
	WR_AUTO(mem_free_at) char *text = json_print(entry);
	puts(text);
}

/* What is newer than the entry of id 'last' ("": all), oldest first; 'last' becomes the newest. */
static void print_new(const struct wrctl *w, const struct json_value *entries, char last[64],
					  bool as_lines)
{
	size_t count = entries != NULL ? json_count(entries) : 0, fresh = count;
	for (size_t i = 0; i < count && fresh == count; i++)
		if (last[0] != '\0' && strcmp(look_text(json_at(entries, i), "id"), last) == 0)
			fresh = i;
	for (size_t i = fresh; i > 0; i--) {
		if (as_lines)
			print_json_entry(json_at(entries, i - 1));
		else
			print_entry(w, json_at(entries, i - 1));
	}
	if (count > 0)
		snprintf(last, 64, "%s", look_text(json_at(entries, 0), "id"));
	fflush(stdout);
}

int wrctl_audit(struct wrctl *w, int argc, char **argv)
{
	int64_t limit = LIMIT_DEFAULT;
	char last[64] = "";
	(void)argc, (void)argv;
	if (!wrctl_number(w, "limit", 1, 1000, &limit))
		return WRCTL_USAGE;
	WR_AUTO(mem_free_at) char *path = audit_path(w, limit);
	bool follows = wrctl_flag(w, "follow");
	if (follows)
		interrupt_watch();
	do {
		WR_AUTO(reply_clear) struct reply reply = {0};
		int code = wrctl_get(w, path, &reply);
		if (code != WRCTL_DONE)
			return code;
		if (w->json && !follows)
			reply_print(&reply);
		else
			print_new(w, look(reply.json, "entries"), last, w->json);
		if (follows)
			poll(NULL, 0, FOLLOW_MS);
	} while (follows && !interrupt_seen());
	return WRCTL_DONE;
}
