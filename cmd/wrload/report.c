/* Report: the line of progress and the JSON object at the end.
 *
 * The object has what was done ("counts"), how fast ("latency_ms", one entry per operation, and
 * "late_start" for the generator's own delay: when that is large, the crowd was the bottleneck and
 * the other numbers say little about the service), the same for each phase of the run ("phases"),
 * how much the checks had to compare ("checked"), and what they found ("violations").
 */
#include "report.h"

#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define REPORT_ROOM (256 * 1024) /* about 4 kB, and at most 160 violations of less than 1 kB each */

#define OP_WORD(name, word, path) word,
#define OUTCOME_WORD(name, word) word,
static const char *const op_words[] = {OP_TABLE(OP_WORD)};
static const char *const outcome_words[] = {OUTCOME_TABLE(OUTCOME_WORD)};
#undef OP_WORD
#undef OUTCOME_WORD

void report_progress(const struct crowd *crowd, FILE *file)
{
	const struct tally *tally = &crowd->tally;
	bool is_terminal = isatty(fileno(file));
	int64_t now_ms = crowd_ms(crowd, loop_now(crowd->loop));
	uint64_t ended = tally->released + tally->left + tally->vanished + tally->expired +
					 tally->missed + tally->ended + tally->lost;
	fprintf(file,
			"%s%6.1f s  joined %" PRIu64 "  waiting %" PRIu32 "  admitted %" PRIu64
			"  ended %" PRIu64 "  requests/s %" PRIu64 "  errors %" PRIu64
			"  p99 %.1f ms  violations %" PRIu64 "%s",
			is_terminal ? "\r" : "", (double)now_ms / 1000, tally->joined,
			crowd->in_stage[VISITOR_WAITING], tally->admitted, ended,
			tally->requests - crowd->requests_before, tally->transport_errors + tally->answers_5xx,
			(double)histogram_quantile_us(&tally->this_second, 0.99) / 1000,
			checker_violations(crowd->checker)->count, is_terminal ? "\033[K" : "\n");
	fflush(file);
}

static void write_fraction(struct json_out *out, const char *key, double number)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%.3f", number);
	json_out_raw(out, key, text, (size_t)len);
}

static void write_histogram(struct json_out *out, const char *key,
							const struct histogram *histogram)
{
	static const struct {
		const char *key;
		double share;
	} quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};
	json_out_object(out, key);
	json_out_int(out, "count", (int64_t)histogram->count);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		write_fraction(out, quantiles[i].key,
					   (double)histogram_quantile_us(histogram, quantiles[i].share) / 1000);
	json_out_object_end(out);
}

static void write_numbers(const struct crowd *crowd, struct json_out *out)
{
	const struct tally *tally = &crowd->tally;
	json_out_object(out, "counts");
#define WRITE_COUNT(name) json_out_int(out, #name, (int64_t)tally->name);
	TALLY_TABLE(WRITE_COUNT)
#undef WRITE_COUNT
	json_out_int(out, "still_waiting", crowd->in_stage[VISITOR_WAITING]);
	json_out_object_end(out);
	json_out_object(out, "outcomes");
	for (int i = 0; i < OUTCOME_COUNT; i++)
		json_out_int(out, outcome_words[i], (int64_t)tally->outcomes[i]);
	json_out_object_end(out);
	json_out_object(out, "latency_ms");
	for (int i = 0; i < OP_COUNT; i++)
		write_histogram(out, op_words[i], &tally->latency[i]);
	write_histogram(out, "late_start", &tally->late_start);
	json_out_object_end(out);
}

static void write_phases(const struct tally *tally, struct json_out *out)
{
	json_out_array(out, "phases");
	for (int i = 0; i <= tally->phase; i++) {
		json_out_object(out, NULL);
		json_out_int(out, "begun_ms", tally->phases[i].begun_ms);
		json_out_int(out, "requests", (int64_t)tally->phases[i].requests);
		json_out_int(out, "failed", (int64_t)tally->phases[i].failed);
		write_histogram(out, "latency_ms", &tally->phases[i].latency);
		json_out_object_end(out);
	}
	json_out_array_end(out);
}

static void write_findings(const struct crowd *crowd, struct json_out *out)
{
	const struct checked *checked = checker_checked(crowd->checker);
	const struct violations *violations = checker_violations(crowd->checker);
	json_out_object(out, "checked");
#define WRITE_COUNT(name) json_out_int(out, #name, (int64_t)checked->name);
	CHECKED_TABLE(WRITE_COUNT)
#undef WRITE_COUNT
	json_out_object_end(out);
	json_out_int(out, "violation_count", (int64_t)violations->count);
	json_out_object(out, "violation_counts");
	for (int i = 0; i < INVARIANT_COUNT; i++)
		json_out_int(out, invariant_word((enum invariant)i), (int64_t)violations->counts[i]);
	json_out_object_end(out);
	json_out_array(out, "violations");
	for (size_t i = 0; i < violations->kept_count; i++) {
		const struct violation *violation = &violations->kept[i];
		json_out_object(out, NULL);
		json_out_string(out, "invariant", invariant_word(violation->invariant));
		json_out_string(out, "sentence", invariant_sentence(violation->invariant));
		json_out_string(out, "position_id", violation->position_id);
		json_out_int(out, "at_ms", violation->at_ms);
		json_out_string(out, "what", violation->what);
		json_out_object_end(out);
	}
	json_out_array_end(out);
}

void report_write(const struct crowd *crowd, FILE *file)
{
	char *text = mem_alloc_zero(1, REPORT_ROOM);
	double seconds = (double)(crowd->ended.ns - crowd->started.ns) / 1e9;
	struct json_out out;
	json_out_init(&out, text, REPORT_ROOM);
	json_out_object(&out, NULL);
	json_out_string(&out, "queue", crowd->options->queue);
	json_out_int(&out, "seed", crowd->options->seed);
	json_out_bool(&out, "interrupted", crowd->was_interrupted);
	write_fraction(&out, "seconds", seconds);
	write_fraction(&out, "requests_per_s", (double)crowd->tally.requests / seconds);
	write_fraction(&out, "admitted_per_s", (double)crowd->tally.admitted / seconds);
	write_numbers(crowd, &out);
	write_phases(&crowd->tally, &out);
	write_findings(crowd, &out);
	json_out_object_end(&out);
	fprintf(file, "%.*s\n", (int)out.len, text);
	free(text);
}
