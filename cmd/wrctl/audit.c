/* wrctl audit: who has changed what, newest at the end; with --follow until Ctrl-C.
 *
 * The API gives pages, newest first, which may be short and still have a next. Pages are fetched
 * until there are as many entries as were asked for, then printed the other way round: what is
 * newest stands where one looks.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "look.h"
#include "table.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "watching.h"

#define FOLLOW_MS 2000
#define LIMIT_DEFAULT 50
#define LIMIT_MOST 500
#define PAGES_MAX 100
#define ID_BYTES 64
#define SIDE_COLUMNS 120

struct gathered {
	struct reply pages[PAGES_MAX];
	size_t page_count, count;
	const struct json_value *entries[LIMIT_MOST]; /* newest first; they are in the pages */
};

static void gathered_free(struct gathered *gathered)
{
	for (size_t i = 0; i < gathered->page_count; i++)
		reply_clear(&gathered->pages[i]);
	free(gathered);
}

static void gathered_free_at(struct gathered **gathered)
{
	gathered_free(*gathered);
}

/* ---- asking ---- */

static char *with_filter(char *path, const char *name, const char *value)
{
	WR_AUTO(mem_free_at) char *escaped = url_escape(value);
	char *longer;
	if (asprintf(&longer, "%s&%s=%s", path, name, escaped) < 0)
		abort();
	free(path);
	return longer;
}

/* gives; NULL: said */
static char *audit_path(const struct wrctl *w, int64_t limit)
{
	const char *queue = wrctl_option(w, "queue"), *tenant = wrctl_option(w, "tenant");
	const char *action = wrctl_option(w, "action");
	char name[QUEUE_NAME_TEXT_BYTES];
	struct queue_name parsed;
	char *path;
	if (queue != NULL && !queue_name_parse(queue, strlen(queue), &parsed)) {
		(void)wrctl_misuse(w, "--queue: must be TENANT/QUEUE, or QUEUE");
		return NULL;
	}
	if (asprintf(&path, "/admin/v1/audit?limit=%lld", (long long)limit) < 0)
		abort();
	if (queue != NULL) {
		queue_name_print(&parsed, name);
		path = with_filter(path, "queue", name);
	}
	if (tenant != NULL)
		path = with_filter(path, "tenant", tenant);
	return action != NULL ? with_filter(path, "action", action) : path;
}

/* All pages until there are enough, or an entry is the one of id 'last' ("": none). */
static int gather(struct wrctl *w, const char *path, int64_t limit, const char *last,
				  struct gathered *gathered)
{
	WR_AUTO(mem_free_at) char *page_path = mem_copy_string(path);
	while (gathered->page_count < PAGES_MAX) {
		struct reply *page = &gathered->pages[gathered->page_count];
		int code = wrctl_get(w, page_path, page);
		if (code != WRCTL_DONE)
			return code;
		gathered->page_count++;
		const struct json_value *entries = look(page->json, "entries");
		for (size_t i = 0; entries != NULL && i < json_count(entries); i++) {
			const struct json_value *entry = json_at(entries, i);
			if ((int64_t)gathered->count == limit ||
				(last[0] != '\0' && strcmp(look_text(entry, "id"), last) == 0))
				return WRCTL_DONE;
			gathered->entries[gathered->count++] = entry;
		}
		const char *next = look_text(page->json, "next");
		if (next[0] == '\0')
			return WRCTL_DONE;
		free(page_path);
		page_path = with_filter(mem_copy_string(path), "before", next);
	}
	return WRCTL_DONE;
}

/* ---- printing ---- */

/* On a terminal a side is cut; with --output json, or into a file, all of it is there. */
static void print_side(const struct wrctl *w, const struct json_value *side)
{
	WR_AUTO(mem_free_at) char *text = look_json(side);
	size_t bytes = w->terminal.out ? text_fit(text, SIDE_COLUMNS) : strlen(text);
	printf("%.*s%s", (int)bytes, text, text[bytes] == '\0' ? "" : "...");
}

/* One line each: they are read as they come, so no columns are measured. */
static void print_entry(const struct wrctl *w, const struct json_value *entry)
{
	char when[NUMBER_TEXT_BYTES];
	bool colour = w->terminal.colour;
	printf("%s%s%s  %s (%s)  %s%s%s  %s  %s", paint(colour, PAINT_DIM),
		   moment_text(look_int(entry, "at_ms", 0), when), paint(colour, PAINT_PLAIN),
		   look_text(entry, "who.name"), look_text(entry, "who.key_id"), paint(colour, PAINT_BOLD),
		   look_text(entry, "action"), paint(colour, PAINT_PLAIN), look_text(entry, "object"),
		   paint(colour, PAINT_DIM));
	print_side(w, look(entry, "before"));
	fputs(w->terminal.unicode ? " → " : " -> ", stdout);
	print_side(w, look(entry, "after"));
	puts(paint(colour, PAINT_PLAIN));
}

static void print_gathered(const struct wrctl *w, const struct gathered *gathered)
{
	for (size_t i = gathered->count; i > 0; i--) {
		const struct json_value *entry = gathered->entries[i - 1];
		if (w->json) {
			WR_AUTO(mem_free_at) char *text = json_print(entry);
			puts(text);
		} else {
			print_entry(w, entry);
		}
	}
	fflush(stdout);
}

/* One look; 'last' becomes the id of the newest entry. */
static int look_once(struct wrctl *w, const char *path, int64_t limit, bool follows,
					 char last[ID_BYTES])
{
	WR_AUTO(gathered_free_at) struct gathered *gathered = mem_alloc_zero(1, sizeof(*gathered));
	int code = gather(w, path, limit, last, gathered);
	if (code != WRCTL_DONE)
		return code;
	if (w->json && !follows)
		reply_print(&gathered->pages[0]);
	else
		print_gathered(w, gathered);
	if (gathered->count > 0)
		snprintf(last, ID_BYTES, "%s", look_text(gathered->entries[0], "id"));
	return WRCTL_DONE;
}

int wrctl_audit(struct wrctl *w, int argc, char **argv)
{
	int64_t limit = LIMIT_DEFAULT;
	char last[ID_BYTES] = "";
	bool follows = wrctl_flag(w, "follow");
	(void)argc, (void)argv;
	if (!wrctl_number(w, "limit", 1, LIMIT_MOST, &limit))
		return WRCTL_USAGE;
	WR_AUTO(mem_free_at) char *path = audit_path(w, limit);
	if (path == NULL)
		return WRCTL_USAGE;
	if (follows)
		interrupt_watch();
	int code = look_once(w, path, limit, follows, last);
	while (follows && code == WRCTL_DONE && !interrupt_seen()) {
		poll(NULL, 0, FOLLOW_MS);
		if (!interrupt_seen())
			code = look_once(w, path, limit, follows, last);
	}
	return code;
}
