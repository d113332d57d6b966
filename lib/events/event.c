/* Events: one outbox entry in, one CloudEvent per person out.
 *
 * An entry is read twice: first every line is checked, then the events are printed. So an entry is
 * told either as a whole or not at all, and the relay can set a bad one aside without having
 * published a part of it.
 *
 * Everything that is printed comes from the entry and the queue's name: no clock, no counter, no
 * randomness. The same entry gives the same bytes in every process and after every restart, which
 * is what lets JetStream recognise a repeat by its id.
 *
 * Columns behind the known ones are ignored: a newer release of the scripts may have added them.
 */
#include "waitingroom/events.h"

#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"
#include "waitingroom/token.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TICKET_MAX (UINT64_C(1) << 53)	/* whole numbers that every JSON reader keeps exactly */
#define MS_MAX INT64_C(253402300799999) /* the end of the year 9999 */

struct event_row {
	const char *word, *noun, *event, *transition, *type;
	bool about_people;
};

#define EVENT_ROW(name_, word_, noun_, event_, transition_, people_)                               \
	[name_] = {                                                                                    \
		.word = word_,                                                                             \
		.noun = noun_,                                                                             \
		.event = event_,                                                                           \
		.transition = transition_,                                                                 \
		.type = "io.waitingroom." noun_ "." event_ ".v1",                                          \
		.about_people = people_,                                                                   \
	},
static const struct event_row event_rows[EVENT_TYPE_COUNT] = {EVENT_TABLE(EVENT_ROW)};
#undef EVENT_ROW

bool event_type_parse(const char *word, enum event_type *ret_type)
{
	for (size_t i = 0; i < EVENT_TYPE_COUNT; i++) {
		if (strcmp(event_rows[i].word, word) == 0) {
			*ret_type = (enum event_type)i;
			return true;
		}
	}
	return false;
}

/* ---- lines ---- */

struct text {
	const char *at;
	size_t len;
};

struct person {
	struct text id, lane;
	struct text again; /* how often it was put back by an operator; "": never */
	uint64_t ticket;
	int64_t number;			 /* joined_ms or session_ends_ms */
	struct text word;		 /* how or reason */
	struct text traceparent; /* of len 0: not traced */
};

/* Cuts the part before the next 'separator' (or all) off the front. */
static struct text cut(struct text *rest, char separator)
{
	const char *end = memchr(rest->at, separator, rest->len);
	struct text part = {rest->at, end ? (size_t)(end - rest->at) : rest->len};
	size_t gone = end ? part.len + 1 : part.len;
	rest->at += gone;
	rest->len -= gone;
	return part;
}

static bool cut_word(struct text *line, struct text *ret_word)
{
	*ret_word = cut(line, ' ');
	return name_is_valid(ret_word->at, ret_word->len);
}

static bool cut_ms(struct text *line, int64_t *ret_ms)
{
	struct text column = cut(line, ' ');
	return text_to_i64(column.at, column.len, 0, MS_MAX, ret_ms);
}

static bool parse_extras(enum event_type type, struct text *line, struct person *person)
{
	switch (type) {
	case EVENT_ADMITTED:
		return cut_ms(line, &person->number) && cut_word(line, &person->word);
	case EVENT_EXPIRED:
	case EVENT_RESTORED:
		return cut_word(line, &person->word);
	case EVENT_CLAIMED:
		return cut_ms(line, &person->number);
	default:
		return true;
	}
}

/* Behind the known columns: "tp=<traceparent>", and whatever newer scripts may have added. */
static struct text find_traceparent(struct text line)
{
	static const char name[] = "tp=";
	const size_t name_len = sizeof(name) - 1;
	struct trace_context context;
	while (line.len) {
		struct text column = cut(&line, ' ');
		if (column.len == name_len + TRACEPARENT_CHARS && memcmp(column.at, name, name_len) == 0 &&
			traceparent_parse(column.at + name_len, TRACEPARENT_CHARS, &context))
			return (struct text){column.at + name_len, TRACEPARENT_CHARS};
	}
	return (struct text){"", 0};
}

static bool parse_person(enum event_type type, struct text line, struct person *ret_person)
{
	struct text name = cut(&line, ' ');
	struct person person = {.id = cut(&name, '~'), .again = name};
	uint64_t again = 1;
	if (name.len > 0 && (!text_to_u64(name.at, name.len, TICKET_MAX, &again) || again == 0))
		return false;
	if (!position_id_is_valid(person.id.at, person.id.len) || !cut_word(&line, &person.lane))
		return false;
	struct text ticket = cut(&line, ' ');
	if (!text_to_u64(ticket.at, ticket.len, TICKET_MAX, &person.ticket) || !person.ticket ||
		!parse_extras(type, &line, &person))
		return false;
	person.traceparent = find_traceparent(line);
	*ret_person = person;
	return true;
}

/* The epoch stands in event ids, which travel as a header: base64url and ':' only. */
static bool epoch_is_valid(const char *epoch)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:";
	return epoch[strspn(epoch, allowed)] == '\0';
}

/* ---- printing ---- */

#define TIME_TEXT_BYTES 32

/* What all events of one entry have in common. */
struct frame {
	enum event_type type;
	const struct event_row *row;
	const struct outbox_entry *entry;
	char queue_id[QUEUE_NAME_TEXT_BYTES];
	char source[QUEUE_NAME_TEXT_BYTES + 8];
	char time[TIME_TEXT_BYTES];
	char id_tail[64]; /* of events about people */
};

/* RFC 3339, UTC, milliseconds: "2026-01-31T12:34:56.789Z" */
static void print_time(int64_t at_ms, char text[TIME_TEXT_BYTES])
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm parts;
	gmtime_r(&seconds, &parts);
	size_t len = strftime(text, TIME_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + len, TIME_TEXT_BYTES - len, ".%03dZ", (int)(at_ms % 1000));
}

static enum wr_err frame_init(struct frame *frame, const struct queue_name *queue,
							  const struct outbox_entry *entry)
{
	if (!event_type_parse(entry->type, &frame->type) || entry->at_ms < 0 || entry->at_ms > MS_MAX ||
		!epoch_is_valid(entry->epoch))
		return WR_MALFORMED;
	frame->row = &event_rows[frame->type];
	frame->entry = entry;
	queue_name_print(queue, frame->queue_id);
	bool is_system = queue_name_equal(queue, &system_shard);
	snprintf(frame->source, sizeof(frame->source), "%s%s",
			 is_system ? "/" SYSTEM_TENANT : "/queues/", is_system ? "" : frame->queue_id);
	print_time(entry->at_ms, frame->time);
	bool restored = frame->type == EVENT_RESTORED;
	snprintf(frame->id_tail, sizeof(frame->id_tail), ":%s%s%s", frame->row->transition,
			 restored ? ":" : "", restored ? entry->epoch : "");
	return WR_OK;
}

static void print_subject(const struct frame *frame, const struct queue_name *queue,
						  struct event *event)
{
	event->traceparent[0] = event->wait.position_id[0] = '\0';
	snprintf(event->subject, sizeof(event->subject), "wr.%s.%s.%s.%s", queue->tenant, queue->queue,
			 frame->row->noun, frame->row->event);
}

/* The envelope, with 'data' opened. */
static void begin_envelope(const struct frame *frame, struct event *event, struct text subject,
						   struct json_out *out)
{
	json_out_init(out, event->body, sizeof(event->body));
	json_out_object(out, NULL);
	json_out_string(out, "specversion", "1.0");
	json_out_string(out, "id", event->id);
	json_out_string(out, "source", frame->source);
	json_out_string(out, "type", frame->row->type);
	json_out_string_n(out, "subject", subject.at, subject.len);
	json_out_string(out, "time", frame->time);
	json_out_string(out, "datacontenttype", "application/json");
	if (event->traceparent[0] != '\0')
		json_out_string(out, "traceparent", event->traceparent);
	json_out_object(out, "data");
}

/* The same with the first two members of what is about a queue. */
static void begin_body(const struct frame *frame, struct event *event, struct text subject,
					   struct json_out *out)
{
	begin_envelope(frame, event, subject, out);
	json_out_string(out, "queue_id", frame->queue_id);
	json_out_string(out, "epoch", frame->entry->epoch);
}

static enum wr_err end_body(struct event *event, struct json_out *out)
{
	json_out_object_end(out);
	json_out_object_end(out);
	event->body_len = out->len;
	return out->overflow ? WR_MALFORMED : WR_OK;
}

/* The outbox has the time of joining, as admit.lua finds it; a clock may have stepped since. */
static int64_t waited_ms(const struct frame *frame, const struct person *person)
{
	int64_t waited = frame->entry->at_ms - person->number;
	return waited > 0 ? waited : 0;
}

static void put_extras(const struct frame *frame, const struct person *person, struct json_out *out)
{
	switch (frame->type) {
	case EVENT_ADMITTED:
		json_out_int(out, "waited_ms", waited_ms(frame, person));
		json_out_string_n(out, "how", person->word.at, person->word.len);
		break;
	case EVENT_EXPIRED:
	case EVENT_RESTORED:
		json_out_string_n(out, "reason", person->word.at, person->word.len);
		break;
	case EVENT_CLAIMED:
		json_out_int(out, "session_ends_ms", person->number);
		break;
	default:
		break;
	}
}

static void note_wait(const struct frame *frame, const struct person *person,
					  struct trace_stretch *wait)
{
	wait->position_id[0] = '\0';
	if (frame->type != EVENT_ADMITTED || person->traceparent.len == 0)
		return;
	*(char *)mempcpy(wait->position_id, person->id.at, person->id.len) = '\0';
	*(char *)mempcpy(wait->lane, person->lane.at, person->lane.len) = '\0';
	wait->ticket = person->ticket;
	wait->from_ms = person->number;
	wait->to_ms = frame->entry->at_ms;
}

static enum wr_err print_person(const struct frame *frame, const struct person *person,
								struct event *event)
{
	char *tail = mempcpy(event->id, person->id.at, person->id.len);
	tail = stpcpy(tail, frame->id_tail);
	if (person->again.len > 0) {
		*tail++ = ':';
		*(char *)mempcpy(tail, person->again.at, person->again.len) = '\0';
	}
	memcpy(event->traceparent, person->traceparent.at, person->traceparent.len);
	event->traceparent[person->traceparent.len] = '\0';
	note_wait(frame, person, &event->wait);
	struct json_out out;
	begin_body(frame, event, person->id, &out);
	json_out_string_n(&out, "position_id", person->id.at, person->id.len);
	json_out_string_n(&out, "lane", person->lane.at, person->lane.len);
	json_out_int(&out, "ticket", (int64_t)person->ticket);
	put_extras(frame, person, &out);
	return end_body(event, &out);
}

static enum wr_err expand_people(const struct queue_name *queue, const struct frame *frame,
								 event_fn fn, void *ctx)
{
	const struct outbox_entry *entry = frame->entry;
	struct text lines = {entry->people, entry->people_len};
	struct person person;
	do {
		if (!parse_person(frame->type, cut(&lines, '\n'), &person))
			return WR_MALFORMED;
	} while (lines.len);

	struct event event;
	print_subject(frame, queue, &event);
	lines = (struct text){entry->people, entry->people_len};
	enum wr_err err = WR_OK;
	while (lines.len && !err) {
		if (!parse_person(frame->type, cut(&lines, '\n'), &person))
			return WR_BUG; /* it was good a moment ago */
		err = print_person(frame, &person, &event);
		if (!err)
			err = fn(ctx, &event);
	}
	return err;
}

/* Keys are written as they are (text.h), so they must not need escaping. */
static bool key_is_plain(const char *key)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	return key[strspn(key, allowed)] == '\0';
}

static enum wr_err parse_data(const struct outbox_entry *entry, struct json_value **ret_data)
{
	enum wr_err err = json_parse(entry->data, strlen(entry->data), ret_data, NULL);
	return err || !json_is_object(*ret_data) ? WR_MALFORMED : WR_OK;
}

/* Its members, behind those that every event has. */
static enum wr_err put_data(const struct json_value *data, struct json_out *out)
{
	for (size_t i = 0; i < json_count(data); i++) {
		const struct json_value *member = json_at(data, i);
		const char *key = json_key(member);
		if (strcmp(key, "queue_id") == 0 || strcmp(key, "epoch") == 0)
			continue;
		if (!key_is_plain(key))
			return WR_MALFORMED;
		WR_AUTO(mem_free_at) char *value = json_print(member);
		json_out_raw(out, key, value, strlen(value));
	}
	return WR_OK;
}

static enum wr_err expand_queue(const struct queue_name *queue, const struct frame *frame,
								event_fn fn, void *ctx)
{
	struct event event;
	print_subject(frame, queue, &event);
	snprintf(event.id, sizeof(event.id), "%s:%s:%s:%llu", frame->queue_id, frame->entry->epoch,
			 frame->row->transition, (unsigned long long)frame->entry->n);
	struct json_out out;
	WR_AUTO(json_free_at) struct json_value *data = NULL;
	begin_body(frame, &event, (struct text){frame->queue_id, strlen(frame->queue_id)}, &out);
	enum wr_err err = WR_OK;
	if (frame->entry->data[0])
		err = parse_data(frame->entry, &data);
	if (!err && data)
		err = put_data(data, &out);
	if (!err)
		err = end_body(&event, &out);
	return err ? err : fn(ctx, &event);
}

/* Somebody's doing: the data is the entry of the audit as it is. */
static enum wr_err expand_audit(const struct frame *frame, event_fn fn, void *ctx)
{
	struct event event;
	struct json_out out;
	WR_AUTO(json_free_at) struct json_value *data = NULL;
	const char *id, *object;
	enum wr_err err = parse_data(frame->entry, &data);
	if (err)
		return err;
	if (!json_string(json_member(data, "id"), &id) || !position_id_is_valid(id, strlen(id)) ||
		!json_string(json_member(data, "object"), &object))
		return WR_MALFORMED;
	event.traceparent[0] = event.wait.position_id[0] = '\0';
	snprintf(event.subject, sizeof(event.subject), "wr.%s.%s", frame->row->noun, frame->row->event);
	snprintf(event.id, sizeof(event.id), "%s:%s", frame->row->transition, id);
	begin_envelope(frame, &event, (struct text){object, strlen(object)}, &out);
	err = put_data(data, &out);
	if (!err)
		err = end_body(&event, &out);
	return err ? err : fn(ctx, &event);
}

enum wr_err event_expand(const struct queue_name *queue, const struct outbox_entry *entry,
						 event_fn fn, void *ctx)
{
	struct frame frame;
	enum wr_err err = frame_init(&frame, queue, entry);
	if (err)
		return err;
	if (frame.type == EVENT_AUDIT)
		return expand_audit(&frame, fn, ctx);
	return frame.row->about_people ? expand_people(queue, &frame, fn, ctx)
								   : expand_queue(queue, &frame, fn, ctx);
}
