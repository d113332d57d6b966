/* CloudEvents: what the specification says of the attributes (version 1.0.2, sections 2 and 3), and
 * what we add to it: which attributes there are, and that 'data' says which queue it is about.
 */
#include "support/cloudevent.h"

#include "support/cmocka.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#include <pthread.h>
#include <regex.h>
#include <string.h>

struct attribute {
	const char *name, *pattern;
	bool required;
};

#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))
static const struct attribute attributes[] = {
	{"specversion", "^1\\.0$", true},
	{"id", "^[A-Za-z0-9_/:-]{1,223}$", true},
	{"source", "^(/queues/[a-z0-9-]+/[a-z0-9-]+|/system)$", true},
	{"type", "^io\\.waitingroom\\.[a-z]+\\.[a-z_]+\\.v[1-9][0-9]*$", true},
	{"subject", "^[A-Za-z0-9_/-]+$", true},
	{"time", "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$", false},
	{"datacontenttype", "^application/json$", true},
	{"traceparent", "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$", false},
};

static const struct attribute *find_attribute(const char *name)
{
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		if (strcmp(attributes[i].name, name) == 0)
			return &attributes[i];
	}
	return NULL;
}

/* Kept until the end: to compile a pattern takes a hundred times as long as to look at an event. */
static regex_t patterns[ATTRIBUTES];

static void compile_patterns(void)
{
	for (size_t i = 0; i < ATTRIBUTES; i++)
		assert_int_equal(regcomp(&patterns[i], attributes[i].pattern, REG_EXTENDED | REG_NOSUB), 0);
}

static bool matches(const char *text, const struct attribute *attribute)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, compile_patterns);
	return regexec(&patterns[attribute - attributes], text, 0, NULL, 0) == 0;
}

static void check_attribute(const struct json_value *member)
{
	const char *name = json_key(member), *value = NULL;
	if (strcmp(name, "data") == 0)
		return;
	const struct attribute *attribute = find_attribute(name);
	if (!attribute)
		fail_msg("an attribute that is not ours: %s", name);
	if (!json_string(member, &value) || !matches(value, attribute))
		fail_msg("%s: %s", name, value ? value : "is not a string");
}

/* An entry of the audit: its subject is the thing that it was done to. */
static void check_audit(const struct json_value *event)
{
	static const char *const texts[] = {"id", "action", "tenant", "request_id", "address"};
	const char *subject, *object, *text;
	int64_t at_ms;
	const struct json_value *data = json_member(event, "data");
	const struct json_value *who = json_member(data, "who");
	assert_true(json_is_object(data));
	assert_true(json_string(json_member(event, "subject"), &subject));
	assert_true(json_string(json_member(data, "object"), &object));
	assert_string_equal(subject, object);
	assert_true(json_int(json_member(data, "at_ms"), &at_ms));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_true(json_string(json_member(data, texts[i]), &text));
	assert_true(json_string(json_member(who, "key_id"), &text));
	assert_true(json_string(json_member(who, "name"), &text));
	assert_non_null(json_member(data, "queue"));
	assert_non_null(json_member(data, "before"));
	assert_non_null(json_member(data, "after"));
}

static void check_data(const struct json_value *event)
{
	const char *type = "";
	json_string(json_member(event, "type"), &type);
	if (strcmp(type, "io.waitingroom.system.audit.v1") == 0) {
		check_audit(event);
		return;
	}
	const char *source = NULL, *queue_id = NULL, *epoch = NULL;
	const struct json_value *data = json_member(event, "data");
	assert_true(json_is_object(data));
	assert_true(json_string(json_member(data, "queue_id"), &queue_id));
	assert_true(json_string(json_member(data, "epoch"), &epoch));
	assert_true(json_string(json_member(event, "source"), &source));
	assert_string_equal(source + strlen("/queues/"), queue_id);
}

void expect_cloudevent(const char *body, size_t len)
{
	WR_AUTO(json_free_at) struct json_value *event = NULL;
	struct err_detail detail = {""};
	if (json_parse(body, len, &event, &detail))
		fail_msg("not JSON: %s: %.*s", detail.text, (int)len, body);
	assert_true(json_is_object(event));
	for (size_t i = 0; i < json_count(event); i++)
		check_attribute(json_at(event, i));
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (attributes[i].required && !json_member(event, attributes[i].name))
			fail_msg("no %s in %.*s", attributes[i].name, (int)len, body);
	}
	check_data(event);
}
