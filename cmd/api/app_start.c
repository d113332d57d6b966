/* Starting: each step refuses with a sentence that says what to do. Stopping: the reverse. */
#include "app_start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin_keys.h"
#include "contract.h"
#include "internal.h"
#include "language.h"
#include "page_cache.h"
#include "queues_file.h"
#include "sync.h"
#include "tracing.h"
#include "waitingroom/captcha.h"
#include "waitingroom/gate_url.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"
#include "waitingroom/process.h"
#include "waitingroom/version.h"
#include "worker.h"

static void free_keys(void *keys)
{
	keys_free(keys);
}

static enum wr_err read_keys(const struct app *app, struct keys **ret_keys,
							 struct err_detail *ret_detail)
{
	if (app->config.token_keys_file[0] == '\0')
		return err_say(
			ret_detail, WR_BAD_CONFIG,
			"WR_TOKEN_KEYS_FILE: is not set; tokens cannot be signed without keys. Make a "
			"file once with `waitingroom-api --generate-keys FILE`, give the same file to "
			"every pod, and keep it secret");
	return config_blame(keys_load(app->config.token_keys_file, ret_keys, ret_detail),
						"WR_TOKEN_KEYS_FILE", ret_detail);
}

static enum wr_err read_admin_keys(const struct app *app, struct admin_keys **ret_keys,
								   struct err_detail *ret_detail)
{
	if (app->config.admin_keys_file[0] == '\0')
		return WR_OK;
	return admin_keys_load(app->config.admin_keys_file, ret_keys, ret_detail);
}

/* Both files or neither: half a rotation is harder to understand than none. */
static enum wr_err load_keys(struct app *app, struct err_detail *ret_detail)
{
	struct keys *keys = NULL;
	struct admin_keys *admin_keys = NULL;
	enum wr_err err = read_keys(app, &keys, ret_detail);
	if (err == WR_OK)
		err = read_admin_keys(app, &admin_keys, ret_detail);
	if (err != WR_OK) {
		keys_free(keys);
		return err;
	}
	struct keys *old = atomic_exchange(&app->keys, keys);
	if (old != NULL)
		quiescence_retire(app->quiescence, old, free_keys);
	struct admin_keys *old_admin = atomic_exchange(&app->admin_keys, admin_keys);
	if (old_admin != NULL)
		quiescence_retire(app->quiescence, old_admin, admin_keys_free);
	return WR_OK;
}

static enum wr_err split_origins(struct app *app, struct err_detail *ret_detail)
{
	memcpy(app->origins_text, app->config.cors_origins, sizeof(app->origins_text));
	char *rest = app->origins_text, *origin;
	while ((origin = strsep(&rest, ",")) != NULL) {
		if (origin[0] == '\0')
			continue;
		if (app->origin_count == ORIGINS_MAX || strstr(origin, "://") == NULL)
			return err_say(ret_detail, WR_BAD_CONFIG,
						   "WR_CORS_ORIGINS: at most %d of the form https://shop.example",
						   ORIGINS_MAX);
		app->origins[app->origin_count++] = origin;
	}
	return WR_OK;
}

static enum wr_err read_settings(struct app *app, struct err_detail *ret_detail)
{
	enum log_level level = LOG_LEVEL_INFO;
	enum wr_err err = config_read(&app->config, ret_detail);
	if (err == WR_OK && !log_level_parse(app->config.log_level, &level))
		err =
			err_say(ret_detail, WR_BAD_CONFIG, "WR_LOG_LEVEL: must be debug, info, warn or error");
	if (err == WR_OK && !access_log_mode_parse(app->config.access_log, &app->access_log))
		err = err_say(ret_detail, WR_BAD_CONFIG,
					  "WR_ACCESS_LOG: must be off, errors, sampled or all");
	log_start("waitingroom-api", level);
	log_name_instance(app->config.instance);
	log_set_limit((uint32_t)app->config.log_lines_per_s);
	log_writer_start();
	if (err == WR_OK)
		err = split_origins(app, ret_detail);
	if (err == WR_OK)
		err = config_blame(
			trusted_proxies_parse(app->config.trusted_proxies, &app->proxies, ret_detail),
			"WR_TRUSTED_PROXIES", ret_detail);
	if (err == WR_OK)
		err = config_blame(gate_room_check(app->config.public_url, ret_detail), "WR_PUBLIC_URL",
						   ret_detail);
	if (err == WR_OK)
		err = config_blame(
			store_address_parse(app->config.store_url, &app->store_address, ret_detail),
			"WR_STORE_URL", ret_detail);
	if (err == WR_OK && app->config.queues_file[0] != '\0')
		err = queues_file_check(app->config.queues_file, ret_detail);
	if (err == WR_OK)
		err = load_keys(app, ret_detail);
	return err;
}

static enum wr_err start_workers(struct app *app, struct err_detail *ret_detail)
{
	size_t count = (size_t)app->config.workers;
	if (count == 0)
		count = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
	if (count > WORKERS_MAX)
		count = WORKERS_MAX;
	for (size_t i = 0; i < count; i++) {
		enum wr_err err = worker_new(app, i, &app->workers[i], ret_detail);
		if (err != WR_OK)
			return config_blame(err, "WR_LISTEN", ret_detail);
		app->worker_count = i + 1;
	}
	for (size_t i = 0; i < count; i++)
		worker_start(app->workers[i]);
	return WR_OK;
}

/* Whoever reads our ready file may connect. */
static enum wr_err await_ports(const struct app *app, struct err_detail *ret_detail)
{
	for (size_t i = 0; i < app->worker_count; i++) {
		enum worker_port port;
		while ((port = atomic_load(&app->workers[i]->port)) == PORT_CLOSED)
			usleep(1000);
		if (port == PORT_FAILED)
			return err_say(ret_detail, WR_IO, "WR_LISTEN: %.100s: cannot listen",
						   http_server_address(app->workers[i]->http));
	}
	return WR_OK;
}

static enum wr_err start_relay(struct app *app, struct err_detail *ret_detail)
{
	if (!app->config.relay)
		return WR_OK;
	char owner[32];
	snprintf(owner, sizeof(owner), "api-%08x%08x", (unsigned)getpid(),
			 (unsigned)(clock_mono().ns & 0xffffffff));
	app->outbox = store_outbox_new(app->store_address, owner, app->config.relay_lease_ms,
								   (uint32_t)app->config.store_timeout_ms);
	struct relay_options options = {
		.nats_url = app->config.nats_url,
		.source = store_outbox_source(app->outbox),
		.replicas = (uint32_t)app->config.stream_replicas,
		.max_age_s = app->config.stream_max_age_s,
		.max_bytes = app->config.stream_max_bytes,
		.duplicate_window_s = app->config.stream_duplicate_window_s,
		.on_wait = app->spans != NULL ? spans_put_wait : NULL,
		.ctx = app->spans,
	};
	return config_blame(relay_start(&options, &app->relay, ret_detail), "WR_NATS_URL", ret_detail);
}

static enum wr_err make_captcha(struct app *app, struct err_detail *ret_detail)
{
	struct captcha_options options = {
		.url = {[CAPTCHA_TURNSTILE] = app->config.turnstile_url,
				[CAPTCHA_HCAPTCHA] = app->config.hcaptcha_url,
				[CAPTCHA_FRIENDLY] = app->config.friendly_url},
		.timeout_ms = (uint32_t)app->config.captcha_timeout_ms,
	};
	return captcha_new(&options, &app->captcha, ret_detail);
}

enum wr_err app_start(struct app **ret_app, struct err_detail *ret_detail)
{
	struct app *app = mem_alloc_zero(1, sizeof(*app));
	app->quiescence = quiescence_new();
	enum wr_err err = read_settings(app, ret_detail);
	if (err != WR_OK)
		return err;
	err = make_captcha(app, ret_detail);
	if (err == WR_OK)
		err = tracing_start(app, ret_detail);
	if (err != WR_OK)
		return err;
	app->queues = queue_table_new(app->quiescence, (size_t)app->config.queues_max);
	app->open_taken = mem_alloc_zero((size_t)app->config.queues_max, sizeof(*app->open_taken));
	app->flushed_ms = mem_alloc_zero((size_t)app->config.queues_max, sizeof(*app->flushed_ms));
	app->astir = mem_alloc_zero((size_t)app->config.queues_max, sizeof(*app->astir));
	app->languages = languages_new();
	app->contract = contract_build();
	app->pages = page_cache_start(app->quiescence, app->queues, app->languages);
	app->sync = sync_start(app);
	err = start_workers(app, ret_detail);
	if (err == WR_OK)
		err = start_relay(app, ret_detail);
	if (err == WR_OK) /* last: it looks at all the others */
		err = config_blame(internal_start(app, &app->internal, ret_detail), "WR_INTERNAL_LISTEN",
						   ret_detail);
	if (err == WR_OK)
		err = await_ports(app, ret_detail);
	if (err == WR_OK)
		err =
			process_write_ready(app->config.ready_file, http_server_address(app->workers[0]->http),
								internal_address(app->internal), ret_detail);
	if (err != WR_OK)
		return err; /* the process ends: nothing to take down one by one */
	log_event(LOG_LEVEL_INFO, "started",
			  LOG_TEXT("listen", http_server_address(app->workers[0]->http)),
			  LOG_TEXT("internal", internal_address(app->internal)),
			  LOG_NUMBER("workers", (int64_t)app->worker_count));
	*ret_app = app;
	return WR_OK;
}

void app_reload(struct app *app)
{
	struct err_detail detail = {""};
	if (load_keys(app, &detail) != WR_OK)
		log_event(LOG_LEVEL_ERROR, "reload_refused", LOG_TEXT("reason", detail.text));
	else
		log_event(LOG_LEVEL_INFO, "reloaded");
}

bool app_workers_ended(const struct app *app)
{
	for (size_t i = 0; i < app->worker_count; i++)
		if (!atomic_load(&app->workers[i]->ended))
			return false;
	return true;
}

void app_stop(struct app *app, int64_t relay_ms)
{
	for (size_t i = 0; i < app->worker_count; i++)
		worker_stop(app->workers[i]);
	internal_stop(app->internal); /* it looks at the workers: first */
	captcha_free(app->captcha);	  /* its last verdicts go to the workers' desks */
	for (size_t i = 0; i < app->worker_count; i++)
		worker_join(app->workers[i]);
	if (app->relay != NULL)
		relay_stop(app->relay, relay_ms);
	store_outbox_free(app->outbox);
	sync_stop(app->sync);
	tracing_stop(app);
	page_cache_stop(app->pages);
	page_free(app->contract);
	languages_free(app->languages);
	queue_table_free(app->queues);
	quiescence_free(app->quiescence);
	keys_free(atomic_load(&app->keys));
	admin_keys_free(atomic_load(&app->admin_keys));
	trusted_proxies_free(app->proxies);
	free(app->open_taken);
	free(app->flushed_ms);
	free(app->astir);
	store_address_free(app->store_address);
	free(app);
}
