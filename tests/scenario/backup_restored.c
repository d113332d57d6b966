/* Everything is lost, store and broker, and comes back from a backup: the same settings in the same
 * version, keys, audit trail and events. Visitors who still hold their tokens get their places back
 * in order. A backup that was interrupted or has been damaged does no harm.
 */
#include "support/api.h"
#include "support/backup.h"
#include "support/cmocka.h"
#include "support/events.h"
#include "support/people.h"
#include "support/process.h"
#include "support/redis.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEMO "default/demo"
#define PEOPLE 5
#define POLL_MAX_MS 800
#define SETTINGS                                                                                   \
	"\"rate_per_minute\":600,\"burst\":1,\"capacity\":100,\"poll_min_ms\":200,"                    \
	"\"poll_max_ms\":800,\"absent_after_ms\":20000,\"first_heartbeat_ms\":15000"
#define ENTRY_KEY                                                                                  \
	"\"entry\":\"signed\",\"entry_keys\":[{\"kid\":\"shop\",\"alg\":\"HS256\","                    \
	"\"key\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]"

static const char *const env[] = {"WR_REAP_INTERVAL_MS=100", "WR_WORKERS=1", NO_RATE_LIMITS, NULL};

static struct stack *start(void)
{
	return stack_start(&(struct stack_options){
		.pods = 1,
		.admitters = 1,
		.queues = QUEUES(QUEUE("demo", HELD "," SETTINGS) "," QUEUE("vip", HELD "," ENTRY_KEY)),
		.admin_keys = API_ADMIN_KEYS_FILE,
		.env = env});
}

static void change_rate(struct stack *stack, int rate)
{
	char body[400];
	snprintf(body, sizeof(body), "{" HELD ",\"message\":\"Grüße \\\"∞\\\"\"," SETTINGS "}");
	char *at = strstr(body, "600");
	memcpy(at, (char[]){(char)('0' + rate / 100), '0', '0'}, 3);
	WR_AUTO(http_answer_free_at)
	struct http_answer *answer = api_admin(stack, 0, "PUT", "/" DEMO, body);
	api_expect_status(answer, 200);
}

/* What a later version may keep there, with bytes that are no text. */
static void plant_keys(struct stack *stack)
{
	struct redis_client *client = redis_client_new(stack->redis);
	redis_number(client, "HSET wr:{system/admin}:keys k1 %s k2 %b", "{\"role\":\"admin\"}",
				 "\xff\0\x80", (size_t)3);
	redis_number(client, "HSET wr:{system/admin}:tenants shop {\"title\":\"Shop\"}");
	for (int i = 1; i <= 1500; i++)
		freeReplyObject(redis_run(client, "XADD wr:{system/admin}:audit * a %d b %s", i, ""));
	freeReplyObject(redis_run(client, "XADD wr:{" DEMO "}:audit * e {\"action\":\"pause\"}"));
	redis_client_free(client);
}

/* Nothing that people have decided may be forgotten when a later version keeps more. */
static void expect_known_keys(struct stack *stack)
{
	static const char *const known[] = {
		"keys",		 "tenants", "audit",  "audited",							/* saved */
		"keys_used", "pods",	"outbox", "epoch",	 "fence", "clock", "counts" /* of the moment */
	};
	struct redis_client *client = redis_client_new(stack->redis);
	redisReply *keys = redis_run(client, "KEYS wr:{system/admin}:*");
	assert_true(keys->elements >= 3);
	for (size_t i = 0; i < keys->elements; i++) {
		const char *name = keys->element[i]->str + strlen("wr:{system/admin}:");
		bool is_known = strncmp(name, "lease:", 6) == 0 ||
						strncmp(name, "queues:", 7) == 0; /* made with the queues */
		for (size_t k = 0; k < COUNT(known); k++)
			is_known = is_known || strcmp(name, known[k]) == 0;
		if (!is_known)
			fail_msg("%s is neither saved nor of the moment: see cmd/wrbackup/store_part.c",
					 keys->element[i]->str);
	}
	freeReplyObject(keys);
	redis_client_free(client);
}

#define GONE "default/gone"

static void delete_a_queue(struct stack *stack)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *made = api_admin(stack, 0, "PUT", "/" GONE, "{" HELD "}");
	api_expect_status(made, 201);
	WR_AUTO(http_answer_free_at)
	struct http_answer *deleted = api_admin(stack, 0, "DELETE", "/" GONE, NULL);
	api_expect_status(deleted, 204);
	WAIT_UNTIL(10000, api_store_number(stack, "SISMEMBER wr:queues " GONE) == 0,
			   "nothing is left of the queue but its audit");
}

/* As before the loss: found, and forgotten when its time has come. */
static void expect_audit_of_deleted_queue(struct stack *stack, const char *key)
{
	static const int64_t year_s = 365 * 86400;
	WR_AUTO(http_answer_free_at)
	struct http_answer *audit =
		api_admin_as(stack, 0, key, "GET", "/admin/v1/audit?queue=" GONE, NULL);
	api_expect_status(audit, 200);
	assert_non_null(strstr(audit->body, "queue.delete"));
	WR_AUTO(http_answer_free_at)
	struct http_answer *all =
		api_admin_as(stack, 0, key, "GET", "/admin/v1/audit?action=queue.delete", NULL);
	assert_non_null(strstr(all->body, GONE));
	assert_in_range(api_store_number(stack, "TTL wr:{" GONE "}:audit"), year_s, 2 * year_s);
	assert_int_equal(api_store_number(stack, "TTL wr:{" DEMO "}:audit"), -1);
}

static void stop_programs(struct stack *stack)
{
	process_stop(stack_admitter(stack, 0), 10000);
	process_stop(stack_pod(stack, 0), 10000);
}

static void lose_everything(struct stack *stack)
{
	redis_restart(stack->redis); /* it keeps nothing */
	backup_lose_streams(stack);
	assert_int_equal(api_store_number(stack, "DBSIZE"), 0);
}

/* Through the API, with a key that was in the backup. */
static void expect_decisions(struct stack *stack, const char *key)
{
	WR_AUTO(http_answer_free_at)
	struct http_answer *queue = api_admin_as(stack, 0, key, "GET", "/admin/v1/queues/" DEMO, NULL);
	api_expect_status(queue, 200);
	assert_non_null(strstr(queue->body, "\"rate_per_minute\":500"));
	assert_non_null(strstr(queue->head, "ETag: \"3\""));
	WR_AUTO(http_answer_free_at)
	struct http_answer *tenant = api_admin_as(stack, 0, key, "GET", "/admin/v1/tenants/shop", NULL);
	api_expect_status(tenant, 200);
	WR_AUTO(http_answer_free_at)
	struct http_answer *audit =
		api_admin_as(stack, 0, key, "GET", "/admin/v1/audit?queue=" DEMO, NULL);
	api_expect_status(audit, 200);
	assert_non_null(strstr(audit->body, "queue."));
}

static void a_waiting_room_that_lost_everything_comes_back_from_its_backup(void **state)
{
	(void)state;
	struct stack *stack = start();
	struct people *people = people_join(stack, DEMO, PEOPLE);
	change_rate(stack, 300);
	change_rate(stack, 500);
	api_make_tenant(stack, "shop");
	WR_AUTO(mem_free_at) char *key = api_make_key(stack, "admin", "*", NULL);
	delete_a_queue(stack);
	expect_known_keys(stack);
	events_await_drained(stack, DEMO, 10000); /* then both streams are there */
	backup_plant_messages(stack);
	events_await_drained(stack, DEMO, 10000);
	stop_programs(stack);
	WR_AUTO(mem_free_at) char *folder = temp_path("backups");
	backup_expect(stack, 0, "save", "--to", folder, NULL);
	WR_AUTO(mem_free_at) char *store_before = backup_describe_store(stack);
	WR_AUTO(mem_free_at) char *streams_before = backup_describe_streams(stack);
	assert_non_null(strstr(store_before, "version=3"));
	assert_non_null(strstr(streams_before, "WAITINGROOM_DLQ 1 $JS.EVENT"));

	lose_everything(stack);
	backup_expect(stack, 0, "restore", "--from", folder, NULL);
	WR_AUTO(mem_free_at) char *store_after = backup_describe_store(stack);
	WR_AUTO(mem_free_at) char *streams_after = backup_describe_streams(stack);
	assert_string_equal(store_after, store_before);
	assert_string_equal(streams_after, streams_before);

	/* once more: nothing changes */
	backup_expect(stack, 0, "restore", "--from", folder, NULL);
	WR_AUTO(mem_free_at) char *store_again = backup_describe_store(stack);
	WR_AUTO(mem_free_at) char *streams_again = backup_describe_streams(stack);
	assert_string_equal(store_again, store_before);
	assert_string_equal(streams_again, streams_before);

	/* Nobody was there to hear them within the time that they have to report: it counts from when
	 * somebody is. */
	int64_t until_ms = api_store_number(stack, "HGET wr:{" DEMO "}:counts recover_until");
	WAIT_UNTIL(10000, clock_wall().ms > until_ms, "the recovery would be over");
	stack_restart_admitter(stack, 0);
	stack_restart_pod(stack, 0);
	WAIT_UNTIL(5000, people_poll(people, 0, 0).waiting == PEOPLE, "their tokens are still good");
	for (size_t i = 0; i < PEOPLE; i++)
		WAIT_UNTIL(10000,
				   people_poll(people, i, 1).waiting == 1 &&
					   people->all[i].position == (int64_t)i + 1,
				   "the place that they had");
	expect_audit_of_deleted_queue(stack, key);
	expect_decisions(stack, key);
	people_free(people);
	stack_free(stack);
}

static void what_has_changed_since_is_only_replaced_when_asked_for(void **state)
{
	(void)state;
	struct stack *stack = start();
	WR_AUTO(mem_free_at) char *folder = temp_path("older");
	plant_keys(stack);
	events_await_drained(stack, DEMO, 10000);
	backup_expect(stack, 0, "save", "--to", folder, NULL);
	change_rate(stack, 900);
	api_store_number(stack, "HSET wr:{system/admin}:keys k1 other");
	api_store_number(stack, "HDEL wr:{system/admin}:keys k2");
	api_store_number(stack, "XTRIM wr:{system/admin}:audit MAXLEN 1499");
#define RATE "HGET wr:{" DEMO "}:settings rate_per_minute"
#define KEYS "HLEN wr:{system/admin}:keys"
	backup_expect(stack, 1, "restore", "--from", folder, NULL);
	assert_int_equal(api_store_number(stack, RATE), 900);
	assert_int_equal(api_store_number(stack, KEYS), 1);
	backup_expect(stack, 0, "restore", "--from", folder, "--replace", "--dry-run", NULL);
	assert_int_equal(api_store_number(stack, RATE), 900);

	backup_expect(stack, 0, "restore", "--from", folder, "--keep", NULL);
	assert_int_equal(api_store_number(stack, RATE), 900);
	assert_int_equal(api_store_number(stack, KEYS), 2);
	assert_int_equal(api_store_number(stack, "HSTRLEN wr:{system/admin}:keys k1"), 5);
	assert_int_equal(api_store_number(stack, "XLEN wr:{system/admin}:audit"), 1500);

	backup_expect(stack, 0, "restore", "--from", folder, "--replace", NULL);
	assert_int_equal(api_store_number(stack, RATE), 600);
	assert_int_equal(api_store_number(stack, "HSTRLEN wr:{system/admin}:keys k1"), 16);
	stack_free(stack);
}

static bool has_file(const char *folder, const char *name)
{
	char path[300];
	print_into(path, "%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

static void an_interrupted_backup_leaves_the_one_before_it(void **state)
{
	(void)state;
	struct stack *stack = start();
	WR_AUTO(mem_free_at) char *folder = temp_path("interrupted");
	backup_expect(stack, 0, "save", "--to", folder, NULL);
	WR_AUTO(mem_free_at) char *first = backup_newest(folder);
	events_await_drained(stack, DEMO, 10000);
	backup_plant_many(stack, 20000);
	bool was_cut = false;
	for (int i = 0; i < 20 && !was_cut; i++) {
		struct process *saving = backup_start(stack, "save", "--to", folder, NULL);
		WAIT_UNTIL(10000,
				   has_file(folder, ".unfinished/WAITINGROOM.jsonl") || !process_is_running(saving),
				   "it has begun");
		process_kill(saving);
		process_free(saving);
		was_cut = has_file(folder, ".unfinished");
	}
	assert_true(was_cut);
	WR_AUTO(mem_free_at) char *still = backup_newest(folder);
	assert_string_equal(still, first);
	backup_expect(stack, 0, "verify", folder, NULL);
	backup_expect(stack, 0, "save", "--to", folder, "--keep", "1", NULL);
	assert_false(has_file(folder, ".unfinished"));
	WR_AUTO(mem_free_at) char *last = backup_newest(folder);
	assert_string_not_equal(last, first);
	assert_int_not_equal(access(first, F_OK), 0); /* --keep 1 */
	struct stat status;
	assert_int_equal(stat(last, &status), 0);
	assert_int_equal(status.st_mode & 077, 0);
	stack_free(stack);
}

static void a_damaged_backup_is_refused_by_the_name_of_the_file(void **state)
{
	(void)state;
	struct stack *stack = start();
	events_await_drained(stack, DEMO, 10000);
	stop_programs(stack);
	static const struct {
		const char *file;
		enum backup_damage damage;
	} cases[] = {
		{"store.jsonl", BACKUP_FLIP},	  {"WAITINGROOM.jsonl", BACKUP_CUT},
		{"store.jsonl", BACKUP_REMOVE},	  {"manifest.json", BACKUP_CUT},
		{"manifest.json", BACKUP_REMOVE},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		WR_AUTO(mem_free_at) char *folder = temp_path("damaged-%zu", i);
		backup_expect(stack, 0, "save", "--to", folder, NULL);
		WR_AUTO(mem_free_at) char *path = backup_newest(folder);
		backup_damage(path, cases[i].file, cases[i].damage);
		WR_AUTO(mem_free_at) char *said = backup_expect_said(stack, 4, "verify", path, NULL);
		assert_non_null(strstr(said, cases[i].file));
		int64_t keys = api_store_number(stack, "DBSIZE");
		backup_expect(stack, 4, "restore", "--from", path, "--replace", NULL);
		assert_int_equal(api_store_number(stack, "DBSIZE"), keys);
	}
	stack_free(stack);
}

static int backups_in(const char *folder)
{
	DIR *entries = opendir(folder);
	int count = 0;
	for (struct dirent *entry; entries && (entry = readdir(entries));)
		count += strncmp(entry->d_name, "waitingroom-", 12) == 0;
	if (entries)
		closedir(entries);
	return count;
}

static void a_server_that_is_away_is_named_and_nothing_is_left(void **state)
{
	(void)state;
	struct stack *stack = start();
	WR_AUTO(mem_free_at) char *folder = temp_path("away");
	WR_AUTO(mem_free_at) char *metrics = temp_path("backup.prom");
	nats_stop(stack->nats);
	WR_AUTO(mem_free_at) char *said = backup_expect_said(stack, 3, "save", "--to", folder, NULL);
	assert_non_null(strstr(said, "WR_NATS_URL"));
	assert_int_equal(backups_in(folder), 0);

	/* One half is better than none, and the other can be added later. */
	backup_expect(stack, 0, "save", "--to", folder, "--only", "store", "--metrics", metrics, NULL);
	assert_int_equal(backups_in(folder), 1);
	WR_AUTO(mem_free_at) char *page = temp_read(metrics, NULL);
	assert_non_null(page);
	assert_non_null(strstr(page, "# TYPE wr_backup_size_bytes gauge\n"));
	assert_non_null(strstr(page, "\nwr_backup_last_success_timestamp_seconds 1"));
	redis_stop(stack->redis);
	WR_AUTO(mem_free_at)
	char *store = backup_expect_said(stack, 3, "save", "--to", folder, "--only", "store", NULL);
	assert_non_null(strstr(store, "WR_STORE_URL"));
	assert_int_equal(backups_in(folder), 1);

	backup_expect(stack, 2, "save", NULL);
	backup_expect(stack, 2, "restore", "--from", folder, "--keep", "--replace", NULL);
	backup_expect(stack, 2, "save", "--to", folder, "--keep", "0", NULL);
	backup_expect(stack, 1, "restore", "--from", metrics, NULL); /* no folder at all */
	redis_restart(stack->redis);
	nats_restart(stack->nats);
	stack_free(stack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_waiting_room_that_lost_everything_comes_back_from_its_backup),
		cmocka_unit_test(what_has_changed_since_is_only_replaced_when_asked_for),
		cmocka_unit_test(an_interrupted_backup_leaves_the_one_before_it),
		cmocka_unit_test(a_damaged_backup_is_refused_by_the_name_of_the_file),
		cmocka_unit_test(a_server_that_is_away_is_named_and_nothing_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
