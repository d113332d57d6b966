/* Metrics: shards that threads count into, and the page that Prometheus reads.
 *
 * A page is made for one scrape: the caller writes family after family, each with HELP and TYPE
 * from METRIC_TABLE before its first sample. Sums over shards are read with relaxed loads: a
 * scrape may miss an increment of this instant, never one twice.
 */
#include "waitingroom/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "waitingroom/memory.h"
#include "waitingroom/qvalue.h"

static const struct {
	const char *where, *type, *name, *labels, *help;
} families[] = {
#define METRIC_ROW(id, where_, type_, name_, labels_, help_) {where_, type_, name_, labels_, help_},
	METRIC_TABLE(METRIC_ROW)
#undef METRIC_ROW
};

struct metrics_page {
	char *text;
	size_t len, room;
	enum metric family; /* the one being written; METRIC_COUNT before the first */
	bool openmetrics, ended;
};

void metrics_request(struct metrics_shard *shard, unsigned endpoint, int status, int64_t us)
{
	unsigned class = status >= 100 && status < 600 ? (unsigned)status / 100 : 0;
	metrics_raise(&shard->requests[endpoint][class], 1);
	timings_add(&shard->request_time[endpoint], us);
}

/* ---- the page ---- */

#define OPENMETRICS "application/openmetrics-text"

static bool item_is(const struct qvalue *item, const char *type)
{
	size_t len = strlen(type);
	return item->len >= len && strncasecmp(item->text, type, len) == 0 &&
		   (item->len == len || item->text[len] == ';' || item->text[len] == ' ');
}

/* Prometheus names OpenMetrics with a higher q than text/plain when it can read both. Another
 * version than 1.0 (or 0.0.1, its draft) is not ours to write. */
static bool prefers_openmetrics(const char *accept)
{
	int open = 0, plain = 0;
	struct qvalue item;
	while (qvalue_next(&accept, &item))
		if (item_is(&item, OPENMETRICS))
			open = item.q > open ? item.q : open;
		else if (item_is(&item, "text/plain"))
			plain = item.q > plain ? item.q : plain;
	return open > 0 && open >= plain;
}

struct metrics_page *metrics_page_new(const char *accept)
{
	struct metrics_page *page = mem_alloc_zero(1, sizeof(*page));
	page->room = 16384;
	page->text = mem_alloc_zero(1, page->room);
	page->family = METRIC_COUNT;
	page->openmetrics = prefers_openmetrics(accept);
	return page;
}

void metrics_page_free(struct metrics_page *page)
{
	if (page == NULL)
		return;
	free(page->text);
	free(page);
}

__attribute__((format(printf, 2, 3))) static void page_add(struct metrics_page *page,
														   const char *format, ...)
{
	for (;;) {
		va_list args;
		va_start(args, format);
		int n = vsnprintf(page->text + page->len, page->room - page->len, format, args);
		va_end(args);
		if (n >= 0 && (size_t)n < page->room - page->len) {
			page->len += (size_t)n;
			return;
		}
		page->room *= 2;
		page->text = mem_grow(page->text, page->room, 1);
	}
}

/* In OpenMetrics the family of a counter is named without the _total of its samples. */
static void page_family(struct metrics_page *page, enum metric metric)
{
	const char *name = families[metric].name, *type = families[metric].type;
	if (page->family == metric)
		return;
	page->family = metric;
	int len = (int)strlen(name);
	if (page->openmetrics && strcmp(type, "counter") == 0)
		len -= (int)strlen("_total");
	page_add(page, "# HELP %.*s %s\n# TYPE %.*s %s\n", len, name, families[metric].help, len, name,
			 type);
}

const char *metrics_page_type(const struct metrics_page *page)
{
	return page->openmetrics ? OPENMETRICS "; version=1.0.0; charset=utf-8"
							 : "text/plain; version=0.0.4; charset=utf-8";
}

const char *metrics_page_text(struct metrics_page *page, size_t *ret_len)
{
	if (page->openmetrics && !page->ended)
		page_add(page, "# EOF\n");
	page->ended = true;
	*ret_len = page->len;
	return page->text;
}

void metrics_value(struct metrics_page *page, enum metric metric, const char *labels, double value)
{
	page_family(page, metric);
	const char *name = families[metric].name, *open = labels[0] ? "{" : "",
			   *close = labels[0] ? "}" : "";
	page_add(page, "%s%s%s%s %.17g\n", name, open, labels, close, value);
}

void metrics_counter(struct metrics_page *page, enum metric metric,
					 struct metrics_shard *const *shards, size_t shard_count, const char *key,
					 const char *const *values, size_t value_count)
{
	for (size_t v = 0; v < (key != NULL ? value_count : 1); v++) {
		uint64_t sum = 0;
		for (size_t s = 0; s < shard_count; s++)
			sum += atomic_load_explicit(&shards[s]->counter[metric][v], memory_order_relaxed);
		char labels[128] = "";
		if (key != NULL)
			snprintf(labels, sizeof(labels), "%s=\"%s\"", key, values[v]);
		metrics_value(page, metric, labels, (double)sum);
	}
}

/* Behind a bucket of OpenMetrics: "# {trace_id="…"} 0.067 1520879607.789" */
static void page_exemplar(struct metrics_page *page, const struct exemplar *exemplar)
{
	if (page->openmetrics && exemplar != NULL && exemplar->trace_id[0] != '\0')
		page_add(page, " # {trace_id=\"%s\"} %.6f %.3f", exemplar->trace_id,
				 (double)exemplar->us / 1e6, (double)exemplar->at.ms / 1e3);
	page_add(page, "\n");
}

/* exemplars: one a bucket, or NULL */
static void page_histogram(struct metrics_page *page, enum metric metric, const char *labels,
						   const double *bounds, size_t bound_count, const uint64_t *counts,
						   double sum, const struct exemplar *exemplars)
{
	const char *name = families[metric].name, *comma = labels[0] ? "," : "";
	uint64_t below = 0;
	page_family(page, metric);
	for (size_t i = 0; i < bound_count; i++) {
		below += counts[i];
		page_add(page, "%s_bucket{%s%sle=\"%g\"} %" PRIu64, name, labels, comma, bounds[i], below);
		page_exemplar(page, exemplars != NULL ? &exemplars[i] : NULL);
	}
	below += counts[bound_count];
	page_add(page, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64, name, labels, comma, below);
	page_exemplar(page, exemplars != NULL ? &exemplars[bound_count] : NULL);
	const char *open = labels[0] ? "{" : "", *close = labels[0] ? "}" : "";
	page_add(page, "%s_sum%s%s%s %.6f\n", name, open, labels, close, sum);
	page_add(page, "%s_count%s%s%s %" PRIu64 "\n", name, open, labels, close, below);
}

void metrics_histogram(struct metrics_page *page, enum metric metric, const char *labels,
					   const double *bounds, size_t bound_count, const uint64_t *counts, double sum)
{
	page_histogram(page, metric, labels, bounds, bound_count, counts, sum, NULL);
}

static void page_timings(struct metrics_page *page, enum metric metric, const char *labels,
						 const struct timings_sum *sum, const struct exemplar *exemplars)
{
	double bounds[TIMINGS_BOUNDS];
	for (size_t i = 0; i < TIMINGS_BOUNDS; i++)
		bounds[i] = (double)timings_bound_us[i] / 1e6;
	page_histogram(page, metric, labels, bounds, TIMINGS_BOUNDS, sum->count,
				   (double)sum->sum_us / 1e6, exemplars);
}

void metrics_timings(struct metrics_page *page, enum metric metric, const char *labels,
					 const struct timings_sum *sum)
{
	page_timings(page, metric, labels, sum, NULL);
}

void metrics_requests(struct metrics_page *page, struct metrics_shard *const *shards,
					  size_t shard_count, const char *const *endpoints, size_t endpoint_count,
					  struct exemplars *exemplars)
{
	static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
	for (size_t e = 0; e < endpoint_count; e++)
		for (size_t c = 0; c < 6; c++) {
			uint64_t sum = 0;
			for (size_t s = 0; s < shard_count; s++)
				sum += atomic_load_explicit(&shards[s]->requests[e][c], memory_order_relaxed);
			if (sum == 0 && (c < 2 || c == 3))
				continue; /* the others are there from the start: a rate needs a 0 to begin with */
			char labels[96];
			snprintf(labels, sizeof(labels), "endpoint=\"%s\",status=\"%s\"", endpoints[e],
					 classes[c]);
			metrics_value(page, METRIC_REQUESTS, labels, (double)sum);
		}
	for (size_t e = 0; e < endpoint_count; e++) {
		struct timings_sum sum = {.sum_us = 0};
		char labels[64];
		for (size_t i = 0; i < shard_count; i++)
			timings_add_to(&shards[i]->request_time[e], &sum);
		snprintf(labels, sizeof(labels), "endpoint=\"%s\"", endpoints[e]);
		struct exemplar of_endpoint[TIMINGS_BOUNDS + 1];
		exemplars_copy(exemplars, (unsigned)e, of_endpoint);
		page_timings(page, METRIC_REQUEST_SECONDS, labels, &sum, of_endpoint);
	}
}

/* ---- documentation ---- */

void metrics_print_markdown(FILE *out)
{
	fprintf(out, "| metric | type | labels | exported by | meaning |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < METRIC_COUNT; i++)
		fprintf(out, "| `%s` | %s | %s | %s | %s |\n", families[i].name, families[i].type,
				families[i].labels, families[i].where, families[i].help);
}
