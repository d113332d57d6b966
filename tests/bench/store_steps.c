/* store_steps: how many people a second one core of the store takes, step by step.
 *
 *     store_steps <store URL> <people> <process id of the store>
 *
 * A pipelined client keeps a few batches under way and does nothing else, so the store is the
 * bottleneck: this is the raw client that the benchmark compares the API's enqueue with. Then the
 * same people are heard, admitted, and (another queue of them) expired. Prints one JSON object.
 *
 * Each step is told twice: people a second by the clock, and CPU time of the store's thread per
 * person, which other load on the machine disturbs much less.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/log.h"
#include "waitingroom/store.h"

#define UNDER_WAY 4
#define JOINS 256

struct run { /* one measured stretch of pipelined calls */
	struct loop *loop;
	struct store *store;
	struct queue_name queue;
	store_id *ids;
	size_t people, sent, answered;
	uint64_t counted;
	unsigned open;
	bool done, failed;
	const char *store_pid;
};

static double seconds_of(struct mono_time from)
{
	return (double)(clock_mono().ns - from.ns) / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "store_steps: %s\n", what);
	exit(1);
}

static void keep(struct run *run, enum wr_err err, size_t count)
{
	run->open--;
	run->answered += count;
	if (err != WR_OK)
		run->failed = true;
}

/* ---- the steps ---- */

static void on_joined(void *ctx, enum wr_err err, const char *epoch, int64_t now_ms,
					  const struct joined *people, size_t count)
{
	(void)epoch, (void)now_ms, (void)people;
	keep(ctx, err, count);
}

static size_t send_joins(struct run *run)
{
	struct join people[JOINS];
	size_t count = run->people - run->sent < JOINS ? run->people - run->sent : JOINS;
	for (size_t i = 0; i < count; i++)
		people[i] = (struct join){.position_id = run->ids[run->sent + i],
								  .lane = "main",
								  .target = "",
								  .user = "",
								  .request_hash = "",
								  .network = "127.0.0.0"};
	store_enqueue(run->store, &run->queue, 1000000000, "", NULL, 0, people, count, on_joined, run);
	return count;
}

static void on_beats(void *ctx, enum wr_err err, int64_t now_ms, const size_t *missing,
					 size_t missing_count)
{
	(void)now_ms, (void)missing, (void)missing_count;
	keep(ctx, err, 0);
}

static size_t send_beats(struct run *run)
{
	size_t left = run->people - run->sent;
	size_t count = left < STORE_PEOPLE_MAX ? left : STORE_PEOPLE_MAX;
	store_heartbeat(run->store, &run->queue, (const store_id *)(run->ids + run->sent), count,
					on_beats, run);
	return count;
}

static void on_admitted(void *ctx, enum wr_err err, const struct admitted *result)
{
	struct run *run = ctx;
	keep(run, err, 0);
	if (err == WR_OK)
		run->counted += result->admitted;
}

static size_t send_admit(struct run *run)
{
	store_admit(run->store, &run->queue, "bench", 60000, STORE_PEOPLE_MAX, 1000000000, 0,
				on_admitted, run);
	return STORE_PEOPLE_MAX;
}

static void on_reaped(void *ctx, enum wr_err err, const struct reaped *result)
{
	struct run *run = ctx;
	keep(run, err, 0);
	if (err == WR_OK)
		run->counted += result->expired;
}

static size_t send_reap(struct run *run)
{
	store_reap(run->store, &run->queue, 1000000000, STORE_PEOPLE_MAX, on_reaped, run);
	return STORE_PEOPLE_MAX;
}

/* Nanoseconds that the store's main thread has been on a CPU (schedstat of proc(5)). */
static uint64_t store_cpu_ns(const struct run *run)
{
	char path[64];
	uint64_t ns = 0;
	snprintf(path, sizeof(path), "/proc/%.20s/schedstat", run->store_pid);
	FILE *file = fopen(path, "re");
	if (file == NULL || fscanf(file, "%" SCNu64, &ns) != 1)
		fail("the store's process is not there");
	fclose(file);
	return ns;
}

/* People a second, over all of them. */
static double measure(struct run *run, size_t (*send)(struct run *))
{
	struct mono_time began = clock_mono();
	run->sent = run->answered = run->counted = 0;
	while (run->sent < run->people || run->open > 0) {
		while (run->sent < run->people && run->open < UNDER_WAY) {
			run->open++;
			run->sent += send(run);
		}
		loop_turn(run->loop, 1000);
		if (run->failed)
			fail("the store did not answer a step");
	}
	return (double)run->people / seconds_of(began);
}

static void print_step(struct run *run, const char *name, size_t (*send)(struct run *))
{
	uint64_t before = store_cpu_ns(run);
	printf(",\"%s_per_s\":%.0f", name, measure(run, send));
	printf(",\"%s_us\":%.3f", name,
		   (double)(store_cpu_ns(run) - before) / 1000 / (double)run->people);
}

/* ---- preparation ---- */

struct put_wait {
	bool done;
	enum wr_err err;
};

static void on_put(void *ctx, enum wr_err err, enum put_result result, uint64_t version)
{
	struct put_wait *wait = ctx;
	(void)result, (void)version;
	wait->done = true;
	wait->err = err;
}

static void make_queue(struct run *run, const char *name, int64_t first_heartbeat_ms)
{
	struct queue_settings settings;
	struct put_wait wait = {.done = false};
	queue_settings_default(&settings);
	settings.rate_per_minute = 6000000;
	settings.burst = 1000000;
	settings.capacity = 10000000;
	settings.max_waiting = 500000000;
	settings.first_heartbeat_ms = first_heartbeat_ms;
	settings.state = QUEUE_HOLD; /* nobody walks straight in while they are being filled */
	snprintf(run->queue.tenant, sizeof(run->queue.tenant), "bench");
	snprintf(run->queue.queue, sizeof(run->queue.queue), "%s", name);
	store_put_queue(run->store, &run->queue, &settings, UINT64_MAX, "{}", NULL, NULL, on_put,
					&wait);
	store_wait(run->store, &wait.done);
	if (wait.err != WR_OK)
		fail("the queue could not be made");
}

static void open_queue(struct run *run)
{
	static struct queue_field state = {.name = "state", .value = "open"};
	struct put_wait wait = {.done = false};
	store_patch_queue(run->store, &run->queue, &state, 1, UINT64_MAX, "{}", NULL, on_put, &wait);
	store_wait(run->store, &wait.done);
	if (wait.err != WR_OK)
		fail("the queue could not be opened");
}

static void on_raw(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	struct put_wait *wait = ctx;
	char *end = NULL;
	(void)number;
	wait->done = true;
	wait->err = err;
	const char *line = err == WR_OK && text != NULL ? memmem(text, len, "used_memory:", 12) : NULL;
	if (line != NULL)
		printf("%" PRIu64, (uint64_t)strtoull(line + 12, &end, 10));
}

static void print_memory(struct run *run)
{
	const char *argv[] = {"INFO", "memory"};
	const size_t lens[] = {4, 6};
	struct put_wait wait = {.done = false};
	store_raw(run->store, 2, argv, lens, on_raw, &wait);
	store_wait(run->store, &wait.done);
}

static void wait_ms(struct loop *loop, int64_t ms)
{
	struct mono_time due = mono_add_ms(clock_mono(), ms);
	while (mono_diff_ms(clock_mono(), due) > 0)
		loop_turn(loop, mono_diff_ms(clock_mono(), due));
}

int main(int argc, char **argv)
{
	struct err_detail detail = {""};
	struct store_address *address = NULL;
	struct store_options options;
	if (argc != 4)
		fail("usage: store_steps <store URL> <people> <process id of the store>");
	log_start("store_steps", LOG_LEVEL_WARN);
	if (store_address_parse(argv[1], &address, &detail) != WR_OK)
		fail(detail.text);
	store_options_default(&options);
	options.timeout_ms = 20000;
	struct run run = {
		.people = (size_t)strtoull(argv[2], NULL, 10), .loop = loop_new(), .store_pid = argv[3]};
	run.store = store_new(run.loop, address, &options);
	run.ids = calloc(run.people, sizeof(store_id));
	if (run.ids == NULL || !store_wait_ready(run.store, 5000))
		fail("no store");
	for (size_t i = 0; i < run.people; i++)
		position_id_random(run.ids[i]);

	make_queue(&run, "steps", 3600000);
	printf("{\"people\":%zu,\"memory_before\":", run.people);
	print_memory(&run);
	print_step(&run, "enqueue", send_joins);
	printf(",\"memory_after\":");
	print_memory(&run);
	print_step(&run, "heartbeat", send_beats);
	open_queue(&run);
	print_step(&run, "admit", send_admit);
	printf(",\"admitted\":%" PRIu64, run.counted);

	make_queue(&run, "ghosts", 500);
	for (size_t i = 0; i < run.people; i++)
		position_id_random(run.ids[i]);
	size_t people = run.people;
	(void)measure(&run, send_joins);
	run.people = 1; /* one call, so that listening has begun */
	(void)measure(&run, send_beats);
	(void)measure(&run, send_reap);
	wait_ms(run.loop, 700);
	run.people = people;
	print_step(&run, "reap", send_reap);
	printf(",\"reaped\":%" PRIu64 "}\n", run.counted);
	store_free(run.store);
	store_address_free(address);
	loop_free(run.loop);
	free(run.ids);
	return 0;
}
