/* The store fails in every way that Redis can: killed, paused, forgetful, full, locked, loading,
 * demoted, not there. Each call must end once, as what it is, and the client must come back. */
#include "support/cmocka.h"
#include "support/process.h"
#include "support/servers.h"
#include "support/store_ask.h"
#include "support/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct queue_name demo = {"default", "demo"};

#define READY_MS 10000
#define TIMEOUT_MS 200 /* of the clients whose patience is tested */

/* Turns the loop of 'ask' until the condition holds. */
#define TURN_UNTIL(ask, condition, what)                                                           \
	do {                                                                                           \
		struct mono_time end_ = wait_deadline(READY_MS);                                           \
		while (!(condition)) {                                                                     \
			if (!wait_left_ms(end_))                                                               \
				fail_msg("not within %d ms: %s", READY_MS, what);                                  \
			loop_turn((ask)->loop, 5);                                                             \
		}                                                                                          \
	} while (0)

/* ---- helpers ---- */

static struct store_options impatient(void)
{
	struct store_options options;
	store_options_default(&options);
	options.timeout_ms = TIMEOUT_MS;
	return options;
}

static struct store_counts counts_of(const struct ask *ask)
{
	struct store_counts counts;
	store_counts(ask->store, &counts);
	return counts;
}

static void await_ready(struct ask *ask)
{
	TURN_UNTIL(ask, store_is_ready(ask->store), "the client is ready");
}

static void put_queue(struct ask *ask)
{
	struct queue_settings settings;
	queue_settings_default(&settings);
	settings.state = QUEUE_HOLD;
	assert_int_equal(ask_put(ask, &demo, &settings, UINT64_MAX, NULL)->err, WR_OK);
}

static enum wr_err join_number(struct ask *ask, int number)
{
	char id[POSITION_ID_CHARS + 1];
	snprintf(id, sizeof(id), "person%010u", (unsigned)number % 100000);
	struct join person = {.position_id = id, .lane = "main"};
	return ask_join(ask, &demo, &person, 1)->err;
}

static uint64_t tickets_given(struct ask *ask)
{
	const struct ask_queue *answer = ask_sync(ask, &demo, "", 0, 10);
	assert_int_equal(answer->err, WR_OK);
	return answer->synced.lanes[0].ticket;
}

/* Counts answers, and holds that none comes from inside the call that asks. */
struct tally {
	bool inside;
	int asked, answered, failed;
};

static void on_tallied(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	(void)text, (void)len, (void)number;
	struct tally *tally = ctx;
	assert_false(tally->inside);
	tally->answered++;
	tally->failed += err != WR_OK;
}

static void ask_some(struct ask *ask, struct tally *tally, int count)
{
	const char *argv[] = {"ECHO", "first"};
	tally->inside = true;
	for (int i = 0; i < count; i++)
		store_raw(ask->store, 2, argv, NULL, on_tallied, tally);
	tally->inside = false;
	tally->asked += count;
}

/* ---- killed, paused, forgetful ---- */

static void a_killed_store_fails_its_calls_and_is_found_again(void **state)
{
	(void)state;
	struct redis_server *redis = redis_start(&(struct redis_options){.append_only = true});
	struct ask *ask = ask_open(redis_url(redis), NULL);
	put_queue(ask);
	assert_int_equal(join_number(ask, 1), WR_OK);
	char life[64];
	snprintf(life, sizeof(life), "%s", store_life(ask->store));

	struct tally tally = {0};
	redis_pause(redis);
	ask_some(ask, &tally, 10);
	loop_turn(ask->loop, 0);
	redis_kill(redis);
	TURN_UNTIL(ask, tally.answered == 10, "all calls under way have failed");
	assert_int_equal(tally.failed, 10);
	assert_false(store_is_ready(ask->store));
	assert_int_equal(join_number(ask, 2), WR_STORE_AWAY);

	redis_restart(redis);
	await_ready(ask);
	assert_int_equal(join_number(ask, 3), WR_OK);
	assert_int_equal(tickets_given(ask), 2);
	assert_string_not_equal(store_life(ask->store), life);
	assert_int_equal(counts_of(ask).reconnects, 1);
	assert_int_equal(counts_of(ask).in_flight, 0);
	ask_close(ask);
	redis_free(redis);
}

static void no_late_reply_is_taken_for_the_answer_to_a_newer_call(void **state)
{
	(void)state;
	struct redis_server *redis = redis_start(NULL);
	struct store_options options = impatient();
	struct ask *ask = ask_open(redis_url(redis), &options);
	struct tally tally = {0};
	redis_pause(redis);
	ask_some(ask, &tally, 3);
	TURN_UNTIL(ask, tally.answered == 3, "the calls ran into their time-out");
	assert_int_equal(tally.failed, 3);
	assert_int_equal(counts_of(ask).timeouts, 1);
	const struct timings_sum waits = counts_of(ask).answers;
	uint64_t long_ones = 0; /* those that nobody answered are seen as well */
	for (unsigned i = timings_bucket(TIMEOUT_MS * 1000); i <= TIMINGS_BOUNDS; i++)
		long_ones += waits.count[i];
	assert_int_equal(long_ones, 3);
	assert_false(store_is_ready(ask->store));
	redis_continue(redis);
	await_ready(ask);
	const struct ask_raw *answer = ask_do(ask, "ECHO second");
	assert_int_equal(answer->err, WR_OK);
	assert_string_equal(answer->text, "second");
	assert_int_equal(tally.answered, 3);
	ask_close(ask);
	redis_free(redis);
}

struct flushing {
	struct ask *ask;
	int next, last, under_way, joined, failed;
};

static void on_flush_joined(void *ctx, enum wr_err err, const char *epoch, int64_t now_ms,
							const struct joined *people, size_t count)
{
	(void)epoch, (void)now_ms;
	struct flushing *load = ctx;
	load->under_way--;
	load->failed += err != WR_OK;
	for (size_t i = 0; i < count; i++)
		load->joined += people[i].code == JOIN_NEW;
}

static void join_next(struct flushing *load)
{
	static char ids[8][POSITION_ID_CHARS + 1];
	struct join people[8];
	for (int i = 0; i < 8; i++) {
		snprintf(ids[i], sizeof(ids[i]), "person%010u", (unsigned)load->next++ % 100000);
		people[i] = (struct join){.position_id = ids[i], .lane = "main"};
	}
	load->under_way++;
	store_enqueue(load->ask->store, &demo, 1000000, "", NULL, 0, people, 8, on_flush_joined, load);
}

static void forgotten_scripts_cost_nobody_anything(void **state)
{
	(void)state;
	struct redis_server *redis = redis_start(NULL);
	struct ask *ask = ask_open(redis_url(redis), NULL);
	put_queue(ask);
	struct flushing load = {.ask = ask, .last = 4000};
	int flushes = 0;
	while (load.next < load.last || load.under_way > 0) {
		while (load.next < load.last && load.under_way < 4)
			join_next(&load);
		if (load.next / 200 > flushes) {
			free(redis_do(redis, "SCRIPT FLUSH"));
			flushes++;
		}
		loop_turn(ask->loop, 10);
	}
	assert_true(flushes >= 10);
	assert_int_equal(load.failed, 0);
	assert_int_equal(load.joined, 4000);
	assert_int_equal(tickets_given(ask), 4000);
	assert_int_equal(ask_do(ask, "LLEN wr:{default/demo}:waiting:main")->number, 4000);
	assert_int_equal(counts_of(ask).reconnects, 0);
	ask_close(ask);
	redis_free(redis);
}

/* ---- not there, locked, loading, full ---- */

static void a_store_that_is_not_there_fails_calls_in_the_next_turn(void **state)
{
	(void)state;
	struct redis_server *redis = redis_start(NULL);
	redis_kill(redis);
	struct ask *ask = ask_open_later(redis_url(redis), NULL);
	assert_string_equal(store_life(ask->store), "");
	struct tally tally = {0};
	ask_some(ask, &tally, 2);
	assert_int_equal(tally.answered, 0);
	struct mono_time before = clock_mono();
	loop_turn(ask->loop, -1);
	assert_int_equal(tally.answered, 2);
	assert_int_equal(tally.failed, 2);
	assert_in_range(mono_diff_ms(before, clock_mono()), 0, 500);
	assert_false(store_wait_ready(ask->store, 150));
	assert_true(counts_of(ask).refusals >= 1);
	redis_restart(redis);
	await_ready(ask);
	assert_string_equal(ask_do(ask, "ECHO here")->text, "here");
	assert_int_equal(counts_of(ask).reconnects, 0);
	ask_close(ask);
	redis_free(redis);
}

static void freeing_a_client_fails_what_is_under_way(void **state)
{
	(void)state;
	struct redis_server *redis = redis_start(NULL);
	struct ask *ask = ask_open(redis_url(redis), NULL);
	struct tally tally = {0};
	redis_pause(redis);
	ask_some(ask, &tally, 5);
	store_free(ask->store);
	ask->store = NULL;
	assert_int_equal(tally.answered, 5);
	assert_int_equal(tally.failed, 5);
	ask_close(ask);
	redis_free(redis);
}

static void a_wrong_password_is_refused_until_it_is_right(void **state)
{
	(void)state;
	struct redis_server *redis = redis_start(&(struct redis_options){.tcp = true});
	free(redis_do(redis, "ACL SETUSER app on >right +@all ~*"));
	char url[128];
	snprintf(url, sizeof(url), "redis://app:wrong@127.0.0.1:%d", redis_port(redis));
	struct ask *ask = ask_open_later(url, NULL);
	TURN_UNTIL(ask, counts_of(ask).refusals >= 2, "the server has refused it twice");
	assert_false(store_is_ready(ask->store));
	free(redis_do(redis, "ACL SETUSER app >wrong"));
	await_ready(ask);
	assert_string_equal(ask_do(ask, "ACL WHOAMI")->text, "app");
	ask_close(ask);
	redis_free(redis);
}

static void the_database_of_the_url_is_used(void **state)
{
	(void)state;
	struct redis_server *redis = redis_start(NULL);
	char url[256];
	snprintf(url, sizeof(url), "%s?db=3", redis_url(redis));
	struct ask *ask = ask_open(url, NULL), *other = ask_open(redis_url(redis), NULL);
	ask_do(ask, "SET here 1");
	assert_int_equal(ask_do(other, "EXISTS here")->number, 0);
	assert_int_equal(ask_do(ask, "EXISTS here")->number, 1);
	ask_close(other);
	ask_close(ask);
	redis_free(redis);
}

static void on_reloaded(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	(void)len, (void)number;
	if (err)
		fail_msg("reloading: %s", text ? text : "no answer");
	*(bool *)ctx = true;
}

/* DEBUG RELOAD saves and loads all data, answering LOADING to everybody else meanwhile. */
static void a_store_that_is_loading_is_not_ready(void **state)
{
	(void)state;
	static const char *const slow[] = {"--enable-debug-command",
									   "yes",
									   "--key-load-delay",
									   "1000",
									   "--loading-process-events-interval-bytes",
									   "1024",
									   NULL};
	struct redis_server *redis = redis_start(&(struct redis_options){.extra = slow});
	struct ask *ask = ask_open(redis_url(redis), NULL);
	for (int i = 0; i < 400; i++)
		ask_do(ask, "SET key:%d %0500d", i, i);

	struct store_options patient;
	store_options_default(&patient);
	patient.timeout_ms = 60000;
	struct store *operator= store_new(ask->loop, ask->address, &patient);
	TURN_UNTIL(ask, store_is_ready(operator), "the operator is connected");
	bool reloaded = false;
	const char *argv[] = {"DEBUG", "RELOAD"};
	store_raw(operator, 2, argv, NULL, on_reloaded, &reloaded);
	loop_turn(ask->loop, 0); /* it is sent */
	loop_turn(ask->loop, 0);

	/* The first call finds out, at once or at its time-out; then nobody gets through. */
	uint64_t refusals = counts_of(ask).refusals;
	TURN_UNTIL(ask, ask_do(ask, "EXISTS key:1")->err == WR_STORE_AWAY, "a call is refused");
	TURN_UNTIL(ask, counts_of(ask).refusals > refusals || reloaded, "a greeting is refused");
	assert_false(reloaded);
	assert_false(store_is_ready(ask->store));
	TURN_UNTIL(ask, reloaded, "all data is there again");
	await_ready(ask);
	assert_int_equal(ask_do(ask, "DBSIZE")->number, 400);
	store_free(operator);
	ask_close(ask);
	redis_free(redis);
}

static void a_full_store_refuses_joins_and_writes_nothing_in_part(void **state)
{
	(void)state;
	struct redis_server *redis = redis_start(NULL);
	struct ask *ask = ask_open(redis_url(redis), NULL);
	put_queue(ask);
	assert_int_equal(join_number(ask, 1), WR_OK);
	int64_t entries = ask_do(ask, "XLEN wr:{default/demo}:outbox")->number;
	ask_do(ask, "CONFIG SET maxmemory 1");
	assert_int_equal(join_number(ask, 2), WR_STORE_AWAY);
	assert_true(store_is_ready(ask->store)); /* reading still works */
	assert_int_equal(tickets_given(ask), 1);
	assert_int_equal(ask_do(ask, "XLEN wr:{default/demo}:outbox")->number, entries);
	assert_int_equal(ask_do(ask, "EXISTS wr:{default/demo}:position:person0000000002")->number, 0);
	ask_do(ask, "CONFIG SET maxmemory 0");
	assert_int_equal(join_number(ask, 2), WR_OK);
	ask_close(ask);
	redis_free(redis);
}

/* ---- replicas ---- */

static struct redis_server *start_replica(const struct redis_server *primary)
{
	static char port[8];
	static const char *const extra[] = {"--replicaof", "127.0.0.1", port, NULL};
	snprintf(port, sizeof(port), "%d", redis_port(primary));
	return redis_start(&(struct redis_options){.tcp = true, .extra = extra});
}

static bool reply_has(struct redis_server *redis, const char *command, const char *text)
{
	char *reply = redis_do(redis, command);
	bool has = reply && strstr(reply, text);
	free(reply);
	return has;
}

static void a_place_is_confirmed_only_when_a_replica_has_it(void **state)
{
	(void)state;
	static const char *const at_once[] = {"--repl-diskless-sync-delay", "0", NULL};
	struct redis_server *primary =
		redis_start(&(struct redis_options){.tcp = true, .extra = at_once});
	struct redis_server *replica = start_replica(primary);
	WAIT_UNTIL(READY_MS, reply_has(replica, "INFO replication", "master_link_status:up"),
			   "the replica follows");
	WAIT_UNTIL(READY_MS, reply_has(primary, "INFO replication", "state=online"),
			   "the primary counts it");
	struct store_options options;
	store_options_default(&options);
	options.timeout_ms = 5000;
	options.wait_replicas = 1;
	options.wait_timeout_ms = 1000;
	struct ask *ask = ask_open(redis_url(primary), &options);
	put_queue(ask);
	assert_int_equal(join_number(ask, 1), WR_OK);
	assert_true(reply_has(replica, "EXISTS wr:{default/demo}:position:person0000000001", ":1"));
	redis_pause(replica);
	options.wait_timeout_ms = 50;
	struct ask *hasty = ask_open(redis_url(primary), &options);
	assert_int_equal(join_number(hasty, 2), WR_STORE_AWAY);
	assert_true(store_is_ready(hasty->store));
	/* what needs no confirmation goes on; a repeated join is confirmed once the replica is back */
	store_id id = "person0000000002";
	assert_int_equal(ask_heartbeat(hasty, &demo, &id, 1)->err, WR_OK);
	assert_int_equal(ask_visit(hasty, &demo, false, &id, 1)->err, WR_OK);
	assert_int_equal(ask_visit(hasty, &demo, true, &id, 1)->err, WR_STORE_AWAY);
	redis_continue(replica);
	assert_int_equal(join_number(ask, 2), WR_OK);
	assert_int_equal(ask->people.joined[0].code, JOIN_SAME);
	/* forgotten scripts and replicas at the same time */
	ask_do(ask, "SCRIPT FLUSH");
	assert_int_equal(join_number(ask, 3), WR_OK);
	assert_int_equal(tickets_given(ask), 3);
	ask_close(hasty);
	ask_close(ask);
	redis_free(replica);
	redis_free(primary);
}

static void a_replica_is_not_the_store_until_it_is_promoted(void **state)
{
	(void)state;
	struct redis_server *primary = redis_start(&(struct redis_options){.tcp = true});
	struct redis_server *replica = start_replica(primary);
	struct ask *ask = ask_open_later(redis_tcp_url(replica), NULL);
	TURN_UNTIL(ask, counts_of(ask).refusals >= 2, "the replica was left twice");
	assert_false(store_is_ready(ask->store));
	redis_kill(primary);
	free(redis_do(replica, "REPLICAOF NO ONE"));
	await_ready(ask);
	put_queue(ask);
	ask_close(ask);
	redis_free(replica);
	redis_free(primary);
}

static void a_demoted_primary_is_left_at_the_first_refused_write(void **state)
{
	(void)state;
	struct redis_server *redis = redis_start(NULL);
	struct ask *ask = ask_open(redis_url(redis), NULL);
	put_queue(ask);
	char command[64];
	snprintf(command, sizeof(command), "REPLICAOF 127.0.0.1 %d", free_port());
	free(redis_do(redis, command));
	assert_int_equal(join_number(ask, 1), WR_STORE_AWAY);
	assert_false(store_is_ready(ask->store));
	free(redis_do(redis, "REPLICAOF NO ONE"));
	await_ready(ask);
	assert_int_equal(join_number(ask, 1), WR_OK);
	assert_int_equal(ask->people.joined[0].ticket, 1);
	ask_close(ask);
	redis_free(redis);
}

static void the_outbox_is_away_and_comes_back_with_the_store(void **state)
{
	(void)state;
	struct redis_server *redis = redis_start(&(struct redis_options){.append_only = true});
	struct ask *ask = ask_open(redis_url(redis), NULL);
	put_queue(ask);
	struct store_outbox *outbox = store_outbox_new(ask->address, "relay", 60000, 1000);
	struct outbox_source source = store_outbox_source(outbox);
	struct queue_name names[4];
	size_t count = 0;
	assert_int_equal(source.queues(source.ctx, names, 4, &count), WR_OK);
	redis_kill(redis);
	assert_int_equal(source.queues(source.ctx, names, 4, &count), WR_STORE_AWAY);
	struct outbox_batch batch = {0};
	assert_int_equal(source.read(source.ctx, &demo, "0", 10, &batch), WR_STORE_AWAY);
	redis_restart(redis);
	WAIT_UNTIL(READY_MS, source.read(source.ctx, &demo, "0", 10, &batch) == WR_OK,
			   "entries can be read again");
	assert_int_equal(batch.count, 1);
	outbox_batch_free(&batch);
	store_outbox_free(outbox);
	ask_close(ask);
	redis_free(redis);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_store_fails_its_calls_and_is_found_again),
		cmocka_unit_test(no_late_reply_is_taken_for_the_answer_to_a_newer_call),
		cmocka_unit_test(forgotten_scripts_cost_nobody_anything),
		cmocka_unit_test(a_store_that_is_not_there_fails_calls_in_the_next_turn),
		cmocka_unit_test(freeing_a_client_fails_what_is_under_way),
		cmocka_unit_test(a_wrong_password_is_refused_until_it_is_right),
		cmocka_unit_test(the_database_of_the_url_is_used),
		cmocka_unit_test(a_store_that_is_loading_is_not_ready),
		cmocka_unit_test(a_full_store_refuses_joins_and_writes_nothing_in_part),
		cmocka_unit_test(a_place_is_confirmed_only_when_a_replica_has_it),
		cmocka_unit_test(a_replica_is_not_the_store_until_it_is_promoted),
		cmocka_unit_test(a_demoted_primary_is_left_at_the_first_refused_write),
		cmocka_unit_test(the_outbox_is_away_and_comes_back_with_the_store),
	};
	return cmocka_run_group_tests_name("store_faults", tests, NULL, NULL);
}
