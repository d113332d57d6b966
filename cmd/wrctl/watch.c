/* wrctl watch: what happens in a queue, a line each, as it happens.
 *
 *     16:20:31.123  position.admitted  jGPH3jnFb3Gy5a96  lane=main ticket=12 waited_ms=200345
 *
 * The events come from NATS and not from the admin API; that is only asked whether there is such a
 * queue. A broker that goes away is told of, and waited for: it and the outbox keep what happens
 * meanwhile.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "actions.h"
#include "client.h"
#include "look.h"
#include "waitingroom/clock.h"
#include "waitingroom/event_watch.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "watch.h"
#include "watching.h"

#define LOOK_MS 200 /* Ctrl-C is seen that soon */
#define TYPE_COLUMNS 18

bool watch_since(const char *text, int64_t *ret_ms)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
	size_t len = strlen(text);
	uint64_t number;
	for (size_t i = 0; len > 0 && i < sizeof(units) / sizeof(units[0]); i++)
		if (text[len - 1] == units[i].unit &&
			text_to_u64(text, len - 1, UINT64_C(1000000), &number)) {
			*ret_ms = (int64_t)number * units[i].ms;
			return true;
		}
	return false;
}

/* ---- a line ---- */

static enum paint type_paint(const char *type)
{
	static const struct {
		const char *word;
		enum paint how;
	} paints[] = {{"admitted", PAINT_GREEN},	  {"claimed", PAINT_GREEN},
				  {"enqueued", PAINT_CYAN},		  {"expired", PAINT_YELLOW},
				  {"missed", PAINT_YELLOW},		  {"left", PAINT_YELLOW},
				  {"session.revoked", PAINT_RED}, {"queue.deleted", PAINT_RED}};
	for (size_t i = 0; i < sizeof(paints) / sizeof(paints[0]); i++)
		if (strstr(type, paints[i].word) != NULL)
			return paints[i].how;
	return PAINT_PLAIN;
}

/* "io.waitingroom.position.admitted.v1" -> "position.admitted"; any other as it is */
static void short_type(const char *type, char *ret_text, size_t room)
{
	static const char prefix[] = "io.waitingroom.";
	if (strncmp(type, prefix, sizeof(prefix) - 1) == 0)
		type += sizeof(prefix) - 1;
	snprintf(ret_text, room, "%s", type);
	char *version = strrchr(ret_text, '.');
	if (version != NULL && version[1] == 'v')
		*version = '\0';
}

/* "2026-11-21T16:20:31.123Z" -> the time of day here; what cannot be read stays. */
static void short_time(const char *time, char *ret_text, size_t room)
{
	struct tm utc = {0}, local;
	int ms = 0;
	char *rest = strptime(time, "%Y-%m-%dT%H:%M:%S", &utc);
	if (rest == NULL) {
		snprintf(ret_text, room, "%s", time);
		return;
	}
	if (*rest == '.')
		ms = atoi(rest + 1) % 1000;
	time_t seconds = timegm(&utc);
	localtime_r(&seconds, &local);
	snprintf(ret_text, room, "%02d:%02d:%02d.%03d", local.tm_hour, local.tm_min, local.tm_sec, ms);
}

static void print_plain(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		fputc((unsigned char)*text < ' ' || *text == 127 ? ' ' : *text, out);
}

/* On every line, and known: which queue, whose place, which life of the data. */
static bool is_known(const char *name)
{
	return strcmp(name, "queue_id") == 0 || strcmp(name, "position_id") == 0 ||
		   strcmp(name, "epoch") == 0;
}

static void print_data(const struct json_value *data, FILE *out)
{
	for (size_t i = 0; data != NULL && json_is_object(data) && i < json_count(data); i++) {
		const struct json_value *member = json_at(data, i);
		if (is_known(json_key(member)))
			continue;
		WR_AUTO(mem_free_at) char *shown = look_shown(member);
		fprintf(out, " %s=", json_key(member));
		print_plain(out, shown);
	}
}

bool watch_print(const char *body, size_t len, const struct terminal *terminal, FILE *out)
{
	WR_AUTO(json_free_at) struct json_value *event = NULL;
	struct err_detail detail;
	char type[96], at[48];
	if (json_parse(body, len, &event, &detail) != WR_OK || !json_is_object(event))
		return false;
	short_type(look_text(event, "type"), type, sizeof(type));
	short_time(look_text(event, "time"), at, sizeof(at));
	fprintf(out, "%s%s%s  %s", paint(terminal->colour, PAINT_DIM), at,
			paint(terminal->colour, PAINT_PLAIN), paint(terminal->colour, type_paint(type)));
	print_plain(out, type);
	size_t columns = text_columns(type);
	fprintf(out, "%s%*s  ", paint(terminal->colour, PAINT_PLAIN),
			columns < TYPE_COLUMNS ? (int)(TYPE_COLUMNS - columns) : 0, "");
	print_plain(out, look_text(event, "subject"));
	print_data(look(event, "data"), out);
	fputc('\n', out);
	return true;
}

/* One CloudEvent a line: it has no line breaks but in texts, where JSON writes them as \n. */
static void print_json(const struct watched_event *event)
{
	for (size_t i = 0; i < event->len; i++)
		putchar(event->body[i] == '\n' || event->body[i] == '\r' ? ' ' : event->body[i]);
	putchar('\n');
}

/* ---- watching ---- */

struct watching_options {
	const char *type; /* a part of it; NULL: all */
	int64_t count;	  /* ends after so many; 0: never */
};

static bool is_wanted(const struct watched_event *event, const char *type)
{
	return type == NULL || strstr(event->subject, type) != NULL;
}

static void show(const struct wrctl *w, const struct watched_event *event)
{
	if (w->json)
		print_json(event);
	else if (!watch_print(event->body, event->len, &w->terminal, stdout))
		wrctl_say("an event that is no CloudEvent, on %s", event->subject);
	fflush(stdout); /* somebody looks on, or a program does */
}

static int watch(const struct wrctl *w, struct event_watch *watch,
				 const struct watching_options *options)
{
	int64_t shown = 0;
	interrupt_watch();
	while (!interrupt_seen() && !ferror(stdout)) {
		struct watched_event event;
		switch (event_watch_next(watch, LOOK_MS, &event)) {
		case EVENT_WATCH_EVENT:
			if (!is_wanted(&event, options->type))
				break;
			show(w, &event);
			if (++shown == options->count)
				return WRCTL_DONE;
			break;
		case EVENT_WATCH_LOST:
			wrctl_say("NATS is away; events are kept, and shown when it is back");
			break;
		case EVENT_WATCH_BACK:
			wrctl_say("NATS is back");
			break;
		case EVENT_WATCH_NOTHING:
			break;
		}
	}
	return WRCTL_DONE;
}

static int open_watch(struct wrctl *w, const char *queue, int64_t since_ms,
					  struct event_watch **ret_watch)
{
	struct queue_name name;
	struct err_detail detail = {""};
	char subject[2 * NAME_MAX_CHARS + 16];
	if (!queue_name_parse(queue, strlen(queue), &name))
		return WRCTL_USAGE; /* said before */
	snprintf(subject, sizeof(subject), "wr.%s.%s.>", name.tenant, name.queue);
	struct event_watch_options options = {
		.nats_url = w->context.nats_url,
		.subject = subject,
		.since_ms = since_ms > 0 ? clock_wall().ms - since_ms : 0,
	};
	enum wr_err err = event_watch_open(&options, ret_watch, &detail);
	if (err == WR_OK)
		return WRCTL_DONE;
	wrctl_say("NATS cannot be watched: %s", detail.text);
	return err == WR_BAD_CONFIG ? WRCTL_USAGE : WRCTL_UNREACHABLE;
}

int wrctl_watch(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, argv[0], "");
	WR_AUTO(reply_clear) struct reply reply = {0};
	struct watching_options options = {.type = wrctl_option(w, "type")};
	struct event_watch *events = NULL;
	int64_t since_ms = 0;
	const char *since = wrctl_option(w, "since");
	(void)argc;
	if (path == NULL || !wrctl_number(w, "count", 1, INT64_C(1000000000), &options.count))
		return WRCTL_USAGE;
	if (since != NULL && !watch_since(since, &since_ms))
		return wrctl_misuse(w, "--since: a time like 30s, 5m, 2h or 1d");
	if (w->context.nats_url == NULL)
		return wrctl_misuse(w, "this context names no NATS: give it a nats_url, or set "
							   "WRCTL_NATS_URL");
	int code = wrctl_get(w, path, &reply);
	if (code == WRCTL_DONE)
		code = open_watch(w, argv[0], since_ms, &events);
	if (code == WRCTL_DONE)
		code = watch(w, events, &options);
	event_watch_close(events);
	return code;
}
