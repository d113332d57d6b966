/* Exposition of queues: one sample a family and queue, up to WR_METRIC_QUEUES of them.
 *
 * Tenants make queues as they like, and every label value costs Prometheus memory for ever. So the
 * first queues by name have samples of their own and all others are added up as "other": every pod
 * draws the line at the same name. What cannot be added (ages, 0/1) is the largest of them.
 */
#include "exposition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"
#include "waitingroom/revocations.h"

struct listed {
	char name[QUEUE_NAME_TEXT_BYTES];
	const struct queue_snapshot *snapshot;
};

struct listing {
	struct listed *queues;
	size_t count, room, own; /* the first 'own' have labels of their own */
	struct mono_time now;
};

static void list_queue(void *ctx, const struct queue_snapshot *snapshot)
{
	struct listing *listing = ctx;
	if (listing->count == listing->room)
		return; /* made since they were counted: next time */
	struct listed *listed = &listing->queues[listing->count++];
	listed->snapshot = snapshot;
	queue_name_print(&snapshot->name, listed->name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

/* ---- one number ---- */

typedef double number_fn(const struct queue_snapshot *snapshot, struct mono_time now);

#define NUMBER(word, expression)                                                                   \
	static double number_##word(const struct queue_snapshot *snapshot, struct mono_time now)       \
	{                                                                                              \
		(void)now;                                                                                 \
		return (double)(expression);                                                               \
	}
NUMBER(waiting, snapshot->waiting)
NUMBER(revocations, revocations_count(snapshot->revocations))
NUMBER(active, snapshot->active)
NUMBER(absent, snapshot->absent)
NUMBER(capacity, snapshot->settings->capacity)
NUMBER(rate, snapshot->settings->rate_per_minute)
NUMBER(recovering, snapshot->recovering)
NUMBER(joined, snapshot->joined_total)
NUMBER(admitted, snapshot->admitted_total)
NUMBER(departed, snapshot->departed_total)
NUMBER(outbox, snapshot->outbox_length)
NUMBER(new_wait, snapshot->new_wait_s)
NUMBER(age, (double)(now.ns - snapshot->taken.ns) / 1e9)
#undef NUMBER

static double number_admitting(const struct queue_snapshot *snapshot, struct mono_time now)
{
	const struct queue_settings *settings = snapshot->settings;
	enum queue_state state = queue_settings_state_at(settings, snapshot->as_of_ms);
	(void)now;
	if (snapshot->recovering)
		return 0;
	if (state == QUEUE_DRAINING)
		return settings->capacity > 0;
	return state == QUEUE_PASSTHROUGH || ((state == QUEUE_OPEN || state == QUEUE_CLOSED) &&
										  settings->rate_per_minute > 0 && settings->capacity > 0);
}

static double number_oldest_wait(const struct queue_snapshot *snapshot, struct mono_time now)
{
	if (snapshot->oldest_joined_ms == 0)
		return 0;
	double ms = (double)(snapshot->as_of_ms - snapshot->oldest_joined_ms) +
				(double)mono_diff_ms(snapshot->taken, now);
	return ms > 0 ? ms / 1e3 : 0;
}

static double number_index_bytes(const struct queue_snapshot *snapshot, struct mono_time now)
{
	size_t bytes = 0;
	(void)now;
	for (uint32_t i = 0; i < snapshot->settings->lane_count; i++)
		bytes += position_index_bytes(snapshot->lanes[i]);
	return (double)bytes;
}

static const struct {
	enum metric metric;
	number_fn *number;
	bool largest; /* of the others, not their sum; a negative number is not known */
} numbers[] = {
	{METRIC_WAITING, number_waiting, false},
	{METRIC_ACTIVE, number_active, false},
	{METRIC_ABSENT, number_absent, false},
	{METRIC_CAPACITY, number_capacity, false},
	{METRIC_RATE, number_rate, false},
	{METRIC_ADMITTING, number_admitting, true},
	{METRIC_RECOVERING, number_recovering, true},
	{METRIC_LINE_JOINED, number_joined, false},
	{METRIC_LINE_ADMITTED, number_admitted, false},
	{METRIC_LINE_GONE, number_departed, false},
	{METRIC_OLDEST_WAIT, number_oldest_wait, true},
	{METRIC_NEW_WAIT, number_new_wait, true},
	{METRIC_QUEUE_OUTBOX, number_outbox, false},
	{METRIC_REVOCATIONS, number_revocations, false},
	{METRIC_SYNC_AGE, number_age, true},
	{METRIC_INDEX_BYTES, number_index_bytes, false},
};

static void write_label(char label[QUEUE_NAME_TEXT_BYTES + 16], const char *name)
{
	snprintf(label, QUEUE_NAME_TEXT_BYTES + 16, "queue=\"%s\"", name);
}

static void write_number(struct metrics_page *page, const struct listing *listing, size_t which)
{
	char label[QUEUE_NAME_TEXT_BYTES + 16];
	double rest = numbers[which].largest ? -1 : 0;
	for (size_t i = 0; i < listing->count; i++) {
		double number = numbers[which].number(listing->queues[i].snapshot, listing->now);
		if (i >= listing->own) {
			rest = !numbers[which].largest ? rest + number : number > rest ? number : rest;
		} else if (number >= 0) {
			write_label(label, listing->queues[i].name);
			metrics_value(page, numbers[which].metric, label, number);
		}
	}
	if (listing->count > listing->own && rest >= 0)
		metrics_value(page, numbers[which].metric, "queue=\"other\"", rest);
}

/* ---- families with another label, and the histogram ---- */

static void write_violations(struct metrics_page *page, const char *name, const uint64_t *counts)
{
#define VIOLATION_WORD(id, word) word,
	static const char *const words[] = {VIOLATION_TABLE(VIOLATION_WORD)};
#undef VIOLATION_WORD
	for (int kind = 0; kind < VIOLATION_COUNT; kind++) {
		char label[QUEUE_NAME_TEXT_BYTES + 48];
		snprintf(label, sizeof(label), "queue=\"%s\",kind=\"%s\"", name, words[kind]);
		metrics_value(page, METRIC_VIOLATIONS, label, (double)counts[kind]);
	}
}

static void write_ratio(struct metrics_page *page, const char *name,
						const struct calibration_counts *counts)
{
	char label[QUEUE_NAME_TEXT_BYTES + 16];
	write_label(label, name);
	metrics_histogram(page, METRIC_ETA_RATIO, label, calibration_bounds, CALIBRATION_BOUNDS,
					  counts->ratio, counts->ratio_sum);
}

static void write_results(struct metrics_page *page, const char *name,
						  const struct calibration_counts *counts)
{
	const struct {
		const char *word;
		uint64_t count;
	} results[] = {{"within", counts->within}, {"early", counts->early}, {"late", counts->late}};
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		char label[QUEUE_NAME_TEXT_BYTES + 48];
		snprintf(label, sizeof(label), "queue=\"%s\",result=\"%s\"", name, results[i].word);
		metrics_value(page, METRIC_ETA, label, (double)results[i].count);
	}
}

static void write_all_violations(struct metrics_page *page, const struct listing *listing)
{
	uint64_t rest[VIOLATION_COUNT] = {0};
	for (size_t i = 0; i < listing->count; i++)
		if (i < listing->own)
			write_violations(page, listing->queues[i].name,
							 listing->queues[i].snapshot->violations);
		else
			for (int kind = 0; kind < VIOLATION_COUNT; kind++)
				rest[kind] += listing->queues[i].snapshot->violations[kind];
	if (listing->count > listing->own)
		write_violations(page, "other", rest);
}

static void write_calibrations(struct metrics_page *page, const struct listing *listing,
							   void (*write)(struct metrics_page *page, const char *name,
											 const struct calibration_counts *counts))
{
	struct calibration_counts rest = {.within = 0};
	for (size_t i = 0; i < listing->count; i++)
		if (i < listing->own)
			write(page, listing->queues[i].name, &listing->queues[i].snapshot->calibration);
		else
			calibration_add(&rest, &listing->queues[i].snapshot->calibration);
	if (listing->count > listing->own)
		write(page, "other", &rest);
}

void exposition_queues(struct metrics_page *page, const struct app *app)
{
	struct listing listing = {.room = queue_table_count(app->queues), .now = clock_mono()};
	if (listing.room == 0)
		return;
	WR_AUTO(mem_free_at)
	struct listed *queues = mem_alloc_zero(listing.room, sizeof(*queues));
	listing.queues = queues;
	queue_table_each(app->queues, list_queue, &listing);
	qsort(queues, listing.count, sizeof(*queues), by_name);
	listing.own = (size_t)app->config.metric_queues;
	if (listing.own > listing.count)
		listing.own = listing.count;
	for (size_t which = 0; which < sizeof(numbers) / sizeof(numbers[0]); which++)
		write_number(page, &listing, which);
	write_all_violations(page, &listing);
	write_calibrations(page, &listing, write_ratio);
	write_calibrations(page, &listing, write_results);
}
