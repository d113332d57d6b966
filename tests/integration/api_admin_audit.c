/* The audit: who has changed what, as the API shows it and as JetStream has it.
 *
 * Two pods, an admitter, a real NATS. Each test looks at the entries of queues of its own.
 */
#include "support/api.h"
#include "support/cloudevent.h"
#include "support/cmocka.h"
#include "support/event_stream.h"
#include "support/shared_stack.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUDIT "/admin/v1/audit"
#define ENTRIES_MAX 200

static struct event_stream *stream;

static int open_room(void **state)
{
	(void)state;
	stack =
		stack_start(&(struct stack_options){.pods = 2,
											.admitters = 1,
											.admin_keys = API_ADMIN_KEYS_FILE,
											.queues = QUEUES(QUEUE("filed/sale", HELD)),
											.env = (const char *const[]){NO_RATE_LIMITS, NULL}});
	stream = event_stream_open(nats_url(stack->nats));
	api_make_tenant(stack, "acme");
	api_make_tenant(stack, "rival");
	return 0;
}

static int close_room(void **state)
{
	event_stream_close(stream);
	return shared_stack_close(state);
}

/* ---- asking ---- */

static void change(const char *method, const char *path, const char *body, int status)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin_as(stack, 0, API_ADMIN_KEY, method, path, body);
	if (answer->status != status)
		fail_msg("%s %s: %d %s", method, path, answer->status, answer->body);
}

/* The page; gives */
static cJSON *read_page(const char *key, int pod, const char *query)
{
	char path[512];
	print_into(path, AUDIT "%s", query);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin_as(stack, pod, key, "GET", path, NULL);
	api_expect_status(answer, 200);
	cJSON *page = cJSON_Parse(answer->body);
	assert_non_null(page);
	return page;
}

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text_of(const cJSON *object, const char *name)
{
	const cJSON *value = member(object, name);
	return cJSON_IsString(value) ? value->valuestring : "";
}

static int count_of(const char *query)
{
	cJSON *page = read_page(API_ADMIN_KEY, 1, query);
	int count = cJSON_GetArraySize(member(page, "entries"));
	cJSON_Delete(page);
	return count;
}

/* The newest entry for a query: what was done, to what, what was before and after. */
static void expect_newest(const char *query, const char *action, const char *object,
						  const char *before, const char *after)
{
	cJSON *page = read_page(API_ADMIN_KEY, 1, query);
	const cJSON *entry = cJSON_GetArrayItem(member(page, "entries"), 0);
	if (!entry)
		fail_msg("%s: nothing was written down", action);
	char *was = cJSON_PrintUnformatted(member(entry, "before"));
	char *is = cJSON_PrintUnformatted(member(entry, "after"));
	assert_string_equal(text_of(entry, "action"), action);
	assert_string_equal(text_of(entry, "object"), object);
	assert_string_equal(text_of(member(entry, "who"), "key_id"), "tests");
	assert_string_equal(text_of(entry, "address"), "127.0.0.0");
	if (strcmp(was, before) != 0 || strcmp(is, after) != 0)
		fail_msg("%s: before %s, after %s", action, was, is);
	cJSON_free(was);
	cJSON_free(is);
	cJSON_Delete(page);
}

/* ---- what is written down ---- */

#define ROOM_QUERY "?queue=acme/room"
#define ROOM "queues/acme/room"

static void every_change_of_a_queue_is_written_down_with_what_was_before(void **state)
{
	(void)state;
	static const char path[] = "/admin/v1/queues/acme/room";
	change("PUT", path, "{\"capacity\":5," HELD "}", 201);
	WR_AUTO(http_answer_free_at)
	struct http_answer *first =
		api_admin_as(stack, 0, API_ADMIN_KEY, "GET", AUDIT ROOM_QUERY, NULL);
	assert_non_null(strstr(first->body, "\"before\":null,\"after\":{"));
	assert_non_null(strstr(first->body, "\"capacity\":5"));
	change("PUT", path, "{\"capacity\":6," HELD "}", 200);
	expect_newest(ROOM_QUERY, "queue.put", ROOM, "{\"capacity\":5}",
				  "{\"capacity\":6,\"secrets_changed\":[]}");
	change("POST", "/admin/v1/queues/acme/room/pause", "{\"message\":\"soon\"}", 200);
	expect_newest(ROOM_QUERY, "queue.pause", ROOM, "{\"state\":\"hold\",\"message\":\"\"}",
				  "{\"state\":\"paused\",\"message\":\"soon\",\"secrets_changed\":[]}");
	change("POST", "/admin/v1/queues/acme/room/resume", NULL, 200);
	expect_newest(ROOM_QUERY, "queue.resume", ROOM, "{\"state\":\"paused\",\"message\":\"soon\"}",
				  "{\"state\":\"open\",\"message\":\"\",\"secrets_changed\":[]}");
	assert_int_equal(count_of(ROOM_QUERY), 4);
	/* What changes nothing is nobody's doing. */
	change("POST", "/admin/v1/queues/acme/room/resume", NULL, 200);
	change("PUT", path, "{\"capacity\":-1}", 422);
	change("PUT", "/admin/v1/queues/acme/none/pause", NULL, 405);
	assert_int_equal(count_of(ROOM_QUERY), 4);
}

static void people_who_are_let_in_or_put_out_are_written_down(void **state)
{
	(void)state;
	change("PUT", "/admin/v1/queues/acme/hand", "{" HELD "}", 201);
	WAIT_UNTIL(5000, api_store_number(stack, "EXISTS wr:{acme/hand}:clock") == 1,
			   "an admitter knows the queue");
	api_await_queue(stack, "acme/hand");
	WR_AUTO(mem_free_at) char *token = api_join_present(stack, 0, "acme/hand");
	WR_AUTO(mem_free_at) char *id = api_position_id(token);
	api_admit(stack, "acme/hand", 1);
	WAIT_UNTIL(2000, count_of("?queue=acme/hand&action=queue.admit") == 2,
			   "what was asked for, and what came of it");
	expect_newest("?queue=acme/hand", "queue.admit", "queues/acme/hand", "null",
				  "{\"admitted\":1,\"free\":99}");
	char body[64], after[64];
	print_into(body, "{\"position_id\":\"%s\"}", id);
	print_into(after, "{\"position_id\":\"%s\"}", id);
	change("POST", "/admin/v1/queues/acme/hand/revoke", body, 200);
	expect_newest("?queue=acme/hand", "place.revoke", "queues/acme/hand",
				  "{\"state\":\"admitted\"}", after);
}

static void tenants_and_keys_are_written_down(void **state)
{
	(void)state;
	char id[9], path[64], object[32];
	change("PUT", "/admin/v1/tenants/brief", "{\"queues_max\":1}", 201);
	expect_newest("?tenant=brief", "tenant.put", "tenants/brief", "null",
				  "{\"queues_max\":1,\"title\":\"\",\"note\":\"\"}");
	WR_AUTO(mem_free_at) char *key = api_make_key(stack, "viewer", "brief", id);
	print_into(path, "/admin/v1/keys/%s", id);
	print_into(object, "keys/%s", id);
	cJSON *page = read_page(API_ADMIN_KEY, 0, "?tenant=brief&action=key.make");
	const cJSON *entry = cJSON_GetArrayItem(member(page, "entries"), 0);
	assert_string_equal(text_of(entry, "object"), object);
	assert_string_equal(text_of(member(entry, "after"), "role"), "viewer");
	cJSON_Delete(page);
	change("DELETE", path, NULL, 204);
	change("DELETE", "/admin/v1/tenants/brief", NULL, 204);
	page = read_page(API_ADMIN_KEY, 0, "?tenant=brief&limit=2");
	entry = cJSON_GetArrayItem(member(page, "entries"), 0);
	assert_string_equal(text_of(entry, "action"), "tenant.delete");
	assert_true(cJSON_IsNull(member(entry, "after")));
	entry = cJSON_GetArrayItem(member(page, "entries"), 1);
	assert_string_equal(text_of(entry, "action"), "key.delete");
	assert_string_equal(text_of(member(entry, "before"), "name"), "viewer of brief");
	cJSON_Delete(page);
}

static void what_a_file_declares_is_written_down_as_nobodys(void **state)
{
	(void)state;
	cJSON *page = read_page(API_ADMIN_KEY, 0, "?queue=filed/sale");
	const cJSON *entries = member(page, "entries");
	assert_int_equal(cJSON_GetArraySize(entries), 1); /* though two pods brought it */
	const cJSON *who = member(cJSON_GetArrayItem(entries, 0), "who");
	assert_string_equal(text_of(who, "key_id"), "-");
	assert_string_equal(text_of(who, "name"), "WR_QUEUES_FILE");
	cJSON_Delete(page);
}

static bool is_forgotten(const char *queue)
{
	return api_store_number(stack, "SISMEMBER wr:queues %s", queue) == 0;
}

static void the_audit_of_a_deleted_queue_is_still_found(void **state)
{
	(void)state;
	change("PUT", "/admin/v1/queues/acme/gone", "{\"capacity\":3," HELD "}", 201);
	change("DELETE", "/admin/v1/queues/acme/gone", NULL, 204);
	WAIT_UNTIL(20000, is_forgotten("acme/gone"), "the queue is forgotten");
	cJSON *page = read_page(API_ADMIN_KEY, 0, "?tenant=acme&action=queue.delete");
	const cJSON *entry = cJSON_GetArrayItem(member(page, "entries"), 0);
	assert_string_equal(text_of(entry, "queue"), "acme/gone");
	assert_int_equal(member(member(entry, "before"), "capacity")->valueint, 3);
	assert_true(cJSON_IsNull(member(entry, "after")));
	cJSON_Delete(page);
	assert_int_equal(count_of("?queue=acme/gone"), 2);
	/* Made again it is on two lists, and told once. */
	change("PUT", "/admin/v1/queues/acme/gone", "{" HELD "}", 201);
	assert_int_equal(count_of("?tenant=acme&action=queue.delete"), 1);
	assert_int_equal(count_of("?queue=acme/gone"), 3);
	assert_int_equal(api_store_number(stack, "TTL wr:{acme/gone}:audit"), -1);
	change("DELETE", "/admin/v1/queues/acme/gone", NULL, 204);
	int64_t left_s = api_store_number(stack, "TTL wr:{acme/gone}:audit");
	assert_in_range(left_s, 399 * 86400, 400 * 86400);
}

/* ---- reading ---- */

static void collect(const cJSON *page, char ids[][17], int *count)
{
	const cJSON *entry;
	cJSON_ArrayForEach(entry, member(page, "entries"))
	{
		assert_true(*count < ENTRIES_MAX);
		snprintf(ids[(*count)++], 17, "%s", text_of(entry, "id"));
	}
}

static void pages_give_every_entry_once_newest_first(void **state)
{
	(void)state;
	static char whole[ENTRIES_MAX][17], paged[ENTRIES_MAX][17];
	int whole_count = 0, paged_count = 0, pages = 0;
	char path[96], query[256];
	for (int i = 0; i < 12; i++) {
		print_into(path, "/admin/v1/queues/acme/page-%d", i % 4);
		change("PUT", path,
			   i < 4   ? "{" HELD "}"
			   : i < 8 ? "{\"capacity\":7}"
					   : "{}",
			   i < 4 ? 201 : 200);
	}
	for (int i = 0; i < 25; i++) /* more than a page reads of one queue */
		change("PUT", "/admin/v1/queues/acme/page-0", i % 2 ? "{}" : "{\"capacity\":8}", 200);
	cJSON *page = read_page(API_ADMIN_KEY, 0, "?limit=500");
	collect(page, whole, &whole_count);
	assert_true(cJSON_IsNull(member(page, "next")));
	double last_ms = 1e18;
	const cJSON *entry;
	cJSON_ArrayForEach(entry, member(page, "entries"))
	{
		/* Told by the time at which a step began, ordered by that at which it wrote. */
		assert_true(member(entry, "at_ms")->valuedouble <= last_ms + 100);
		last_ms = member(entry, "at_ms")->valuedouble;
	}
	assert_true(whole_count >= 40);
	cJSON_Delete(page);
	print_into(query, "?limit=4");
	for (bool more = true; more; pages++) {
		page = read_page(API_ADMIN_KEY, pages % 2, query);
		assert_true(cJSON_GetArraySize(member(page, "entries")) <= 4);
		collect(page, paged, &paged_count);
		more = cJSON_IsString(member(page, "next"));
		if (more)
			print_into(query, "?limit=4&before=%s", text_of(page, "next"));
		cJSON_Delete(page);
		assert_true(pages < ENTRIES_MAX);
	}
	assert_int_equal(paged_count, whole_count);
	for (int i = 0; i < whole_count; i++)
		assert_string_equal(paged[i], whole[i]);
}

static void a_tenants_key_reads_its_own_entries_only(void **state)
{
	(void)state;
	WR_AUTO(mem_free_at) char *key = api_make_key(stack, "viewer", "rival", NULL);
	change("PUT", "/admin/v1/queues/rival/one", "{" HELD "}", 201);
	change("PUT", "/admin/v1/queues/acme/one", "{" HELD "}", 201);
	cJSON *page = read_page(key, 0, "?limit=500");
	const cJSON *entry;
	int queues = 0, others = 0;
	cJSON_ArrayForEach(entry, member(page, "entries"))
	{
		assert_string_equal(text_of(entry, "tenant"), "rival");
		queues += strcmp(text_of(entry, "queue"), "rival/one") == 0;
		others += cJSON_IsNull(member(entry, "queue"));
	}
	assert_true(queues == 1 && others >= 2); /* the tenant, and this key */
	cJSON_Delete(page);
	page = read_page(key, 0, "?queue=acme/one");
	assert_int_equal(cJSON_GetArraySize(member(page, "entries")), 0);
	cJSON_Delete(page);
	page = read_page(key, 0, "?tenant=acme");
	assert_int_equal(cJSON_GetArraySize(member(page, "entries")), 0);
	cJSON_Delete(page);
}

static void what_is_wrong_with_a_query_is_named(void **state)
{
	(void)state;
	static const char *const mistakes[][2] = {
		{"?limit=0", "limit: "},	   {"?limit=501", "limit: "},
		{"?limit=x", "limit: "},	   {"?before=1", "before: "},
		{"?before=a-b@c", "before: "}, {"?queue=A/b", "queue: "},
		{"?tenant=A", "tenant: "},	   {"?action=0123456789012345678901234567890123", "action: "},
	};
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		char path[128];
		print_into(path, AUDIT "%s", mistakes[i][0]);
		WR_AUTO(http_answer_free_at)
		struct http_answer *answer = api_admin_as(stack, 0, API_ADMIN_KEY, "GET", path, NULL);
		api_expect_problem(answer, 422, "invalid_value");
		WR_AUTO(mem_free_at) char *detail = http_answer_text(answer, "detail");
		assert_memory_equal(detail, mistakes[i][1], strlen(mistakes[i][1]));
	}
}

/* ---- secrets, and the broker ---- */

static void secrets_are_named_and_never_told(void **state)
{
	(void)state;
	static const char path[] = "/admin/v1/queues/acme/secret";
	change("PUT", path,
		   "{\"captcha_site_key\":\"site\",\"captcha_secret\":\"s3cret-of-acme\"," HELD "}", 201);
	change("PUT", path,
		   "{\"captcha_site_key\":\"site\",\"captcha_secret\":\"s3cret-of-acme-2\"," HELD "}", 200);
	expect_newest("?queue=acme/secret", "queue.put", "queues/acme/secret", "{}",
				  "{\"secrets_changed\":[\"captcha_secret\"]}");
	change("DELETE", path, NULL, 204);
	WR_AUTO(http_answer_free_at)
	struct http_answer *all =
		api_admin_as(stack, 0, API_ADMIN_KEY, "GET", AUDIT "?queue=acme/secret", NULL);
	assert_null(strstr(all->body, "s3cret"));
	assert_non_null(strstr(all->body, "queue.delete"));
}

static void a_long_value_is_told_by_its_hash(void **state)
{
	(void)state;
	static char body[6000];
	int len =
		snprintf(body, sizeof(body), "{\"template\":\"<p>%0*d</p><!--waitingroom-->\"}", 4000, 7);
	assert_in_range(len, 4000, sizeof(body) - 1);
	change("PUT", "/admin/v1/queues/acme/long", body, 201);
	cJSON *page = read_page(API_ADMIN_KEY, 0, "?queue=acme/long");
	const cJSON *entry = cJSON_GetArrayItem(member(page, "entries"), 0);
	const cJSON *told = member(member(entry, "after"), "template");
	assert_int_equal(strlen(text_of(told, "sha256")), 64);
	assert_in_range(member(told, "bytes")->valueint, 4000, 4200);
	cJSON_Delete(page);
}

static int audit_events(void)
{
	int count = 0;
	event_stream_read(stream);
	for (size_t i = 0; i < stream->count; i++)
		count += strcmp(stream->events[i].subject, "wr.system.audit") == 0;
	return count;
}

/* Last: all that the others have done. */
static void every_entry_is_told_to_the_broker_once(void **state)
{
	(void)state;
	static char ids[ENTRIES_MAX][17];
	int count = 0;
	cJSON *page = read_page(API_ADMIN_KEY, 0, "?limit=500");
	collect(page, ids, &count);
	WAIT_UNTIL(15000, audit_events() >= count, "the relay has told everything");
	assert_int_equal(audit_events(), count);
	int found = 0;
	for (size_t i = 0; i < stream->count; i++) {
		const struct stored_event *event = &stream->events[i];
		if (strcmp(event->subject, "wr.system.audit") != 0)
			continue;
		expect_cloudevent(event->body, strlen(event->body));
		assert_null(strstr(event->body, "s3cret"));
		assert_null(strstr(event->body, "\"mac\""));
		cJSON *document = cJSON_Parse(event->body);
		const char *id = text_of(member(document, "data"), "id");
		const cJSON *entry;
		cJSON_ArrayForEach(entry, member(page, "entries")) if (!strcmp(text_of(entry, "id"), id))
		{
			assert_true(cJSON_Compare(entry, member(document, "data"), true));
			found++;
		}
		cJSON_Delete(document);
	}
	assert_int_equal(found, count);
	cJSON_Delete(page);
	assert_int_equal(api_store_number(stack, "XLEN wr:{system/admin}:outbox"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_change_of_a_queue_is_written_down_with_what_was_before),
		cmocka_unit_test(people_who_are_let_in_or_put_out_are_written_down),
		cmocka_unit_test(tenants_and_keys_are_written_down),
		cmocka_unit_test(what_a_file_declares_is_written_down_as_nobodys),
		cmocka_unit_test(the_audit_of_a_deleted_queue_is_still_found),
		cmocka_unit_test(pages_give_every_entry_once_newest_first),
		cmocka_unit_test(a_tenants_key_reads_its_own_entries_only),
		cmocka_unit_test(what_is_wrong_with_a_query_is_named),
		cmocka_unit_test(secrets_are_named_and_never_told),
		cmocka_unit_test(a_long_value_is_told_by_its_hash),
		cmocka_unit_test(every_entry_is_told_to_the_broker_once),
	};
	return cmocka_run_group_tests_name("api_admin_audit", tests, open_room, close_room);
}
