/* waitingroom-admitter: lets people in, expires the silent, ends sessions; any number may run.
 *
 * SIGTERM: steps under way end, leases are given up, the relay publishes what it holds, exit 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admitter.h"
#include "health.h"
#include "tracing.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"
#include "waitingroom/process.h"
#include "waitingroom/version.h"

#define PROGRAM "waitingroom-admitter"

static const struct process_about about = {
	.program = PROGRAM,
	.summary = "gives places out at the rate and up to the capacity",
	.text = "lets people of a waiting room in, expires those who are silent, ends sessions,\n"
			"and moves events from the store to NATS.\n"
			"Any number may run: a lease decides who works on a queue,\n"
			"and whoever dies is replaced within WR_LEASE_MS.",
	.options = (const struct process_option[]){{0}}};

struct parts {
	struct config config;
	struct store_address *address;
	struct store_outbox *outbox;
	struct relay *relay;
	struct tracing *tracing; /* NULL: nothing is traced */
	struct admitter *admitter;
	struct health *health;
};

static enum wr_err start_relay(struct parts *parts, struct err_detail *ret_detail)
{
	const struct config *config = &parts->config;
	char owner[OWNER_BYTES];
	if (!config->relay)
		return WR_OK;
	snprintf(owner, sizeof(owner), "relay-%08x%08x", (unsigned)getpid(),
			 (unsigned)(clock_mono().ns & 0xffffffff));
	parts->outbox = store_outbox_new(parts->address, owner, config->relay_lease_ms,
									 (uint32_t)config->store_timeout_ms);
	struct spans *spans = tracing_spans(parts->tracing);
	struct relay_options options = {.nats_url = config->nats_url,
									.source = store_outbox_source(parts->outbox),
									.replicas = (uint32_t)config->stream_replicas,
									.max_age_s = config->stream_max_age_s,
									.max_bytes = config->stream_max_bytes,
									.duplicate_window_s = config->stream_duplicate_window_s,
									.on_wait = spans != NULL ? spans_put_wait : NULL,
									.ctx = spans};
	return config_blame(relay_start(&options, &parts->relay, ret_detail), "WR_NATS_URL",
						ret_detail);
}

static enum wr_err start(struct parts *parts, struct err_detail *ret_detail)
{
	enum log_level level = LOG_LEVEL_INFO;
	enum wr_err err = config_read(&parts->config, ret_detail);
	if (err == WR_OK && !log_level_parse(parts->config.log_level, &level))
		err =
			err_say(ret_detail, WR_BAD_CONFIG, "WR_LOG_LEVEL: must be debug, info, warn or error");
	log_start(PROGRAM, level);
	log_name_instance(parts->config.instance);
	log_set_limit((uint32_t)parts->config.log_lines_per_s);
	log_writer_start();
	if (err == WR_OK)
		err =
			config_blame(store_address_parse(parts->config.store_url, &parts->address, ret_detail),
						 "WR_STORE_URL", ret_detail);
	if (err == WR_OK)
		err = tracing_start(&parts->config, PROGRAM, &parts->tracing, ret_detail);
	if (err == WR_OK)
		err = start_relay(parts, ret_detail);
	if (err != WR_OK)
		return err;
	parts->admitter = admitter_start(&parts->config, parts->address, parts->tracing);
	err = config_blame(
		health_start(&parts->config, parts->admitter, parts->relay, &parts->health, ret_detail),
		"WR_INTERNAL_LISTEN", ret_detail);
	if (err == WR_OK)
		err = process_write_ready(parts->config.ready_file, "", health_address(parts->health),
								  ret_detail);
	return err;
}

static void stop(struct parts *parts)
{
	health_stop(WR_TAKE(parts->health)); /* it looks at the others: first */
	admitter_stop(WR_TAKE(parts->admitter));
	if (parts->relay != NULL)
		relay_stop(WR_TAKE(parts->relay), 2000);
	tracing_stop(WR_TAKE(parts->tracing));
	store_outbox_free(parts->outbox);
	store_address_free(parts->address);
}

int main(int argc, char **argv)
{
	static struct parts parts;
	struct err_detail detail = {""};
	int status = 0;
	if (process_arguments(argc, argv, &about, &status))
		return status;
	process_prepare();
	if (start(&parts, &detail) != WR_OK) {
		log_writer_stop();
		fprintf(stderr, "%s: %s\n", PROGRAM, detail.text);
		_exit(1); /* threads may be running: exit() would take libraries' state from under them */
	}
	log_event(LOG_LEVEL_INFO, "started", LOG_TEXT("internal", health_address(parts.health)));
	while (process_wait_signal(5000) != PROCESS_STOP)
		if (!atomic_load(&parts.admitter->is_ready))
			store_address_resolve(parts.address);
	stop(&parts);
	log_event(LOG_LEVEL_INFO, "stopped");
	log_writer_stop();
	return 0;
}
