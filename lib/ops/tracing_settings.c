/* Tracing settings: from our variables and OpenTelemetry's to one struct.
 *
 * Only WR_TRACES switches tracing on: clusters put OTEL_EXPORTER_OTLP_ENDPOINT into every pod, and
 * that alone shall not make this one do more. OTEL_SDK_DISABLED switches it off, whatever else is
 * said.
 */
#include "waitingroom/tracing_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "waitingroom/text.h"

#define ENDPOINT_DEFAULT "http://127.0.0.1:4318"
#define PATH "/v1/traces"
#define SAMPLER_DEFAULT "parentbased_traceidratio"
#define RATIO_DEFAULT "0.01"

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value != NULL ? value : "";
}

/* The path of the signal is added to an endpoint of all signals (OTLP exporter, section 'Endpoint
 * URLs'). */
static void choose_url(const struct config *config, char *url, size_t room)
{
	const char *whole = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
			   *base = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
	if (config->traces_endpoint[0] != '\0') {
		base = config->traces_endpoint;
		whole = "";
	}
	if (whole[0] != '\0') {
		snprintf(url, room, "%s", whole);
		return;
	}
	if (base[0] == '\0')
		base = ENDPOINT_DEFAULT;
	size_t len = strlen(base), path = strlen(PATH);
	bool has_path = len >= path && strcmp(base + len - path, PATH) == 0;
	while (len > 0 && base[len - 1] == '/')
		len--;
	snprintf(url, room, "%.*s%s", (int)len, base, has_path ? "" : PATH);
}

static enum wr_err choose_sampler(const struct config *config, struct trace_sampler *ret_sampler,
								  struct err_detail *ret_detail)
{
	const char *name = variable("OTEL_TRACES_SAMPLER"),
			   *ratio = variable("OTEL_TRACES_SAMPLER_ARG");
	if (config->traces_ratio[0] != '\0') {
		if (trace_sampler_parse(SAMPLER_DEFAULT, config->traces_ratio, ret_sampler))
			return WR_OK;
		return err_say(ret_detail, WR_BAD_CONFIG, "WR_TRACES_RATIO: must be 0..1, such as 0.01");
	}
	if (name[0] == '\0') {
		name = SAMPLER_DEFAULT;
		ratio = RATIO_DEFAULT;
	}
	if (trace_sampler_parse(name, ratio[0] != '\0' ? ratio : "1", ret_sampler))
		return WR_OK;
	return err_say(ret_detail, WR_BAD_CONFIG,
				   "OTEL_TRACES_SAMPLER: must be always_on, always_off, traceidratio, or one of "
				   "these behind parentbased_; OTEL_TRACES_SAMPLER_ARG: 0..1");
}

enum wr_err tracing_settings_read(const struct config *config, const char *program,
								  struct tracing_settings *ret_settings,
								  struct err_detail *ret_detail)
{
	bool on = strcmp(config->traces, "on") == 0;
	if (!on && strcmp(config->traces, "off") != 0)
		return err_say(ret_detail, WR_BAD_CONFIG, "WR_TRACES: must be on or off");
	const char *service_name = variable("OTEL_SERVICE_NAME");
	const char *delay = variable("OTEL_BSP_SCHEDULE_DELAY");
	int64_t batch_ms = 0;
	if (delay[0] != '\0' && !text_to_i64(delay, strlen(delay), 1, 3600000, &batch_ms))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "OTEL_BSP_SCHEDULE_DELAY: must be 1..3600000 milliseconds");
	*ret_settings = (struct tracing_settings){
		.batch_ms = batch_ms,
		.on = on && strcasecmp(variable("OTEL_SDK_DISABLED"), "true") != 0,
		.headers = variable("OTEL_EXPORTER_OTLP_HEADERS"),
		.resource = variable("OTEL_RESOURCE_ATTRIBUTES"),
		.service_name = service_name[0] != '\0' ? service_name : program,
	};
	if (!ret_settings->on)
		return WR_OK;
	choose_url(config, ret_settings->url, sizeof(ret_settings->url));
	return choose_sampler(config, &ret_settings->sampler, ret_detail);
}
