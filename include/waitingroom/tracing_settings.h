/* Tracing settings: are requests traced, how many, and where do their spans go?
 *
 * What     WR_TRACES… first; what they leave open is taken from the names that OpenTelemetry has given
 *          the world: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
 *          OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER,
 *          OTEL_TRACES_SAMPLER_ARG, OTEL_BSP_SCHEDULE_DELAY, OTEL_SDK_DISABLED.
 * Used by  cmd/api, cmd/admitter.
 * Threads  before they start.
 */
#ifndef WAITINGROOM_TRACING_SETTINGS_H
#define WAITINGROOM_TRACING_SETTINGS_H

#include "waitingroom/config.h"
#include "waitingroom/trace.h"

struct tracing_settings {
	bool on;
	struct trace_sampler sampler;
	char url[CONFIG_TEXT_BYTES + 16];
	int64_t batch_ms; /* longest wait of a span for others; 0: the exporter's own */
	/* lent by the environment, for as long as the process runs */
	const char *headers, *resource, *service_name;
};

/* program: the service's name when nobody gives another. WR_BAD_CONFIG names the variable. */
WR_MUST_USE enum wr_err tracing_settings_read(const struct config *config, const char *program,
											  struct tracing_settings *ret_settings,
											  struct err_detail *ret_detail);

#endif
