/* Entries of the audit: whatever a key is called and whatever was changed, an entry is JSON and
 * fits. */
#include "cmd/api/admin_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"
#include "waitingroom/token.h"

static const struct admin_route route = {.action = "queue.put"};

static void fill_notes(struct admin_notes *notes)
{
	*notes = (struct admin_notes){.route = &route, .request_id = "r-1"};
	strcpy(notes->caller.id, "k3v7aq2x");
	strcpy(notes->caller.name, "night \"shift\"");
	strcpy(notes->name.tenant, "acme");
	strcpy(notes->name.queue, "sale");
	strcpy(notes->address, "192.0.2.0");
}

/* gives */
static struct json_value *parsed(const char *entry)
{
	struct json_value *document = NULL;
	assert_int_equal(json_parse(entry, strlen(entry), &document, NULL), WR_OK);
	return document;
}

static const char *text_in(const struct json_value *object, const char *name)
{
	const char *text = NULL;
	assert_true(json_string(json_member(object, name), &text));
	return text;
}

static void an_entry_says_who_what_and_to_what(void **state)
{
	(void)state;
	struct admin_notes notes;
	char entry[STORE_AUDIT_BYTES];
	fill_notes(&notes);
	admin_audit_json(&notes, "null", "{\"capacity\":7}", entry, sizeof(entry));
	WR_AUTO(json_free_at) struct json_value *document = parsed(entry);
	assert_string_equal(text_in(json_member(document, "who"), "name"), "night \"shift\"");
	assert_string_equal(text_in(document, "action"), "queue.put");
	assert_string_equal(text_in(document, "object"), "queues/acme/sale");
	assert_string_equal(text_in(document, "queue"), "acme/sale");
	assert_string_equal(text_in(document, "tenant"), "acme");
	assert_string_equal(text_in(document, "request_id"), "r-1");
	assert_true(json_is_null(json_member(document, "before")));
	assert_non_null(strstr(entry, "\"after\":{\"capacity\":7}}"));
	const char *id = text_in(document, "id");
	assert_true(position_id_is_valid(id, strlen(id)));
	assert_null(json_member(document, "at_ms")); /* the step's */
}

static void a_route_of_a_tenant_is_about_the_tenant(void **state)
{
	(void)state;
	struct admin_notes notes;
	char entry[STORE_AUDIT_BYTES];
	fill_notes(&notes);
	notes.name.queue[0] = '\0';
	admin_audit_json(&notes, "null", "null", entry, sizeof(entry));
	WR_AUTO(json_free_at) struct json_value *document = parsed(entry);
	assert_string_equal(text_in(document, "object"), "tenants/acme");
	assert_true(json_is_null(json_member(document, "queue")));
}

static void no_two_entries_have_the_same_id(void **state)
{
	(void)state;
	struct admin_notes notes;
	char one[STORE_AUDIT_BYTES], other[STORE_AUDIT_BYTES];
	fill_notes(&notes);
	admin_audit_json(&notes, "null", "null", one, sizeof(one));
	admin_audit_json(&notes, "null", "null", other, sizeof(other));
	assert_string_not_equal(one, other);
}

static void the_longest_names_and_values_fit(void **state)
{
	(void)state;
	struct admin_notes notes;
	char entry[STORE_AUDIT_BYTES], request_id[65], value[20000];
	fill_notes(&notes);
	memset(notes.caller.id, '\x1f', sizeof(notes.caller.id) - 1);
	memset(notes.caller.name, '\x1f', sizeof(notes.caller.name) - 1);
	memset(notes.name.tenant, 't', NAME_MAX_CHARS);
	memset(notes.name.queue, 'q', NAME_MAX_CHARS);
	memset(notes.address, 'a', sizeof(notes.address) - 1);
	memset(request_id, 'r', 64);
	request_id[64] = '\0';
	notes.request_id = request_id;
	int len = snprintf(value, sizeof(value), "{\"x\":\"%018000d\"}", 1);
	for (int bytes = len; bytes > 4000; bytes -= 97) { /* whole, and where it only just fits */
		snprintf(value, sizeof(value), "{\"x\":\"%0*d\"}", bytes - 8, 1);
		admin_audit_json(&notes, value, value, entry, sizeof(entry));
		json_free(parsed(entry));
	}
}

static void what_is_too_long_for_an_entry_is_told_by_its_hash(void **state)
{
	(void)state;
	struct admin_notes notes;
	char entry[STORE_AUDIT_BYTES], value[9000], hash[65];
	fill_notes(&notes);
	snprintf(value, sizeof(value), "{\"x\":\"%08000d\"}", 1);
	admin_audit_json(&notes, value, "{\"x\":\"\"}", entry, sizeof(entry));
	WR_AUTO(json_free_at) struct json_value *document = parsed(entry);
	const struct json_value *before = json_member(document, "before");
	int64_t bytes = 0;
	sha256_hex(value, strlen(value), hash);
	assert_string_equal(text_in(before, "sha256"), hash);
	assert_true(json_int(json_member(before, "bytes"), &bytes));
	assert_int_equal(bytes, strlen(value));
	assert_string_equal(text_in(json_member(document, "after"), "x"), "");
}

static void settings_are_told_as_far_as_they_differ(void **state)
{
	(void)state;
	struct queue_settings before, after;
	queue_settings_default(&before);
	queue_settings_default(&after);
	before.capacity = 5;
	after.capacity = 6;
	strcpy(after.captcha_secret, "of acme");
	WR_AUTO(mem_free_at) char *was = NULL;
	WR_AUTO(mem_free_at) char *is = NULL;
	admin_audit_settings(&before, &after, &was, &is);
	assert_string_equal(was, "{\"capacity\":5}");
	assert_string_equal(is, "{\"capacity\":6,\"secrets_changed\":[\"captcha_secret\"]}");
	queue_settings_clear(&before);
	queue_settings_clear(&after);
}

static void settings_that_come_or_go_are_told_whole(void **state)
{
	(void)state;
	struct queue_settings settings;
	queue_settings_default(&settings);
	strcpy(settings.captcha_secret, "of acme");
	char *was = NULL, *is = NULL;
	admin_audit_settings(NULL, &settings, &was, &is);
	assert_string_equal(was, "null");
	assert_non_null(strstr(is, "\"rate_per_minute\":"));
	assert_null(strstr(is, "of acme"));
	free(was);
	free(is);
	admin_audit_settings(&settings, NULL, &was, &is);
	assert_string_equal(is, "null");
	assert_non_null(strstr(was, "\"rate_per_minute\":"));
	assert_null(strstr(was, "of acme"));
	free(was);
	free(is);
	queue_settings_clear(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_says_who_what_and_to_what),
		cmocka_unit_test(a_route_of_a_tenant_is_about_the_tenant),
		cmocka_unit_test(no_two_entries_have_the_same_id),
		cmocka_unit_test(the_longest_names_and_values_fit),
		cmocka_unit_test(what_is_too_long_for_an_entry_is_told_by_its_hash),
		cmocka_unit_test(settings_are_told_as_far_as_they_differ),
		cmocka_unit_test(settings_that_come_or_go_are_told_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
