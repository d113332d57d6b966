/* The rules of the doctor: what is found in which facts, and how it is told. */
#include "waitingroom/health.h"

#include "support/cmocka.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <string.h>

#define NOW_MS INT64_C(1767225600000)

/* ---- a room where all is well ---- */

static struct config config;
static struct queue_settings settings;
static struct pod_row pods[4];
static struct health_queue queues[2];

static struct pod_row pod(const char *kind, const char *instance)
{
	struct pod_row row = {.seen_ms = NOW_MS - 1000,
						  .every_ms = 5000,
						  .ready = true,
						  .relay = true,
						  .nats = true,
						  .connections_max = 100};
	strcpy(row.kind, kind);
	strcpy(row.instance, instance);
	strcpy(row.version, "1.0.0");
	strcpy(row.keys, "k1");
	strcpy(row.settings, "s1");
	strcpy(row.address, "10.0.0.1:9090");
	return row;
}

static struct health_facts well(void)
{
	config = (struct config){.queues_max = 100,
							 .outbox_limit = 1000,
							 .secure_cookies = 1,
							 .sync_interval_ms = 250,
							 .stale_after_ms = 1000,
							 .admit_interval_ms = 100,
							 .deaf_after_ms = 5000,
							 .store_timeout_ms = 1000,
							 .store_wait_timeout_ms = 50};
	strcpy(config.trusted_proxies, "10.0.0.0/8");
	strcpy(config.store_url, "redis://:secret@store:6379");
	strcpy(config.log_level, "info");
	queue_settings_default(&settings);
	pods[0] = pod("api", "api-1");
	pods[1] = pod("api", "api-2");
	pods[2] = pod("admitter", "adm-1");
	pods[3] = pod("admitter", "adm-2");
	queues[0] = (struct health_queue){.name = {"default", "demo"},
									  .settings = &settings,
									  .state = QUEUE_OPEN,
									  .waiting = 5,
									  .tick_ms = 100,
									  .flush_ms = 100};
	queues[1] = queues[0];
	strcpy(queues[1].name.queue, "sale");
	return (struct health_facts){
		.now_ms = NOW_MS,
		.instance = "api-1",
		.config = &config,
		.store = {.reachable = true, .answer_us = 300, .role = "master", .policy = "noeviction"},
		.broker = {.here = true,
				   .connected = true,
				   .looked = true,
				   .stream_there = true,
				   .replicas = 1,
				   .replicas_current = 1,
				   .replicas_wanted = 1},
		.keys = {.position = 1, .session = 2},
		.pods = pods,
		.pod_count = 4,
		.queues = queues,
		.queue_count = 2,
		.queues_in_all = 2};
}

/* ---- asking ---- */

static const char *all(const struct health_report *report)
{
	static char text[16384];
	size_t len = 0;
	text[0] = '\0';
	for (size_t i = 0; i < report->count && len < sizeof(text) - 1024; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %s: %s %s\n",
								health_status_word(report->list[i].status), report->list[i].name,
								report->list[i].said, report->list[i].act);
	return text;
}

/* Exactly this is found besides what is well: "warn store" and a part of what is said. */
static void expect_only(const struct health_facts *facts, const char *status, const char *name,
						const char *said)
{
	struct health_report report;
	size_t found = 0;
	health_judge(facts, &report);
	for (size_t i = 0; i < report.count; i++) {
		const struct health_check *check = &report.list[i];
		if (check->status == HEALTH_OK)
			continue;
		if (strcmp(health_status_word(check->status), status) != 0 ||
			strcmp(check->name, name) != 0 || !strstr(check->said, said) || check->act[0] == '\0')
			fail_msg("expected only %s %s: %s, but there is\n%s", status, name, said, all(&report));
		found++;
	}
	if (found != 1)
		fail_msg("expected %s %s: %s once, but there is\n%s", status, name, said, all(&report));
	health_report_clear(&report);
}

static void expect_well(const struct health_facts *facts)
{
	struct health_report report;
	health_judge(facts, &report);
	if (health_worst(&report) != HEALTH_OK)
		fail_msg("all should be well, but there is\n%s", all(&report));
	health_report_clear(&report);
}

/* ---- rules ---- */

static void a_room_where_all_is_well_has_a_line_for_each_part(void **state)
{
	(void)state;
	static const char *const parts[] = {
		"store", "broker", "clock",	   "settings",	 "keys",
		"pods",	 "outbox", "admitter", "invariants", "queue:default/demo"};
	struct health_facts facts = well();
	struct health_report report;
	health_judge(&facts, &report);
	assert_int_equal(health_worst(&report), HEALTH_OK);
	for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
		bool found = false;
		for (size_t i = 0; i < report.count; i++)
			found |= strcmp(report.list[i].name, parts[k]) == 0 && report.list[i].act[0] == '\0';
		if (!found)
			fail_msg("nothing about %s in\n%s", parts[k], all(&report));
	}
	health_report_clear(&report);
}

static void the_store_is_judged_by_what_it_says(void **state)
{
	(void)state;
	struct health_facts facts = well();
	facts.store.answer_us = 100 * 1000;
	expect_well(&facts);
	facts.store.answer_us = 101 * 1000;
	expect_only(&facts, "warn", "store", "took 101 ms");
	facts = well();
	strcpy(facts.store.role, "slave");
	expect_only(&facts, "fail", "store", "The store is a slave.");
	facts = well();
	facts.store.refuses_tags = true;
	expect_only(&facts, "fail", "store", "refuses keys of a declared tag");
	facts = well();
	facts.store.max_bytes = 1000 << 20;
	facts.store.used_bytes = 800 << 20;
	expect_well(&facts);
	facts.store.used_bytes = 801 << 20;
	expect_only(&facts, "warn", "store", "801 of its 1000 MB");
	facts.store.used_bytes = 951 << 20;
	expect_only(&facts, "fail", "store", "951 of its 1000 MB");
	facts = well();
	facts.store.evicts = true;
	expect_only(&facts, "fail", "store", "may evict keys");
	facts = well();
	facts.store.saving_failed = true;
	expect_only(&facts, "fail", "store", "cannot save its data (snapshot)");
	facts = well();
	config.store_wait_replicas = 1;
	expect_only(&facts, "fail", "store", "has 0 replicas, and joins wait for 1");
}

static void the_broker_is_judged_by_all_relays(void **state)
{
	(void)state;
	struct health_facts facts = well();
	pods[1].nats = false;
	expect_only(&facts, "warn", "broker", "api-2 has no connection to NATS; 3 of 4");
	pods[2].nats = pods[3].nats = false;
	facts.broker.connected = false;
	expect_only(&facts, "fail", "broker", "None of 4 relays");
	facts = well();
	facts.broker.stream_there = false;
	expect_only(&facts, "fail", "broker", "WAITINGROOM is not there");
	facts = well();
	facts.broker.replicas = facts.broker.replicas_wanted = 3;
	expect_only(&facts, "warn", "broker", "Only 1 of 3 replicas");
	facts = well();
	facts.broker.malformed = 2;
	expect_only(&facts, "warn", "broker", "2 entries of the outbox");
	facts = well();
	facts.broker.here = false;
	for (size_t i = 0; i < 4; i++)
		pods[i].relay = false;
	expect_only(&facts, "fail", "broker", "No process that is alive moves events");
}

static void clocks_are_named_by_whose_they_are(void **state)
{
	(void)state;
	struct health_facts facts = well();
	facts.clock_offset_ms = -5000;
	expect_well(&facts);
	facts.clock_offset_ms = -5100;
	expect_only(&facts, "warn", "clock", "The clock of api-1 is 5.1 s ahead of the store's");
	facts = well();
	pods[3].clock_offset_ms = 61000;
	expect_only(&facts, "fail", "clock", "The clock of adm-2 is 61.0 s behind the store's");
}

static void silent_slow_and_full_processes_are_named(void **state)
{
	(void)state;
	struct health_facts facts = well();
	pods[1].seen_ms = NOW_MS - 15000;
	expect_well(&facts);
	pods[1].seen_ms = NOW_MS - 21000;
	expect_only(&facts, "warn", "pods", "api-2 (api at 10.0.0.1:9090) has said nothing for 21 s");
	facts = well();
	pods[1].ready = false;
	expect_only(&facts, "warn", "pods", "api-2 (api at 10.0.0.1:9090) is not ready");
	facts = well();
	pods[0].loop_ms = 251;
	expect_only(&facts, "warn", "pods", "A worker of api-1 was busy for 251 ms");
	facts = well();
	pods[0].connections = 81;
	expect_only(&facts, "warn", "pods", "api-1 has 81 of at most 100 connections");
	facts = well();
	pods[2].store_us = 150000;
	expect_only(&facts, "warn", "pods", "The store answers adm-1 in 150 ms");
	facts = well();
	pods[0].bugs = 3;
	expect_only(&facts, "warn", "pods", "bug of ours since it started: 3");
	facts = well();
	pods[0].places_lost = 1;
	expect_only(&facts, "fail", "invariants", "1 polls came with a good token");
}

static void processes_must_agree(void **state)
{
	(void)state;
	struct health_facts facts = well();
	strcpy(pods[1].keys, "k2");
	expect_only(&facts, "fail", "keys", "api-1 and api-2 have different token keys");
	pods[1].seen_ms = 0; /* what a dead one had does not matter */
	expect_only(&facts, "warn", "pods", "has said nothing");
	facts = well();
	strcpy(pods[1].settings, "s2");
	expect_only(&facts, "warn", "settings", "api-1 and api-2 run with different settings");
	facts = well();
	strcpy(pods[3].version, "1.1.0");
	expect_only(&facts, "warn", "pods", "api-1 runs version 1.0.0, adm-2 runs 1.1.0");
	facts = well();
	strcpy(pods[2].settings, "s2"); /* pods and admitters need not have the same */
	strcpy(pods[3].settings, "s2");
	strcpy(pods[2].keys, "");
	strcpy(pods[3].keys, "");
	expect_well(&facts);
}

static void somebody_must_let_people_in(void **state)
{
	(void)state;
	struct health_facts facts = well();
	facts.pod_count = 2;
	expect_only(&facts, "fail", "admitter", "No admitter is alive.");
	facts = well();
	queues[1].tick_ms = 10000;
	expect_well(&facts);
	queues[1].tick_ms = 11000;
	expect_only(&facts, "fail", "admitter",
				"none has tried to let people into default/sale for 11 s");
	facts = well();
	queues[0].stalled_ms = 30000;
	expect_only(&facts, "warn", "queue:default/demo", "nobody was let in for 30 s");
	queues[0].stalled_ms = 180000;
	expect_only(&facts, "fail", "queue:default/demo", "nobody was let in for 180 s");
}

static void the_line_of_each_queue_is_judged(void **state)
{
	(void)state;
	struct health_facts facts = well();
	queues[1].age_ms = 5001;
	expect_only(&facts, "warn", "queue:default/sale", "picture of the queue is 5 s old");
	queues[1].age_ms = 10001;
	expect_only(&facts, "fail", "queue:default/sale", "picture of the queue is 10 s old");
	facts = well();
	queues[0].recovering = true;
	expect_only(&facts, "fail", "queue:default/demo", "lost everything");
	facts = well();
	queues[0].flush_ms = 11000;
	expect_only(&facts, "warn", "queue:default/demo", "No pod has reported heartbeats for 11 s");
	queues[0].waiting = 0; /* then there is nobody to hear */
	expect_well(&facts);
	facts = well();
	queues[0].oldest_ms = INT64_C(15000000);
	expect_only(&facts, "warn", "queue:default/demo", "waited for 4 h 10 min");
	facts = well();
	queues[0].violations[VIOLATION_INVERSION] = 7;
	expect_only(&facts, "fail", "invariants",
				"7 people were let in before somebody who stood ahead");
	facts = well();
	queues[1].outbox = 801;
	expect_only(&facts, "fail", "outbox", "801 entries of default/sale");
	facts = well();
	facts.broker.oldest_ms = 61000;
	expect_only(&facts, "warn", "outbox", "waited for 61 s");
}

static void settings_that_are_a_mistake_on_a_busy_night_are_named(void **state)
{
	(void)state;
	struct health_facts facts = well();
	config.trusted_proxies[0] = '\0';
	expect_only(&facts, "warn", "settings", "WR_TRUSTED_PROXIES is empty");
	facts = well();
	config.secure_cookies = 0;
	strcpy(config.public_url, "https://room.example");
	expect_only(&facts, "warn", "settings", "cookies are not marked Secure");
	facts = well();
	strcpy(config.store_url, "redis://store:6379");
	expect_only(&facts, "warn", "settings", "without a password");
	strcpy(config.store_url, "redis://127.0.0.1:6379");
	expect_well(&facts);
	strcpy(config.store_url, "unix:///run/redis.sock");
	expect_well(&facts);
	strcpy(config.log_level, "debug");
	expect_only(&facts, "warn", "settings", "debug");
	facts = well();
	config.stale_after_ms = 400;
	expect_only(&facts, "warn", "settings", "called stale after 400 ms");
	facts = well();
	config.deaf_after_ms = 1500; /* pods speak once a second */
	expect_only(&facts, "fail", "settings", "every 1000 ms and called deaf after 1500 ms");
	config.deaf_after_ms = 5000;
	config.admit_interval_ms = 3000;
	expect_only(&facts, "fail", "settings", "every 3000 ms and called deaf after 5000 ms");
	facts = well();
	facts.store.replicas = config.store_wait_replicas = 1;
	expect_well(&facts);
	config.store_wait_timeout_ms = 1000;
	expect_only(&facts, "fail", "settings", "A slow replica may take 1000 ms");
	facts = well();
	facts.queues_in_all = 90;
	expect_only(&facts, "warn", "settings", "There are 90 queues, and room for 100");
}

static void settings_of_queues_that_hold_people_up_are_named(void **state)
{
	(void)state;
	struct health_facts facts = well();
	struct queue_settings shut = settings;
	queues[0].settings = &shut;
	shut.capacity = 0;
	expect_only(&facts, "fail", "settings", "default/demo is open, but its capacity is 0");
	queues[0].waiting = 0;
	expect_only(&facts, "warn", "settings", "default/demo is open, but its capacity is 0");
	shut.capacity = 10;
	shut.rate_per_minute = 0;
	expect_only(&facts, "warn", "settings", "its rate_per_minute is 0");
	shut = settings;
	queues[0].waiting = 5;
	queues[0].state = QUEUE_PAUSED;
	expect_only(&facts, "warn", "settings", "paused and 5 people wait");
	queues[0].state = QUEUE_HOLD;
	expect_only(&facts, "warn", "settings", "on hold without an opening time");
	shut.opens_at_ms = NOW_MS + 1000;
	expect_well(&facts);
	queues[0].state = QUEUE_DRAINING;
	expect_well(&facts);
	shut.capacity = 0;
	expect_only(&facts, "fail", "settings", "drains, but its capacity is 0");
	shut.capacity = 10;
	queues[0].waiting = 0;
	expect_only(&facts, "warn", "settings", "default/demo has drained");
	queues[0].waiting = 5;
	queues[0].state = QUEUE_PASSTHROUGH;
	expect_only(&facts, "warn", "settings", "lets everybody in");
	queues[0].state = QUEUE_OPEN;
	shut.max_waiting = 5;
	expect_only(&facts, "warn", "settings", "default/demo is full");
	shut = settings;
	shut.heartbeat_ttl_ms = 59000;
	expect_only(&facts, "warn", "settings", "one lost poll can cost it");
	shut = settings;
	shut.claim_ttl_ms = 30000;
	expect_only(&facts, "warn", "settings", "a turn runs out after 30000 ms");
	shut = settings;
	shut.poll_min_ms = 400;
	expect_only(&facts, "warn", "settings", "can grow from one pod to another");
}

static void keys_that_end_soon_are_named(void **state)
{
	(void)state;
	struct health_facts facts = well();
	facts.keys.session = 1;
	expect_only(&facts, "warn", "keys", "There is 1 session key");
	facts = well();
	facts.keys.expiring = 2;
	facts.keys.first_days = 3;
	strcpy(facts.keys.first_name, "deploy");
	expect_only(&facts, "warn", "keys", "\"deploy\" runs out in 3 days");
	facts = well();
	facts.keys.file_key_used = true;
	expect_only(&facts, "warn", "keys", "WR_ADMIN_KEYS_FILE was used");
}

static void without_the_store_only_what_is_known_is_judged(void **state)
{
	(void)state;
	struct health_facts facts = well();
	struct health_report report;
	size_t fails = 0;
	facts.store = (struct health_store){.trouble = "no connection"};
	facts.pod_count = 0;
	health_judge(&facts, &report);
	for (size_t i = 0; i < report.count; i++)
		if (report.list[i].status == HEALTH_FAIL) {
			fails++;
			assert_string_equal(report.list[i].name, "store");
			assert_non_null(strstr(report.list[i].said, "no connection"));
		}
	assert_int_equal(fails, 1);
	health_report_clear(&report);
}

/* ---- the report ---- */

static void texts_are_cut_at_whole_characters_and_are_json(void **state)
{
	(void)state;
	struct health_report report = {.list = NULL};
	char text[HEALTH_CHECK_JSON_BYTES + 64], longest[400];
	struct json_out out;
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct err_detail detail;
	memset(longest, 'x', sizeof(longest));
	memcpy(longest + HEALTH_TEXT_BYTES - 2, "\xc3\xab", 3);
	health_add(&report, "store", HEALTH_WARN, "StoreSlow", "\"do\"", "%s", longest);
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	health_report_write(&report, &out);
	json_out_object_end(&out);
	assert_false(out.overflow);
	assert_int_equal(json_parse(text, out.len, &document, &detail), WR_OK);
	assert_string_equal(report.list[0].act, "\"do\" Runbook: StoreSlow.");
	health_report_clear(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_room_where_all_is_well_has_a_line_for_each_part),
		cmocka_unit_test(the_store_is_judged_by_what_it_says),
		cmocka_unit_test(the_broker_is_judged_by_all_relays),
		cmocka_unit_test(clocks_are_named_by_whose_they_are),
		cmocka_unit_test(silent_slow_and_full_processes_are_named),
		cmocka_unit_test(processes_must_agree),
		cmocka_unit_test(somebody_must_let_people_in),
		cmocka_unit_test(the_line_of_each_queue_is_judged),
		cmocka_unit_test(settings_that_are_a_mistake_on_a_busy_night_are_named),
		cmocka_unit_test(settings_of_queues_that_hold_people_up_are_named),
		cmocka_unit_test(keys_that_end_soon_are_named),
		cmocka_unit_test(without_the_store_only_what_is_known_is_judged),
		cmocka_unit_test(texts_are_cut_at_whole_characters_and_are_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
