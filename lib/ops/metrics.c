/* Metrics: shards that threads count into, and the page that Prometheus reads.
 *
 * A page is made for one scrape: the caller writes family after family, each with HELP and TYPE
 * from METRIC_TABLE before its first sample. Sums over shards are read with relaxed loads: a
 * scrape may miss an increment of this instant, never one twice.
 */
#include "waitingroom/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "waitingroom/memory.h"

static const struct {
	const char *type, *name, *help;
} families[] = {
#define METRIC_ROW(id, type_, name_, help_) {type_, name_, help_},
	METRIC_TABLE(METRIC_ROW)
#undef METRIC_ROW
};

/* Upper bounds in microseconds: heartbeats take tens, store steps a millisecond, trouble a second. */
static const int64_t bucket_us[METRIC_BUCKETS] = {
	50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000};

struct metrics_page {
	char *text;
	size_t len, room;
	enum metric family; /* the one being written; METRIC_COUNT before the first */
};

void metrics_request(struct metrics_shard *shard, unsigned endpoint, int status, int64_t us)
{
	unsigned class = status >= 100 && status < 600 ? (unsigned)status / 100 : 0;
	unsigned bucket = 0;
	while (bucket < METRIC_BUCKETS && us > bucket_us[bucket])
		bucket++;
	metrics_raise(&shard->requests[endpoint][class], 1);
	metrics_raise(&shard->buckets[endpoint][bucket], 1);
	metrics_raise(&shard->request_us[endpoint], us > 0 ? (uint64_t)us : 0);
}

struct metrics_page *metrics_page_new(void)
{
	struct metrics_page *page = mem_alloc_zero(1, sizeof(*page));
	page->room = 16384;
	page->text = mem_alloc_zero(1, page->room);
	page->family = METRIC_COUNT;
	return page;
}

void metrics_page_free(struct metrics_page *page)
{
	if (page == NULL)
		return;
	free(page->text);
	free(page);
}

const char *metrics_page_text(const struct metrics_page *page, size_t *ret_len)
{
	*ret_len = page->len;
	return page->text;
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

static void page_family(struct metrics_page *page, enum metric metric)
{
	if (page->family == metric)
		return;
	page->family = metric;
	page_add(page, "# HELP %s %s\n# TYPE %s %s\n", families[metric].name, families[metric].help,
			 families[metric].name, families[metric].type);
}

void metrics_value(struct metrics_page *page, enum metric metric, const char *labels, double value)
{
	page_family(page, metric);
	page_add(page, "%s%s%s%s %.17g\n", families[metric].name, labels[0] ? "{" : "", labels,
			 labels[0] ? "}" : "", value);
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

static void write_histogram(struct metrics_page *page, struct metrics_shard *const *shards,
							size_t shard_count, const char *endpoint, size_t number)
{
	uint64_t below = 0, us = 0;
	const char *name = families[METRIC_REQUEST_SECONDS].name;
	for (size_t b = 0; b <= METRIC_BUCKETS; b++) {
		for (size_t s = 0; s < shard_count; s++)
			below += atomic_load_explicit(&shards[s]->buckets[number][b], memory_order_relaxed);
		if (b < METRIC_BUCKETS)
			page_add(page, "%s_bucket{endpoint=\"%s\",le=\"%g\"} %" PRIu64 "\n", name, endpoint,
					 (double)bucket_us[b] / 1e6, below);
		else
			page_add(page, "%s_bucket{endpoint=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, endpoint,
					 below);
	}
	for (size_t s = 0; s < shard_count; s++)
		us += atomic_load_explicit(&shards[s]->request_us[number], memory_order_relaxed);
	page_add(page, "%s_sum{endpoint=\"%s\"} %.6f\n", name, endpoint, (double)us / 1e6);
	page_add(page, "%s_count{endpoint=\"%s\"} %" PRIu64 "\n", name, endpoint, below);
}

void metrics_requests(struct metrics_page *page, struct metrics_shard *const *shards,
					  size_t shard_count, const char *const *endpoints, size_t endpoint_count)
{
	static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
	for (size_t e = 0; e < endpoint_count; e++)
		for (size_t c = 0; c < 6; c++) {
			uint64_t sum = 0;
			for (size_t s = 0; s < shard_count; s++)
				sum += atomic_load_explicit(&shards[s]->requests[e][c], memory_order_relaxed);
			if (sum == 0 && c != 2)
				continue;
			char labels[96];
			snprintf(labels, sizeof(labels), "endpoint=\"%s\",status=\"%s\"", endpoints[e],
					 classes[c]);
			metrics_value(page, METRIC_REQUESTS, labels, (double)sum);
		}
	page_family(page, METRIC_REQUEST_SECONDS);
	for (size_t e = 0; e < endpoint_count; e++)
		write_histogram(page, shards, shard_count, endpoints[e], e);
}

static uint64_t open_descriptors(void)
{
	uint64_t count = 0;
	DIR *dir = opendir("/proc/self/fd");
	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count > 3 ? count - 3 : 0; /* ".", ".." and the directory itself */
}

/* Start of the process: boot time plus field 22 of /proc/self/stat. */
static double start_seconds(void)
{
	char text[1024] = "";
	FILE *file = fopen("/proc/self/stat", "r");
	if (file == NULL)
		return 0;
	size_t n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	char *field = strrchr(text, ')');
	for (int i = 2; field != NULL && i < 22; i++)
		field = strchr(field + 1, ' ');
	double ticks = field != NULL ? strtod(field, NULL) : 0;
	double boot = 0;
	file = fopen("/proc/stat", "r");
	if (file == NULL)
		return 0;
	while (fgets(text, sizeof(text), file) != NULL)
		if (strncmp(text, "btime ", 6) == 0)
			boot = strtod(text + 6, NULL);
	fclose(file);
	return boot + ticks / (double)sysconf(_SC_CLK_TCK);
}

void metrics_process(struct metrics_page *page)
{
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		metrics_value(page, METRIC_CPU, "",
					  (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
						  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	long pages_total = 0, pages_resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file != NULL) {
		if (fscanf(file, "%ld %ld", &pages_total, &pages_resident) == 2)
			metrics_value(page, METRIC_RSS, "",
						  (double)pages_resident * (double)sysconf(_SC_PAGESIZE));
		fclose(file);
	}
	metrics_value(page, METRIC_FDS, "", (double)open_descriptors());
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		metrics_value(page, METRIC_FDS_MAX, "", (double)limit.rlim_cur);
	metrics_value(page, METRIC_START, "", start_seconds());
}
