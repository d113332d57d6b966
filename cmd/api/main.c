/* waitingroom-api: starts the threads, waits for signals, drains.
 *
 * Start: settings → keys (without them nothing can be signed: refuse) → sync → workers → relay →
 * internal port. SIGHUP reads keys and admin keys again; a bad file keeps all that was before.
 * SIGTERM: /readyz says no → WR_DRAIN_WAIT_MS for the gateway to notice → workers finish what is
 * under way and flush heartbeats → relay stops → exit 0. A second SIGTERM ends at once, cleanly.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin_keys.h"
#include "app_start.h"
#include "waitingroom/log.h"
#include "waitingroom/process.h"
#include "worker.h"

#define PROGRAM "waitingroom-api"

static const struct process_about about = {
	.program = PROGRAM,
	.summary = "visitors' HTTP of the waiting room",
	.text = "serves the waiting page, joins, polls and gate checks on WR_LISTEN,\n"
			"and metrics, health and the admin API on WR_INTERNAL_LISTEN,\n"
			"which must never be reached from outside.\n"
			"Any number may run side by side behind a gateway; each knows all queues.",
	.options = (const struct process_option[]){
		{"generate-keys", "FILE", "Makes signing keys, in a file that its owner only may read."},
		{"generate-admin-key", "FILE",
		 "Adds a key of the admin API to the file, hashed, and prints it: the only time."},
		{0}}};

static int generate(const char *what, const char *path)
{
	struct err_detail detail = {""};
	char key[ADMIN_KEY_BYTES];
	enum wr_err err = WR_OK;
	if (strcmp(what, "--generate-keys") == 0) {
		err = keys_generate(path, &detail);
	} else {
		err = admin_keys_generate(path, key, &detail);
		if (err == WR_OK)
			puts(key);
	}
	if (err != WR_OK)
		fprintf(stderr, "%s: %s\n", PROGRAM, detail.text);
	return err == WR_OK ? 0 : 1;
}

/* Waits for the workers' threads; true when a second signal asked to stop at once. */
static bool drain(struct app *app)
{
	log_event(LOG_LEVEL_INFO, "draining", LOG_NUMBER("wait_ms", app->config.drain_wait_ms));
	atomic_store(&app->draining, true);
	bool now = process_wait_signal(app->config.drain_wait_ms) == PROCESS_STOP;
	for (size_t i = 0; i < app->worker_count; i++)
		worker_drain(app->workers[i]);
	struct mono_time deadline = mono_add_ms(clock_mono(), app->config.drain_limit_ms);
	while (!now && !app_workers_ended(app) && mono_diff_ms(clock_mono(), deadline) > 0)
		now = process_wait_signal(20) == PROCESS_STOP;
	return now;
}

static void serve(struct app *app)
{
	for (;;) {
		enum process_signal signal = process_wait_signal(-1);
		if (signal == PROCESS_RELOAD)
			app_reload(app);
		if (signal == PROCESS_STOP)
			break;
	}
	bool at_once = drain(app);
	app_stop(app, at_once ? 0 : 2000);
	log_event(LOG_LEVEL_INFO, "stopped");
	log_writer_stop();
}

int main(int argc, char **argv)
{
	int status = 0;
	if (argc == 3 &&
		(strcmp(argv[1], "--generate-keys") == 0 || strcmp(argv[1], "--generate-admin-key") == 0))
		return generate(argv[1], argv[2]);
	if (process_arguments(argc, argv, &about, &status))
		return status;
	process_prepare();
	struct err_detail detail = {""};
	struct app *app = NULL;
	if (app_start(&app, &detail) != WR_OK) {
		log_writer_stop();
		fprintf(stderr, "%s: %s\n", PROGRAM, detail.text);
		_exit(1); /* threads may be running: exit() would take libraries' state from under them */
	}
	serve(app);
	return 0;
}
