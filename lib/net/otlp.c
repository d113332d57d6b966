/* OTLP: the thread that sends spans to a collector.
 *
 * A batch is printed once and offered until it is taken: 2xx is the end, and so is every refusal
 * but 429, 502, 503 and 504, after which it waits as long as Retry-After says (or a little longer
 * each time) and offers it again; no answer at all counts as such. After TRIES_MAX the batch is
 * lost. A partial success is a success; what the collector left out is counted as refused.
 * Meanwhile the queue goes on to fill, and drops; nobody else waits for any of this.
 *
 * Trouble is said once when it begins and once when it is over.
 *
 * Shared between threads: 'stop' under 'lock', the counts (atomics); the rest belongs to the
 * thread.
 */
#include "waitingroom/otlp.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "waitingroom/http_call.h"
#include "waitingroom/json_in.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "waitingroom/version.h"

#define BATCH_MS 5000
#define TIMEOUT_MS 3000
#define LAST_MS 2000 /* for what is left when it stops */
#define TRIES_MAX 5
#define PAUSE_MS 1000
#define PAUSE_MAX_MS 30000
#define ANSWER_MAX_BYTES 65536
#define URL_BYTES 1024
#define OWN_PAIRS 3 /* service.name, service.version, service.instance.id */

struct otlp {
	struct spans *spans;
	char url[URL_BYTES];
	int64_t batch_ms, timeout_ms;
	struct otlp_pair resource[OTLP_PAIRS_MAX + OWN_PAIRS];
	size_t resource_count;
	char *headers[OTLP_PAIRS_MAX + 2]; /* ends in NULL */
	struct http_caller *caller;
	struct span *batch;
	bool in_trouble;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stopping; /* on the monotonic clock */
	bool stop;
	struct mono_time last_moment;
	_Atomic uint64_t sent, refused, retries;
};

/* ---- one try ---- */

enum outcome { TAKEN, REFUSED, AGAIN };

static void say_trouble(struct otlp *otlp, bool now, const char *reason)
{
	if (now && !otlp->in_trouble)
		log_event(LOG_LEVEL_WARN, "traces_held", LOG_TEXT("reason", reason));
	if (!now && otlp->in_trouble)
		log_event(LOG_LEVEL_INFO, "traces_flow");
	otlp->in_trouble = now;
}

/* How many spans of a batch that was taken the collector has left out. */
static uint64_t left_out(const struct http_call_answer *answer)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	int64_t number = 0;
	uint64_t count = 0;
	const char *text = "";
	if (answer->body == NULL ||
		json_parse(answer->body, answer->body_len, &document, NULL) != WR_OK ||
		!json_is_object(document))
		return 0;
	const struct json_value *partial = json_member(document, "partialSuccess");
	if (partial == NULL || !json_is_object(partial))
		return 0;
	const struct json_value *rejected = json_member(partial, "rejectedSpans");
	if (rejected != NULL && json_int(rejected, &number) && number > 0)
		return (uint64_t)number;
	if (rejected != NULL && json_string(rejected, &text) &&
		text_to_u64(text, strlen(text), UINT32_MAX, &count))
		return count;
	return 0;
}

/* Seconds; a date, which HTTP allows as well, is as good as nothing. */
static int64_t retry_after_ms(const struct http_call_answer *answer, int tries)
{
	const char *text = http_call_answer_header(answer, "Retry-After");
	uint64_t seconds = 0;
	int64_t ms = (int64_t)PAUSE_MS << tries;
	if (text != NULL && text_to_u64(text, strlen(text), PAUSE_MAX_MS / 1000, &seconds))
		ms = (int64_t)seconds * 1000;
	return ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
}

static enum outcome offer(struct otlp *otlp, const char *text, size_t len, int tries,
						  int64_t *ret_pause_ms, uint64_t *ret_left_out)
{
	WR_AUTO(http_call_answer_clear) struct http_call_answer answer = {0};
	struct err_detail detail = {""};
	struct http_call call = {.method = "POST",
							 .url = otlp->url,
							 .headers = (const char *const *)otlp->headers,
							 .body = text,
							 .body_len = len,
							 .deadline_ms = otlp->timeout_ms,

							 .body_max = ANSWER_MAX_BYTES};
	enum wr_err err = http_caller_call(otlp->caller, &call, &answer, &detail);
	*ret_pause_ms = retry_after_ms(&answer, tries);
	if (err != WR_OK) {
		say_trouble(otlp, true, detail.text);
		return err == WR_IO || err == WR_TIMEOUT ? AGAIN : REFUSED;
	}
	if (answer.status >= 200 && answer.status < 300) {
		*ret_left_out = left_out(&answer);
		say_trouble(otlp, false, NULL);
		return TAKEN;
	}
	char reason[64];
	snprintf(reason, sizeof(reason), "the collector answers %d", answer.status);
	say_trouble(otlp, true, reason);
	bool again = answer.status == 429 || (answer.status >= 502 && answer.status <= 504);
	return again ? AGAIN : REFUSED;
}

/* ---- the thread ---- */

/* False: it is time to end. */
static bool rest(struct otlp *otlp, int64_t ms)
{
	int64_t until_ns = mono_add_ms(clock_mono(), ms).ns;
	struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
	pthread_mutex_lock(&otlp->lock);
	for (int late = 0; !otlp->stop && late == 0;)
		late = pthread_cond_timedwait(&otlp->stopping, &otlp->lock, &until);
	bool go_on = !otlp->stop;
	pthread_mutex_unlock(&otlp->lock);
	return go_on;
}

static bool is_over(struct otlp *otlp)
{
	pthread_mutex_lock(&otlp->lock);
	bool over = otlp->stop;
	if (over && otlp->timeout_ms > LAST_MS)
		otlp->timeout_ms = LAST_MS;
	bool late = over && mono_diff_ms(otlp->last_moment, clock_mono()) >= 0;
	pthread_mutex_unlock(&otlp->lock);
	return late;
}

static void send_batch(struct otlp *otlp, size_t count)
{
	size_t len = 0;
	uint64_t refused = 0;
	int64_t pause_ms = 0;
	WR_AUTO(mem_free_at)
	char *text = otlp_print(otlp->resource, otlp->resource_count, otlp->batch, count, &len);
	for (int tries = 0; !is_over(otlp); tries++) {
		enum outcome outcome = offer(otlp, text, len, tries, &pause_ms, &refused);
		if (outcome == TAKEN) {
			refused = refused < count ? refused : count;
			atomic_fetch_add(&otlp->sent, count - refused);
			atomic_fetch_add(&otlp->refused, refused);
			return;
		}
		if (outcome == REFUSED || tries + 1 == TRIES_MAX || !rest(otlp, pause_ms))
			break;
		atomic_fetch_add(&otlp->retries, 1);
	}
	atomic_fetch_add(&otlp->refused, count);
}

static void *run(void *ctx)
{
	struct otlp *otlp = ctx;
	for (;;) {
		size_t count = spans_take(otlp->spans, otlp->batch, OTLP_BATCH_SPANS, otlp->batch_ms);
		if (count > 0)
			send_batch(otlp, count);
		else if (!rest(otlp, 0))
			return NULL;
	}
}

/* ---- life ---- */

static void add_pair(struct otlp *otlp, const char *key, const char *text)
{
	struct otlp_pair *pair = &otlp->resource[otlp->resource_count++];
	snprintf(pair->key, sizeof(pair->key), "%.63s", key);
	snprintf(pair->text, sizeof(pair->text), "%.191s", text);
}

/* What the environment says of service.name and so on gives way to what the program knows. */
static enum wr_err describe(struct otlp *otlp, const struct otlp_options *options,
							struct err_detail *ret_detail)
{
	struct otlp_pair given[OTLP_PAIRS_MAX];
	size_t count = 0;
	add_pair(otlp, "service.name", options->service_name);
	add_pair(otlp, "service.version", WR_VERSION);
	add_pair(otlp, "service.instance.id", options->instance);
	if (!otlp_pairs_parse(options->resource, given, &count))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "OTEL_RESOURCE_ATTRIBUTES: must be key=value,key=value");
	for (size_t i = 0; i < count; i++) {
		bool known = false;
		for (size_t k = 0; k < OWN_PAIRS; k++)
			known |= strcmp(otlp->resource[k].key, given[i].key) == 0;
		if (!known)
			add_pair(otlp, given[i].key, given[i].text);
	}
	return WR_OK;
}

static enum wr_err make_headers(struct otlp *otlp, const struct otlp_options *options,
								struct err_detail *ret_detail)
{
	struct otlp_pair given[OTLP_PAIRS_MAX];
	size_t count = 0;
	if (!otlp_pairs_parse(options->headers, given, &count))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "OTEL_EXPORTER_OTLP_HEADERS: must be name=value,name=value");
	otlp->headers[0] = mem_copy_string("Content-Type: application/json");
	for (size_t i = 0; i < count; i++) {
		char line[sizeof(struct otlp_pair) + 4];
		snprintf(line, sizeof(line), "%.63s: %.191s", given[i].key, given[i].text);
		otlp->headers[i + 1] = mem_copy_string(line);
	}
	return WR_OK;
}

static void otlp_free(struct otlp *otlp)
{
	for (char **header = otlp->headers; *header != NULL; header++)
		free(*header);
	http_caller_free(otlp->caller);
	pthread_mutex_destroy(&otlp->lock);
	pthread_cond_destroy(&otlp->stopping);
	free(otlp->batch);
	free(otlp);
}

enum wr_err otlp_start(const struct otlp_options *options, struct spans *spans,
					   struct otlp **ret_otlp, struct err_detail *ret_detail)
{
	struct otlp *otlp = mem_alloc_zero(1, sizeof(*otlp));
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&otlp->stopping, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&otlp->lock, NULL);
	otlp->spans = spans;
	otlp->batch = mem_alloc_zero(OTLP_BATCH_SPANS, sizeof(*otlp->batch));
	otlp->batch_ms = options->batch_ms > 0 ? options->batch_ms : BATCH_MS;
	otlp->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS;
	otlp->caller = http_caller_new();
	snprintf(otlp->url, sizeof(otlp->url), "%s", options->url);
	enum wr_err err = WR_OK;
	if (strncmp(options->url, "http://", 7) != 0 && strncmp(options->url, "https://", 8) != 0)
		err = err_say(ret_detail, WR_BAD_CONFIG, "must begin with http:// or https://");
	if (err == WR_OK)
		err = describe(otlp, options, ret_detail);
	if (err == WR_OK)
		err = make_headers(otlp, options, ret_detail);
	if (err != WR_OK) {
		otlp_free(otlp);
		return err;
	}
	if (pthread_create(&otlp->thread, NULL, run, otlp) != 0)
		abort();
	*ret_otlp = otlp;
	return WR_OK;
}

void otlp_stop(struct otlp *otlp)
{
	if (otlp == NULL)
		return;
	pthread_mutex_lock(&otlp->lock);
	otlp->stop = true;
	otlp->last_moment = mono_add_ms(clock_mono(), LAST_MS);
	pthread_cond_signal(&otlp->stopping);
	pthread_mutex_unlock(&otlp->lock);
	spans_stop(otlp->spans);
	pthread_join(otlp->thread, NULL);
	otlp_free(otlp);
}

void otlp_counts(const struct otlp *otlp, struct otlp_counts *ret_counts)
{
	ret_counts->sent = atomic_load(&otlp->sent);
	ret_counts->refused = atomic_load(&otlp->refused);
	ret_counts->retries = atomic_load(&otlp->retries);
}
