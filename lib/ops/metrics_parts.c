/* Metrics that both programs have: what they ask of the store, what their relay does, what their
 * log has lost. */
#include "waitingroom/log.h"
#include "waitingroom/metrics.h"

void metrics_store(struct metrics_page *page, const struct metrics_store_counts *counts)
{
	metrics_value(page, METRIC_STORE_UP, "", (double)counts->ready);
	metrics_value(page, METRIC_STORE_CALLS, "", (double)counts->calls);
	metrics_value(page, METRIC_STORE_COMMANDS, "", (double)counts->commands);
	metrics_value(page, METRIC_STORE_FAILURES, "", (double)counts->failures);
	metrics_value(page, METRIC_STORE_TIMEOUTS, "", (double)counts->timeouts);
	metrics_value(page, METRIC_STORE_RECONNECTS, "", (double)counts->reconnects);
	metrics_timings(page, METRIC_STORE_SECONDS, "", counts->answers);
}

void metrics_relay(struct metrics_page *page, const struct metrics_relay_counts *counts)
{
	metrics_value(page, METRIC_EVENTS, "", (double)counts->published);
	metrics_value(page, METRIC_EVENTS_ACKED, "", (double)counts->acked);
	metrics_value(page, METRIC_EVENTS_FAILED, "", (double)counts->failed);
	metrics_value(page, METRIC_EVENTS_REPUBLISHED, "", (double)counts->republished);
	metrics_value(page, METRIC_EVENTS_MALFORMED, "", (double)counts->malformed);
	metrics_timings(page, METRIC_EVENT_LAG, "", counts->lag);
	metrics_value(page, METRIC_OUTBOX, "", (double)counts->backlog);
	metrics_value(page, METRIC_OUTBOX_AGE, "", (double)counts->oldest_ms / 1e3);
	metrics_value(page, METRIC_BROKER_UP, "", counts->connected ? 1 : 0);
}

void metrics_log(struct metrics_page *page)
{
	struct log_counts counts;
	log_counts(&counts);
	metrics_value(page, METRIC_LOG_DROPPED, "reason=\"full\"", (double)counts.dropped);
	metrics_value(page, METRIC_LOG_DROPPED, "reason=\"repeated\"", (double)counts.withheld);
}

void metrics_traces(struct metrics_page *page, const struct metrics_trace_counts *counts)
{
	metrics_value(page, METRIC_TRACES, "result=\"sent\"", (double)counts->sent);
	metrics_value(page, METRIC_TRACES, "result=\"dropped\"", (double)counts->dropped);
	metrics_value(page, METRIC_TRACES, "result=\"refused\"", (double)counts->refused);
}
