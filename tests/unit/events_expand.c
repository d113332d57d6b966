/* Events: what an outbox entry becomes, byte for byte, and which entries are refused. */
#include "support/cmocka.h"
#include "waitingroom/events.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ID "AAAAAAAAAAAAAAAA"
#define ID2 "Zz09-_Zz09-_Zz09"
#define AT_MS INT64_C(1767225600007) /* 2026-01-01T00:00:00.007Z */

static const struct queue_name demo = {.tenant = "default", .queue = "demo"};

/* Everything that an entry was expanded to: subject, id and body, a line each. */
struct told {
	char *text;
	size_t len;
	size_t events;
	size_t stop_after; /* 0: never */
};

static void append(struct told *told, const char *bytes, size_t len)
{
	told->text = mem_grow(told->text, told->len + len + 2, 1);
	memcpy(told->text + told->len, bytes, len);
	memcpy(told->text + told->len + len, "\n", 2);
	told->len += len + 1;
}

static enum wr_err on_event(void *ctx, const struct event *event)
{
	struct told *told = ctx;
	append(told, event->subject, strlen(event->subject));
	append(told, event->id, strlen(event->id));
	append(told, event->body, event->body_len);
	told->events++;
	return told->events == told->stop_after ? WR_LIMIT : WR_OK;
}

static struct outbox_entry people_entry(const char *type, const char *people)
{
	struct outbox_entry entry = {
		.id = "1-0", .at_ms = AT_MS, .epoch = "epoch-00001", .people = people, .data = ""};
	snprintf(entry.type, sizeof(entry.type), "%s", type);
	entry.people_len = strlen(people);
	return entry;
}

static struct outbox_entry queue_entry(const char *type, const char *data, uint64_t n)
{
	struct outbox_entry entry = people_entry(type, "");
	entry.data = data;
	entry.n = n;
	return entry;
}

static void expect(const struct outbox_entry *entry, const char *expected)
{
	struct told told = {0};
	assert_int_equal(event_expand(&demo, entry, on_event, &told), WR_OK);
	assert_string_equal(told.text, expected);
	free(told.text);
}

static void expect_refused(const struct outbox_entry *entry)
{
	struct told told = {0};
	assert_int_equal(event_expand(&demo, entry, on_event, &told), WR_MALFORMED);
	assert_int_equal(told.events, 0);
	free(told.text);
}

#define HEAD(id, noun, event, subject)                                                             \
	"wr.default.demo." noun "." event "\n" id "\n"                                                 \
	"{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"/queues/default/demo\","              \
	"\"type\":\"io.waitingroom." noun "." event ".v1\",\"subject\":\"" subject "\","               \
	"\"time\":\"2026-01-01T00:00:00.007Z\",\"datacontenttype\":\"application/json\","              \
	"\"data\":{\"queue_id\":\"default/demo\",\"epoch\":\"epoch-00001\""
#define PERSON(id, lane, ticket)                                                                   \
	",\"position_id\":\"" id "\",\"lane\":\"" lane "\",\"ticket\":" ticket
#define TAIL "}}\n"

/* ---- the table ---- */

static void every_word_of_the_table_means_one_type(void **state)
{
	(void)state;
#define WORD(name, word, noun, event, transition, people) word,
	static const char *const words[] = {EVENT_TABLE(WORD)};
#undef WORD
	assert_int_equal(COUNT(words), EVENT_TYPE_COUNT);
	for (size_t i = 0; i < COUNT(words); i++) {
		enum event_type type = EVENT_TYPE_COUNT;
		assert_true(event_type_parse(words[i], &type));
		assert_int_equal(type, i);
		assert_in_range(strlen(words[i]), 1, sizeof(((struct outbox_entry *)0)->type) - 1);
	}
	enum event_type untouched = EVENT_LEFT;
	assert_false(event_type_parse("", &untouched));
	assert_false(event_type_parse("enqueued ", &untouched));
	assert_int_equal(untouched, EVENT_LEFT);
}

static void no_two_types_share_a_subject_or_a_transition_of_a_place(void **state)
{
	(void)state;
#define SUBJECT(name, word, noun, event, transition, people) noun "." event,
	static const char *const subjects[] = {EVENT_TABLE(SUBJECT)};
#undef SUBJECT
#define TRANSITION(name, word, noun, event, transition, people) people ? transition : noun word,
	static const char *const transitions[] = {EVENT_TABLE(TRANSITION)};
#undef TRANSITION
	for (size_t i = 0; i < COUNT(subjects); i++) {
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(subjects[i], subjects[k]);
			assert_string_not_equal(transitions[i], transitions[k]);
		}
	}
}

/* ---- people ---- */

static void a_batch_becomes_one_event_per_person_in_order(void **state)
{
	(void)state;
	struct outbox_entry entry =
		people_entry("enqueued", ID " main 1\n" ID2 " vip 9007199254740992");
	expect(&entry, HEAD(ID ":enqueued", "position", "enqueued", ID) PERSON(ID, "main", "1")
					   TAIL HEAD(ID2 ":enqueued", "position", "enqueued", ID2)
						   PERSON(ID2, "vip", "9007199254740992") TAIL);
}

static void extra_columns_become_named_members(void **state)
{
	(void)state;
	struct outbox_entry entry = people_entry("admitted", ID " main 7 1767225518773 returned");
	expect(&entry, HEAD(ID ":admitted", "position", "admitted", ID)
					   PERSON(ID, "main", "7") ",\"waited_ms\":81234,\"how\":\"returned\"" TAIL);
	/* joined after the admission: a clock that stepped back */
	entry = people_entry("admitted", ID " main 7 1767225600008 line");
	expect(&entry, HEAD(ID ":admitted", "position", "admitted", ID)
					   PERSON(ID, "main", "7") ",\"waited_ms\":0,\"how\":\"line\"" TAIL);
	entry = people_entry("expired", ID " main 7 ghost");
	expect(&entry, HEAD(ID ":expired", "position", "expired", ID)
					   PERSON(ID, "main", "7") ",\"reason\":\"ghost\"" TAIL);
	entry = people_entry("restored", ID " main 7 failover");
	expect(&entry, HEAD(ID ":restored:epoch-00001", "position", "restored", ID)
					   PERSON(ID, "main", "7") ",\"reason\":\"failover\"" TAIL);
	entry = people_entry("claimed", ID " main 7 1767226500007");
	expect(&entry, HEAD(ID ":claimed", "session", "claimed", ID)
					   PERSON(ID, "main", "7") ",\"session_ends_ms\":1767226500007" TAIL);
}

static void what_happens_again_to_a_place_that_was_put_back_has_another_id(void **state)
{
	(void)state;
	struct outbox_entry entry = people_entry("restored", ID "~1 main 7 operator");
	expect(&entry, HEAD(ID ":restored:epoch-00001:1", "position", "restored", ID)
					   PERSON(ID, "main", "7") ",\"reason\":\"operator\"" TAIL);
	entry = people_entry("missed", ID "~12 main 7");
	expect(&entry, HEAD(ID ":missed:12", "position", "missed", ID) PERSON(ID, "main", "7") TAIL);
	static const char *const bad[] = {ID "~0 main 7", ID "~x main 7", ID "~1~2 main 7",
									  "~1 main 7"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		entry = people_entry("missed", bad[i]);
		expect_refused(&entry);
	}
}

static void types_without_extra_columns_have_no_more_members(void **state)
{
	(void)state;
	struct outbox_entry entry = people_entry("missed", ID " main 7");
	expect(&entry, HEAD(ID ":missed", "position", "missed", ID) PERSON(ID, "main", "7") TAIL);
	entry = people_entry("left", ID " main 7");
	expect(&entry, HEAD(ID ":left", "position", "left", ID) PERSON(ID, "main", "7") TAIL);
	entry = people_entry("session-expired", ID " main 7");
	expect(&entry,
		   HEAD(ID ":session-expired", "session", "expired", ID) PERSON(ID, "main", "7") TAIL);
	entry = people_entry("session-released", ID " main 7");
	expect(&entry,
		   HEAD(ID ":session-released", "session", "released", ID) PERSON(ID, "main", "7") TAIL);
	entry = people_entry("session-revoked", ID " main 7");
	expect(&entry,
		   HEAD(ID ":session-revoked", "session", "revoked", ID) PERSON(ID, "main", "7") TAIL);
}

static void columns_of_a_newer_release_are_ignored(void **state)
{
	(void)state;
	struct outbox_entry entry = people_entry("left", ID " main 7 because of rain");
	expect(&entry, HEAD(ID ":left", "position", "left", ID) PERSON(ID, "main", "7") TAIL);
}

static void the_time_is_that_of_the_entry(void **state)
{
	(void)state;
	static const struct {
		int64_t at_ms;
		const char *time;
	} rows[] = {
		{0, "\"time\":\"1970-01-01T00:00:00.000Z\""},
		{951782399999, "\"time\":\"2000-02-28T23:59:59.999Z\""},
		{951782400000, "\"time\":\"2000-02-29T00:00:00.000Z\""},
		{253402300799999, "\"time\":\"9999-12-31T23:59:59.999Z\""},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct outbox_entry entry = people_entry("left", ID " main 7");
		entry.at_ms = rows[i].at_ms;
		struct told told = {0};
		assert_int_equal(event_expand(&demo, &entry, on_event, &told), WR_OK);
		assert_non_null(strstr(told.text, rows[i].time));
		free(told.text);
	}
}

static void expansion_stops_where_the_caller_says(void **state)
{
	(void)state;
	struct outbox_entry entry = people_entry("left", ID " main 1\n" ID2 " main 2\n" ID " main 3");
	struct told told = {.stop_after = 2};
	assert_int_equal(event_expand(&demo, &entry, on_event, &told), WR_LIMIT);
	assert_int_equal(told.events, 2);
	free(told.text);
}

/* ---- queues ---- */

static void a_queue_event_carries_the_members_of_its_entry(void **state)
{
	(void)state;
	struct outbox_entry entry =
		queue_entry("queue-paused", " {\"state\": \"paused\", \"by\": {\"key\": [1, 2]}} ", 12);
	expect(&entry, HEAD("default/demo:epoch-00001:paused:12", "queue", "paused",
						"default/demo") ",\"state\":\"paused\",\"by\":{\"key\":[1,2]}" TAIL);
	entry = queue_entry("queue-created", "", 1);
	expect(&entry,
		   HEAD("default/demo:epoch-00001:created:1", "queue", "created", "default/demo") TAIL);
	entry = queue_entry("queue-deleted", "{}", 18446744073709551615ULL);
	expect(&entry, HEAD("default/demo:epoch-00001:deleted:18446744073709551615", "queue", "deleted",
						"default/demo") TAIL);
}

static void a_queue_event_cannot_claim_another_queue(void **state)
{
	(void)state;
	struct outbox_entry entry =
		queue_entry("queue-updated", "{\"queue_id\":\"else/where\",\"epoch\":\"x\",\"a\":1}", 3);
	expect(&entry, HEAD("default/demo:epoch-00001:updated:3", "queue", "updated",
						"default/demo") ",\"a\":1" TAIL);
}

/* ---- refusals ---- */

static void a_bad_line_refuses_the_whole_entry(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"",
		ID,
		ID " main",
		ID " main ",
		ID " main 0",
		ID " main -1",
		ID " main +1",
		ID " main 1x",
		ID " main 9007199254740993",
		ID " main 99999999999999999999",
		ID "  1",
		ID " Main 1",
		ID " ma.in 1",
		ID "  main 1",
		" " ID " main 1",
		"AAAAAAAAAAAAAAA main 1",
		"AAAAAAAAAAAAAAAAA main 1",
		"AAAAAAAA\r\nAAAAAA main 1",
		"AAAAAAAAAAAAAAA= main 1",
		"AAAAAAAAAAAAAAA\" main 1",
	};
	for (size_t i = 0; i < COUNT(lines); i++) {
		char people[256];
		struct outbox_entry entry = people_entry("left", lines[i]);
		expect_refused(&entry);
		snprintf(people, sizeof(people), "%s main 1\n%s\n%s main 2", ID, lines[i], ID2);
		entry = people_entry("left", people);
		expect_refused(&entry);
	}
}

static void missing_or_bad_extra_columns_refuse_the_entry(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"admitted", ID " main 1"},
		{"admitted", ID " main 1 5"},
		{"admitted", ID " main 1 -5 line"},
		{"admitted", ID " main 1 line 5"},
		{"admitted", ID " main 1 5 Line\"x"},
		{"expired", ID " main 1"},
		{"restored", ID " main 1 "},
		{"claimed", ID " main 1"},
		{"claimed", ID " main 1 253402300800000"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct outbox_entry entry = people_entry(rows[i][0], rows[i][1]);
		expect_refused(&entry);
	}
}

static void an_entry_of_unknown_kind_time_or_epoch_is_refused(void **state)
{
	(void)state;
	struct outbox_entry entry = people_entry("promoted", ID " main 1");
	expect_refused(&entry);
	entry = people_entry("left", ID " main 1");
	entry.at_ms = -1;
	expect_refused(&entry);
	entry.at_ms = INT64_C(253402300800000);
	expect_refused(&entry);
	entry = people_entry("left", ID " main 1");
	strcpy(entry.epoch, "a\r\nb");
	expect_refused(&entry);
}

static void queue_data_that_is_not_an_object_is_refused(void **state)
{
	(void)state;
	static const char *const data[] = {
		"[]", "1", "\"x\"", "null", "{", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "{\"a\\\"b\":1}"};
	for (size_t i = 0; i < COUNT(data); i++) {
		struct outbox_entry entry = queue_entry("queue-updated", data[i], 1);
		expect_refused(&entry);
	}
}

static void queue_data_that_fills_the_body_is_told_and_more_is_refused(void **state)
{
	(void)state;
	bool told_one = false, refused_one = false;
	for (size_t len = EVENT_BODY_BYTES - 400; len < EVENT_BODY_BYTES; len += 7) {
		WR_AUTO(mem_free_at) char *data = mem_alloc_zero(len + 16, 1);
		size_t at = (size_t)sprintf(data, "{\"a\":\"");
		memset(data + at, 'x', len);
		strcpy(data + at + len, "\"}");
		struct outbox_entry entry = queue_entry("queue-updated", data, 1);
		struct told told = {0};
		enum wr_err err = event_expand(&demo, &entry, on_event, &told);
		assert_true(err == WR_OK || err == WR_MALFORMED);
		assert_int_equal(told.events, err == WR_OK);
		*(err ? &refused_one : &told_one) = true;
		free(told.text);
	}
	assert_true(told_one && refused_one);
}

/* ---- histories ---- */

static uint64_t random_state;

static uint64_t random_below(uint64_t limit)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (random_state >> 33) % limit;
}

static size_t random_line(char *line, enum event_type type)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char id[17] = {0};
	for (int i = 0; i < 16; i++)
		id[i] = alphabet[random_below(64)];
	int len = sprintf(line, "%s lane-%d %llu", id, (int)random_below(9),
					  (unsigned long long)(1 + random_below(1u << 30)));
	if (type == EVENT_ADMITTED)
		len += sprintf(line + len, " %d line", (int)random_below(1000000));
	else if (type == EVENT_EXPIRED || type == EVENT_RESTORED)
		len += sprintf(line + len, " silent");
	else if (type == EVENT_CLAIMED)
		len += sprintf(line + len, " %lld", (long long)AT_MS);
	return (size_t)len;
}

#define WORD(name, word, noun, event, transition, people) word,
static const char *const type_words[] = {EVENT_TABLE(WORD)};
#undef WORD

static struct outbox_entry random_entry(char *people, size_t *ret_count)
{
	enum event_type type = (enum event_type)random_below(EVENT_QUEUE_CREATED);
	size_t len = 0;
	*ret_count = 1 + random_below(40);
	for (size_t i = 0; i < *ret_count; i++) {
		if (i)
			people[len++] = '\n';
		len += random_line(people + len, type);
	}
	people[len] = '\0';
	return people_entry(type_words[type], people);
}

static void the_same_entry_always_gives_the_same_bytes(void **state)
{
	(void)state;
	char people[8192], elsewhere[8192];
	for (int round = 0; round < 200; round++) {
		size_t count;
		struct outbox_entry entry = random_entry(people, &count);
		struct told first = {0}, second = {0};
		assert_int_equal(event_expand(&demo, &entry, on_event, &first), WR_OK);
		assert_int_equal(first.events, count);
		memcpy(elsewhere, people, sizeof(people));
		entry.people = elsewhere;
		strcpy(entry.id, "999-9"); /* where it was stored must not show */
		assert_int_equal(event_expand(&demo, &entry, on_event, &second), WR_OK);
		assert_string_equal(first.text, second.text);
		free(first.text);
		free(second.text);
	}
}

static enum wr_err check_json(void *ctx, const struct event *event)
{
	(void)ctx;
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	assert_int_equal(json_parse(event->body, event->body_len, &document, NULL), WR_OK);
	assert_null(strpbrk(event->id, "\r\n \""));
	assert_null(strpbrk(event->subject, "\r\n *>"));
	return WR_OK;
}

static void damaged_entries_are_refused_or_still_give_json(void **state)
{
	(void)state;
	static const char damage[] = "\n \r\"\\/0aZ-_.=\x01\x7f\xc3\xff";
	char people[8192];
	size_t refused = 0, told = 0;
	for (int round = 0; round < 2000; round++) {
		size_t count;
		struct outbox_entry entry = random_entry(people, &count);
		size_t changes = 1 + random_below(3);
		for (size_t i = 0; i < changes; i++)
			people[random_below(entry.people_len)] = damage[random_below(sizeof(damage))];
		enum wr_err err = event_expand(&demo, &entry, check_json, NULL);
		assert_true(err == WR_OK || err == WR_MALFORMED);
		(*(err ? &refused : &told))++;
	}
	assert_true(refused > 100 && told > 100);
}

static int seed_random(void **state)
{
	(void)state;
	const char *text = getenv("WR_TEST_SEED");
	random_state = text ? strtoull(text, NULL, 10) : 20260101;
	print_message("# seed %llu\n", (unsigned long long)random_state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_of_the_table_means_one_type),
		cmocka_unit_test(no_two_types_share_a_subject_or_a_transition_of_a_place),
		cmocka_unit_test(a_batch_becomes_one_event_per_person_in_order),
		cmocka_unit_test(extra_columns_become_named_members),
		cmocka_unit_test(what_happens_again_to_a_place_that_was_put_back_has_another_id),
		cmocka_unit_test(types_without_extra_columns_have_no_more_members),
		cmocka_unit_test(columns_of_a_newer_release_are_ignored),
		cmocka_unit_test(the_time_is_that_of_the_entry),
		cmocka_unit_test(expansion_stops_where_the_caller_says),
		cmocka_unit_test(a_queue_event_carries_the_members_of_its_entry),
		cmocka_unit_test(a_queue_event_cannot_claim_another_queue),
		cmocka_unit_test(a_bad_line_refuses_the_whole_entry),
		cmocka_unit_test(missing_or_bad_extra_columns_refuse_the_entry),
		cmocka_unit_test(an_entry_of_unknown_kind_time_or_epoch_is_refused),
		cmocka_unit_test(queue_data_that_is_not_an_object_is_refused),
		cmocka_unit_test(queue_data_that_fills_the_body_is_told_and_more_is_refused),
		cmocka_unit_test(the_same_entry_always_gives_the_same_bytes),
		cmocka_unit_test(damaged_entries_are_refused_or_still_give_json),
	};
	return cmocka_run_group_tests(tests, seed_random, NULL);
}
