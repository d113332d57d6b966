/* Queues file: reading, checking, applying. The whole file is checked before any of it is applied.
 *
 * Every pod that starts brings its file, also in the middle of an event. A declaration is therefore
 * applied once: the store keeps a hash of it beside the settings, and a pod that comes with the
 * same declaration leaves alone what operators have changed since (a pause above all).
 *
 * A queue that is refused (its lane is in use, its tenant has too many) is said in the log, and the
 * others of the file are made.
 */
#include "queues_file.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_audit.h"
#include "queue_event.h"
#include "waitingroom/json_in.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"
#include "waitingroom/token.h"

#define FILE_MAX_BYTES (4 * 1024 * 1024)

static enum wr_err read_file(const char *path, char **ret_text, size_t *ret_len,
							 struct err_detail *ret_detail)
{
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return err_say(ret_detail, WR_IO, "WR_QUEUES_FILE: %s cannot be opened", path);
	char *text = mem_alloc_zero(1, FILE_MAX_BYTES + 1);
	size_t len = fread(text, 1, FILE_MAX_BYTES + 1, file);
	bool failed = ferror(file) != 0;
	fclose(file);
	if (failed || len > FILE_MAX_BYTES) {
		free(text);
		return err_say(ret_detail, WR_IO, "WR_QUEUES_FILE: %s cannot be read, or is over 4 MB",
					   path);
	}
	*ret_text = text;
	*ret_len = len;
	return WR_OK;
}

/* One element: everything but "queue" is settings. */
static enum wr_err read_queue(const struct json_value *element, struct queue_name *ret_name,
							  struct queue_settings *ret_settings, struct err_detail *ret_detail)
{
	const char *name = NULL;
	if (!json_string(json_member(element, "queue"), &name) ||
		!queue_name_parse(name, strlen(name), ret_name))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "WR_QUEUES_FILE: each queue needs \"queue\":\"tenant/queue\"");
	if (strcmp(ret_name->tenant, SYSTEM_TENANT) == 0)
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "WR_QUEUES_FILE: queue %s: the tenant \"" SYSTEM_TENANT "\" is reserved",
					   name);
	/* The parser takes settings alone: print the element without its name. */
	WR_AUTO(mem_free_at) char *text = json_print_without(element, "queue");
	struct err_detail inner = {""};
	enum wr_err err = queue_settings_from_put(text, strlen(text), NULL, ret_settings, &inner);
	if (err != WR_OK)
		return err_say(ret_detail, WR_BAD_CONFIG, "WR_QUEUES_FILE: queue %s: %.180s", name,
					   inner.text);
	return WR_OK;
}

typedef enum wr_err (*queue_fn)(void *ctx, const struct queue_name *name,
								struct queue_settings *settings);

static bool is_among(const struct queue_name *names, size_t count, const struct queue_name *name)
{
	for (size_t i = 0; i < count; i++)
		if (queue_name_equal(&names[i], name))
			return true;
	return false;
}

static enum wr_err each_queue(const char *path, queue_fn fn, void *ctx,
							  struct err_detail *ret_detail)
{
	WR_AUTO(mem_free_at) char *text = NULL;
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	size_t len = 0;
	struct err_detail inner = {""};
	enum wr_err err = read_file(path, &text, &len, ret_detail);
	if (err != WR_OK)
		return err;
	if (json_parse(text, len, &document, &inner) != WR_OK)
		return err_say(ret_detail, WR_BAD_CONFIG, "WR_QUEUES_FILE: %.200s", inner.text);
	const struct json_value *queues = json_member(document, "queues");
	if (queues == NULL || !json_is_array(queues))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "WR_QUEUES_FILE: needs a member \"queues\": [ … ]");
	WR_AUTO(mem_free_at)
	struct queue_name *names = mem_alloc_zero(json_count(queues) + 1, sizeof(*names));
	for (size_t i = 0; i < json_count(queues); i++) {
		WR_AUTO(queue_settings_clear) struct queue_settings settings;
		queue_settings_default(&settings);
		err = read_queue(json_at(queues, i), &names[i], &settings, ret_detail);
		if (err == WR_OK && is_among(names, i, &names[i]))
			err =
				err_say(ret_detail, WR_BAD_CONFIG, "WR_QUEUES_FILE: queue %s/%s stands in it twice",
						names[i].tenant, names[i].queue);
		if (err == WR_OK)
			err = fn(ctx, &names[i], &settings);
		if (err != WR_OK)
			return err;
	}
	return WR_OK;
}

static enum wr_err only_check(void *ctx, const struct queue_name *name,
							  struct queue_settings *settings)
{
	(void)ctx;
	(void)name;
	(void)settings;
	return WR_OK;
}

enum wr_err queues_file_check(const char *path, struct err_detail *ret_detail)
{
	return each_queue(path, only_check, NULL, ret_detail);
}

/* ---- applying ---- */

struct file_call {
	struct store *store;
	uint64_t audit_keep, queues_max;
	bool again; /* something may go better at another try */
};

struct look_call {
	bool done;
	enum wr_err err;
	char declared[QUEUE_DECLARED_CHARS + 1];
	const struct queue_name *name;
	const struct queue_settings *wanted;
	char entry[STORE_AUDIT_BYTES];
};

static void on_looked(void *ctx, enum wr_err err, const struct synced *answer)
{
	struct look_call *call = ctx;
	call->done = true;
	call->err = err;
	bool is_there = err == WR_OK && answer->has_settings;
	WR_AUTO(mem_free_at) char *before = NULL;
	WR_AUTO(mem_free_at) char *after = NULL;
	if (is_there)
		memcpy(call->declared, answer->settings.declared, sizeof(call->declared));
	admin_audit_settings(is_there ? &answer->settings : NULL, call->wanted, &before, &after);
	admin_audit_file(call->name, before, after, call->entry, sizeof(call->entry));
}

struct put_call {
	bool done;
	enum wr_err err;
};

static void on_put(void *ctx, enum wr_err err, enum put_result result, uint64_t version)
{
	struct put_call *call = ctx;
	(void)result;
	(void)version;
	call->done = true;
	call->err = err;
}

static void on_claimed(void *ctx, enum wr_err err, int64_t number)
{
	struct put_call *call = ctx;
	(void)number;
	call->done = true;
	call->err = err;
}

/* A hash of all the settings, secrets included: two declarations that mean the same have the
 * same. */
static void declare(struct queue_settings *settings)
{
	WR_AUTO(queue_fields_clear) struct queue_fields fields;
	queue_settings_to_fields(settings, &fields);
	_Static_assert(TARGET_HASH_CHARS == QUEUE_DECLARED_CHARS, "the hash is of another length");
	/* In an order that does not change. */
	target_hash(fields.text, fields.text_len, settings->declared);
}

static enum wr_err apply_one(const struct file_call *file, const struct queue_name *name,
							 struct queue_settings *settings)
{
	struct store *store = file->store;
	struct look_call look = {.name = name, .wanted = settings};
	struct put_call claim = {.done = false};
	store_claim_queue(store, name, true, file->queues_max, on_claimed, &claim);
	store_wait(store, &claim.done);
	if (claim.err != WR_OK)
		return claim.err;
	declare(settings);
	store_sync(store, name, "0", NULL, 0, 1, on_looked, &look);
	store_wait(store, &look.done);
	if (look.err == WR_OK && strcmp(look.declared, settings->declared) == 0)
		return WR_OK;
	if (look.err != WR_OK && look.err != WR_NOT_FOUND && look.err != WR_NO_QUEUE)
		return look.err;
	struct put_call call = {.done = false};
	char data[QUEUE_EVENT_BYTES];
	queue_event_data(settings, "file", data);
	struct store_audit audit = {.entry = look.entry, .keep = file->audit_keep};
	store_put_queue(store, name, settings, UINT64_MAX, data, NULL, &audit, on_put, &call);
	store_wait(store, &call.done);
	return call.err;
}

static enum wr_err apply(void *ctx, const struct queue_name *name, struct queue_settings *settings)
{
	struct file_call *file = ctx;
	enum wr_err err = apply_one(file, name, settings);
	if (err == WR_OK)
		return WR_OK;
	if (!store_is_ready(file->store))
		return WR_STORE_AWAY;
	/* Being cleared after a delete (busy), or the store is in trouble. */
	file->again = file->again || err == WR_BUSY || err == WR_STORE_AWAY;
	char text[QUEUE_NAME_TEXT_BYTES];
	queue_name_print(name, text);
	log_event(LOG_LEVEL_ERROR, "queues_file_refused", LOG_TEXT("queue", text),
			  LOG_TEXT("reason", err_sentence(err)));
	return WR_OK; /* the others are none the worse */
}

enum wr_err queues_file_apply(const struct config *config, struct store *store,
							  struct err_detail *ret_detail)
{
	struct file_call call = {.store = store,
							 .audit_keep = (uint64_t)config->audit_keep,
							 .queues_max = (uint64_t)config->tenant_queues_max};
	enum wr_err err = queues_file_check(config->queues_file, ret_detail);
	if (err == WR_OK)
		err = each_queue(config->queues_file, apply, &call, ret_detail);
	return err == WR_OK && call.again ? WR_STORE_AWAY : err;
}
