/* Events: the document for consumers (asyncapi.yaml) and the code say the same.
 *
 * Each message of the document has an example on one line, in JSON. This test makes the event of a
 * sample entry and wants to find exactly that line, so that neither can change without the other.
 */
#include "support/cloudevent.h"
#include "support/cmocka.h"
#include "support/temp.h"
#include "waitingroom/events.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT "lib/events/asyncapi.yaml"
#define PLACE "uQ3v8Zk1Xw0aB-_t main 4711"
#define QUEUE_DATA "{\"version\":3,\"by\":\"key:ops\"}"

#define AUDIT_DATA                                                                                 \
	"{\"at_ms\":1767225600000,\"id\":\"uQ3v8Zk1Xw0aB-_t\","                                        \
	"\"who\":{\"key_id\":\"k3v7aq2x\",\"name\":\"night shift\"},\"action\":\"queue.put\","         \
	"\"object\":\"queues/default/shop\",\"tenant\":\"default\",\"queue\":\"default/shop\","        \
	"\"request_id\":\"fbdxdfbunv-16\",\"address\":\"192.0.2.0\",\"before\":{\"capacity\":100},"    \
	"\"after\":{\"capacity\":200,\"secrets_changed\":[]}}"

/* What stands behind the first columns, or the data of a queue event. */
static const char *const samples[EVENT_TYPE_COUNT] = {
	[EVENT_ENQUEUED] = PLACE,
	[EVENT_ADMITTED] = PLACE " 1767225518766 line",
	[EVENT_MISSED] = PLACE,
	[EVENT_EXPIRED] = PLACE " silent",
	[EVENT_LEFT] = PLACE,
	[EVENT_RESTORED] = PLACE " failover",
	[EVENT_CLAIMED] = PLACE " 1767226500000",
	[EVENT_SESSION_EXPIRED] = PLACE,
	[EVENT_SESSION_RELEASED] = PLACE,
	[EVENT_SESSION_REVOKED] = PLACE,
	[EVENT_QUEUE_CREATED] = QUEUE_DATA,
	[EVENT_QUEUE_UPDATED] = QUEUE_DATA,
	[EVENT_QUEUE_PAUSED] = QUEUE_DATA,
	[EVENT_QUEUE_RESUMED] = QUEUE_DATA,
	[EVENT_QUEUE_DELETED] = QUEUE_DATA,
	[EVENT_AUDIT] = AUDIT_DATA,
};

#define ROW(name, word_, noun_, event_, transition_, people_)                                      \
	[name] = {.word = word_,                                                                       \
			  .type = "io.waitingroom." noun_ "." event_ ".v1",                                    \
			  .address = name == EVENT_AUDIT ? "wr." noun_ "." event_                              \
											 : "wr.{tenant}.{queue}." noun_ "." event_,            \
			  .people = people_},
static const struct {
	const char *word, *type, *address;
	bool people;
} rows[EVENT_TYPE_COUNT] = {EVENT_TABLE(ROW)};
#undef ROW

/* Told outside the table: an entry that no release of ours wrote. */
#define MALFORMED_TYPE "io.waitingroom.system.outbox_malformed.v1"
#define MALFORMED_ADDRESS "wr.system.outbox_malformed"

static char *document;

static int read_document(void **state)
{
	(void)state;
	size_t len;
	document = temp_read(DOCUMENT, &len);
	if (!document)
		print_error("%s cannot be read; run from the top of the tree\n", DOCUMENT);
	return document ? 0 : -1;
}

static int free_document(void **state)
{
	(void)state;
	free(document);
	return 0;
}

static struct outbox_entry sample_entry(enum event_type type)
{
	struct outbox_entry entry = {.id = "1767225600000-0",
								 .at_ms = INT64_C(1767225600000),
								 .epoch = "Hk3_0pXq-9A",
								 .people = "",
								 .data = "",
								 .n = 3};
	snprintf(entry.type, sizeof(entry.type), "%s", rows[type].word);
	*(rows[type].people ? &entry.people : &entry.data) = samples[type];
	entry.people_len = strlen(entry.people);
	return entry;
}

static enum wr_err keep_event(void *ctx, const struct event *event)
{
	*(struct event *)ctx = *event;
	return WR_OK;
}

static void make_event(enum event_type type, struct event *ret_event)
{
	static const struct queue_name shop = {.tenant = "default", .queue = "shop"};
	struct outbox_entry entry = sample_entry(type);
	assert_int_equal(event_expand(&shop, &entry, keep_event, ret_event), WR_OK);
}

static bool document_has_line(const char *start, const char *rest, size_t rest_len)
{
	WR_AUTO(mem_free_at) char *line = NULL;
	if (asprintf(&line, " %s%.*s\n", start, (int)rest_len, rest) < 0)
		abort();
	return strstr(document, line) != NULL;
}

static void every_event_of_ours_is_a_valid_cloudevent(void **state)
{
	(void)state;
	struct event event;
	for (enum event_type type = 0; type < EVENT_TYPE_COUNT; type++) {
		make_event(type, &event);
		expect_cloudevent(event.body, event.body_len);
	}
}

static void every_event_of_ours_is_in_the_document_with_its_channel(void **state)
{
	(void)state;
	for (size_t i = 0; i < EVENT_TYPE_COUNT; i++) {
		if (!document_has_line("name: ", rows[i].type, strlen(rows[i].type)))
			fail_msg("no message is named %s", rows[i].type);
		if (!document_has_line("address: ", rows[i].address, strlen(rows[i].address)))
			fail_msg("no channel has the address %s", rows[i].address);
	}
}

static void every_example_in_the_document_is_what_the_code_makes(void **state)
{
	(void)state;
	struct event event;
	for (enum event_type type = 0; type < EVENT_TYPE_COUNT; type++) {
		make_event(type, &event);
		if (!document_has_line("payload: ", event.body, event.body_len))
			fail_msg("no example is\n%.*s", (int)event.body_len, event.body);
		char id[EVENT_ID_BYTES + 2];
		snprintf(id, sizeof(id), "\"%s\"", event.id);
		if (!document_has_line("Nats-Msg-Id: ", id, strlen(id)))
			fail_msg("no example has the header Nats-Msg-Id %s", id);
	}
}

/* Calls check with each text that follows 'start' at the beginning of a line, up to its end. */
static size_t for_each_line(const char *start, bool (*check)(const char *text))
{
	size_t count = 0;
	char text[256];
	for (const char *at = strstr(document, start); at; at = strstr(at + 1, start)) {
		const char *before = at;
		while (before > document && before[-1] == ' ')
			before--;
		if (before > document && before[-1] != '\n')
			continue;
		const char *rest = at + strlen(start);
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(rest, "\n"), rest);
		if (!check(text))
			fail_msg("%s%s is in the document and not in the code", start, text);
		count++;
	}
	return count;
}

static bool is_type_of_ours(const char *text)
{
	for (size_t i = 0; i < EVENT_TYPE_COUNT; i++) {
		if (strcmp(rows[i].type, text) == 0)
			return true;
	}
	return strcmp(text, MALFORMED_TYPE) == 0;
}

static bool is_address_of_ours(const char *text)
{
	for (size_t i = 0; i < EVENT_TYPE_COUNT; i++) {
		if (strcmp(rows[i].address, text) == 0)
			return true;
	}
	return strcmp(text, MALFORMED_ADDRESS) == 0;
}

static void the_document_has_no_event_that_the_code_lacks(void **state)
{
	(void)state;
	assert_int_equal(for_each_line("name: ", is_type_of_ours), EVENT_TYPE_COUNT + 1);
	assert_int_equal(for_each_line("address: ", is_address_of_ours), EVENT_TYPE_COUNT + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_of_ours_is_a_valid_cloudevent),
		cmocka_unit_test(every_event_of_ours_is_in_the_document_with_its_channel),
		cmocka_unit_test(every_example_in_the_document_is_what_the_code_makes),
		cmocka_unit_test(the_document_has_no_event_that_the_code_lacks),
	};
	return cmocka_run_group_tests(tests, read_document, free_document);
}
