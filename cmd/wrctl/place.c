/* wrctl place find|restore, session revoke: what support does for one visitor. */
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "client.h"
#include "look.h"
#include "table.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "watching.h"

/* ---- find ---- */

static enum paint colour_of(const char *what)
{
	static const char *const bad[] = {"expired", "missed", "revoked", "gap", "set_aside", NULL};
	static const char *const good[] = {"admitted", "claimed", "restored", "returned", NULL};
	for (const char *const *word = bad; *word != NULL; word++)
		if (strcmp(*word, what) == 0)
			return PAINT_YELLOW;
	for (const char *const *word = good; *word != NULL; word++)
		if (strcmp(*word, what) == 0)
			return PAINT_GREEN;
	return PAINT_PLAIN;
}

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);
	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void print_timeline(const struct wrctl *w, const struct json_value *timeline)
{
	WR_AUTO(table_free_at) struct table *table = table_new("  when", "what", "detail…");
	char when[NUMBER_TEXT_BYTES];
	for (size_t i = 0; i < json_count(timeline); i++) {
		const struct json_value *row = json_at(timeline, i);
		const struct json_value *detail = look(row, "detail");
		WR_AUTO(mem_free_at) char *shown = look_shown(detail);
		table_cell(table, PAINT_PLAIN, "  %s", moment_text(look_int(row, "at_ms", 0), when));
		table_cell(table, colour_of(look_text(row, "what")), "%s", look_text(row, "what"));
		table_cell(table, PAINT_PLAIN, "%s", detail == NULL || json_is_null(detail) ? "" : shown);
	}
	table_print(table, &w->terminal);
}

#define MOMENTS_FROM_MS 100000000000 /* less is a time that passes: 1973 was before all this */

/* What the members of a place are called; one that is not here is newer than this program. */
static const char *name_of(const char *key)
{
	static const char *const names[][2] = {{"position_id", "id"},	{"code", "support code"},
										   {"joined_ms", "joined"}, {"heard_ms", "heard"},
										   {"ends_ms", "ends"},		{"kept_ms", "remembered for"}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i][0], key) == 0)
			return names[i][1];
	return key;
}

static const char *stands_text(const char *stands)
{
	return strcmp(stands, "line") == 0	  ? "in line"
		   : strcmp(stands, "front") == 0 ? "at the front, after an absence"
		   : strcmp(stands, "aside") == 0 ? "set aside until heard of again"
										  : stands;
}

/* How often it was taken over by another window, and put back: mostly never. */
static void print_counts(struct table *table, const struct json_value *place)
{
	const struct json_value *tokens = look(place, "tokens");
	int64_t holder = tokens != NULL ? look_int(tokens, "holder", 0) : 0;
	int64_t put_back = look_int(place, "put_back", 0);
	char times[NUMBER_TEXT_BYTES];
	if (holder > 0) {
		table_cell(table, PAINT_PLAIN, "taken over");
		table_cell(table, PAINT_PLAIN, "%s×", number_text(holder, times));
	}
	if (put_back > 0) {
		table_cell(table, PAINT_PLAIN, "put back");
		table_cell(table, PAINT_PLAIN, "%s×", number_text(put_back, times));
	}
}

/* Whatever the server tells of a place, times as times. */
static void print_place(const struct wrctl *w, const struct json_value *place)
{
	WR_AUTO(table_free_at) struct table *table = table_new("place", "value…");
	const struct json_value *timeline = look(place, "timeline");
	for (size_t i = 0; i < json_count(place); i++) {
		const struct json_value *member = json_at(place, i);
		const char *key = json_key(member);
		char when[NUMBER_TEXT_BYTES];
		int64_t number;
		bool is_count = strcmp(key, "put_back") == 0 || strcmp(key, "tokens") == 0;
		if (member == timeline || json_is_null(member) || is_count)
			continue;
		WR_AUTO(mem_free_at) char *shown = look_shown(member);
		table_cell(table, PAINT_PLAIN, "%s", name_of(key));
		bool is_key = strcmp(key, "position_id") == 0 || strcmp(key, "state") == 0;
		if (ends_in(key, "_ms") && json_int(member, &number))
			table_cell(table, PAINT_PLAIN, "%s",
					   number >= MOMENTS_FROM_MS ? moment_text(number, when)
												 : duration_text(number, when));
		else
			table_cell(table, is_key ? PAINT_BOLD : PAINT_PLAIN, "%s",
					   strcmp(key, "stands") == 0 ? stands_text(shown) : shown);
	}
	print_counts(table, place);
	table_print(table, &w->terminal);
	if (timeline != NULL && json_is_array(timeline)) {
		putchar('\n');
		print_timeline(w, timeline);
	}
}

static const char *const ways[] = {"code", "id", "identity", "key"};

/* "?code=…" of the one option that says what is looked for; gives; NULL: said. */
static char *find_query(const struct wrctl *w)
{
	const char *way = NULL;
	char *query;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!wrctl_flag(w, ways[i]))
			continue;
		if (way != NULL) {
			(void)wrctl_misuse(w, "--%s and --%s: only one of them", way, ways[i]);
			return NULL;
		}
		way = ways[i];
	}
	if (way == NULL) {
		(void)wrctl_misuse(w, "say what to look for: --code, --id, --identity or --key");
		return NULL;
	}
	WR_AUTO(mem_free_at) char *value = url_escape(wrctl_option(w, way));
	if (asprintf(&query, "/places?%s=%s", way, value) < 0)
		abort();
	return query;
}

static int say_not_found(const struct json_value *reply, const char *queue)
{
	const struct json_value *complete = look(reply, "complete");
	if (complete != NULL && !look_flag(reply, "complete"))
		wrctl_say("the search took too long and was given up; look by --id or --identity");
	else
		wrctl_say(
			"there is no such place in %s; what has ended is remembered for ended_keep_ms only",
			queue);
	return WRCTL_NOT_FOUND;
}

int wrctl_place_find(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(mem_free_at) char *query = find_query(w);
	WR_AUTO(mem_free_at) char *path = query ? queue_path(w, argv[0], query) : NULL;
	WR_AUTO(reply_clear) struct reply reply = {0};
	(void)argc;
	if (path == NULL)
		return WRCTL_USAGE;
	/* A code is looked for among all places, which takes seconds when there are millions. */
	struct watching watching;
	watching_begin(&watching, w, "searching", NULL, 0);
	int code = wrctl_get(w, path, &reply);
	watching_end(&watching);
	if (code != WRCTL_DONE)
		return code;
	const struct json_value *places = look(reply.json, "places");
	size_t count = places != NULL ? json_count(places) : 0;
	if (w->json)
		reply_print(&reply);
	for (size_t i = 0; i < count && !w->json; i++) {
		if (i > 0)
			putchar('\n');
		print_place(w, json_at(places, i));
	}
	return count > 0 ? WRCTL_DONE : say_not_found(reply.json, argv[0]);
}

/* ---- restore, revoke ---- */

/* POST {"position_id":id,"reason":reason}; reason NULL: none. */
static int post_id(struct wrctl *w, const char *queue, const char *verb, const char *id,
				   const char *reason, struct reply *ret)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, queue, verb);
	size_t room = 6 * (strlen(id) + (reason ? strlen(reason) : 0)) + 64;
	WR_AUTO(mem_free_at) char *body = mem_alloc_zero(1, room);
	struct json_out out;
	if (path == NULL)
		return WRCTL_USAGE;
	json_out_init(&out, body, room - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "position_id", id);
	if (reason != NULL)
		json_out_string(&out, "reason", reason);
	json_out_object_end(&out);
	struct request request = {.method = "POST", .path = path, .body = body};
	return wrctl_ask(w, &request, ret);
}

int wrctl_place_restore(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	const char *reason = wrctl_option(w, "reason");
	(void)argc;
	if (reason == NULL || reason[0] == '\0')
		return wrctl_misuse(w, "--reason: say why; it is kept in the audit");
	int code = post_id(w, argv[0], "/restore", argv[1], reason, &reply);
	if (code != WRCTL_DONE)
		return code;
	if (w->json)
		reply_print(&reply);
	else
		printf("%s is back in line in %s%s.\n", argv[1], argv[0],
			   strcmp(look_text(reply.json, "stands"), "front") == 0 ? ", at the front" : "");
	return WRCTL_DONE;
}

int wrctl_session_revoke(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	(void)argc;
	if (!wrctl_confirm(w, "yes", "This ends the session of place %s in %s at once.", argv[1],
					   argv[0]))
		return WRCTL_CONFLICT;
	int code = post_id(w, argv[0], "/revoke", argv[1], NULL, &reply);
	if (code != WRCTL_DONE)
		return code;
	if (w->json)
		reply_print(&reply);
	else
		printf("The session of %s is over (the place is %s).\n", argv[1],
			   look_text(reply.json, "status"));
	return WRCTL_DONE;
}
