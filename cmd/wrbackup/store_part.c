/* The store's part: the keys that belong to no queue, then all queues, then what queues keep
 * besides their settings. Tenants come before their queues: a queue that is made would make its
 * tenant.
 *
 * Only what people have decided is saved: settings, tenants, admin keys, the audit trail. Places,
 * sessions and counts are as old as the backup and would be wrong; visitors bring theirs back
 * themselves, in their tokens.
 */
#include "backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#define QUEUES_KEY "wr:queues"
#define SYSTEM "system/admin"
#define KEY_NAME_BYTES (QUEUE_NAME_TEXT_BYTES + 64)

#define AUDIT "audit"						  /* of a queue, beside its settings */
#define AUDITED_KEY "wr:{" SYSTEM "}:audited" /* queues that were deleted, and until when */

/* Keys of what belongs to no queue. All fields of a key are saved, also those that a later version
 * adds. */
static const char *const system_keys[] = {"keys", "tenants", AUDIT};
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- saving ---- */

struct saving {
	struct store *store;
	struct archive_writer *writer;
	struct progress *progress;
	struct line line;
	struct err_detail *detail;
};

/* until_s  when the store forgets it, if it belongs to no queue any more; 0: never */
static enum wr_err save_key(struct saving *saving, const char *queue, const char *rest,
							int64_t until_s)
{
	char name[KEY_NAME_BYTES];
	snprintf(name, sizeof(name), "wr:{%s}:%s", queue, rest);
	struct key key;
	enum wr_err err = key_read(saving->store, name, &key, saving->detail);
	if (err)
		return err;
	if (key.type != KEY_NONE) {
		size_t bytes = 256;
		for (size_t i = 0; i < key.items.count; i++)
			bytes += key.items.list[i].len;
		line_begin(&saving->line, bytes, key.items.count);
		json_out_string(&saving->line.out, "kind", "key");
		json_out_string(&saving->line.out, "key", name);
		json_out_string(&saving->line.out, "type", key_type_word(key.type));
		if (until_s > 0)
			json_out_int(&saving->line.out, "until_s", until_s);
		json_out_array(&saving->line.out, "items");
		for (size_t i = 0; i < key.items.count; i++)
			line_text(&saving->line, NULL, key.items.list[i]);
		json_out_array_end(&saving->line.out);
		line_end(&saving->line);
		err = archive_line(saving->writer, saving->line.text, saving->line.out.len, saving->detail);
		progress_step(saving->progress);
	}
	key_clear(&key);
	return err;
}

static bool is_among(const struct texts *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->list[i].bytes, name) == 0)
			return true;
	return false;
}

/* The second in which the audit of a queue that was deleted is forgotten; 0: none was. */
static int64_t until_of(const struct texts *audited, const char *queue)
{
	int64_t until_s = 0;
	for (size_t i = 0; i + 1 < audited->count; i += 2)
		if (strcmp(audited->list[i].bytes, queue) == 0 &&
			text_to_i64(audited->list[i + 1].bytes, audited->list[i + 1].len, 0, INT64_MAX,
						&until_s))
			return until_s;
	return 0;
}

/* Of the queues that are there, and of those that were deleted and are still told of. */
static enum wr_err save_audits(struct saving *saving, const struct texts *names)
{
	struct key audited;
	struct queue_name name;
	enum wr_err err = key_read(saving->store, AUDITED_KEY, &audited, saving->detail);
	if (err)
		return err;
	for (size_t i = 0; !err && i < names->count; i++) {
		const char *queue = names->list[i].bytes;
		if (queue_name_parse(queue, names->list[i].len, &name) && strcmp(queue, SYSTEM) != 0)
			err = save_key(saving, queue, AUDIT, until_of(&audited.items, queue));
	}
	for (size_t i = 0; !err && i + 1 < audited.items.count; i += 2) {
		const char *queue = audited.items.list[i].bytes;
		if (queue_name_parse(queue, audited.items.list[i].len, &name) && !is_among(names, queue))
			err = save_key(saving, queue, AUDIT, until_of(&audited.items, queue));
	}
	key_clear(&audited);
	return err;
}

static enum wr_err save_queues(struct saving *saving, const struct texts *names)
{
	enum wr_err err = WR_OK;
	for (size_t k = 0; !err && k < COUNT_OF(system_keys); k++)
		err = save_key(saving, SYSTEM, system_keys[k], 0);
	struct queue_name name;
	for (size_t i = 0; !err && i < names->count; i++) {
		if (!queue_name_parse(names->list[i].bytes, names->list[i].len, &name))
			continue;
		err = queue_save(saving->store, &name, &saving->line, saving->writer, saving->detail);
		progress_step(saving->progress);
	}
	return err ? err : save_audits(saving, names);
}

enum wr_err store_part_save(struct store *store, struct archive_writer *writer,
							struct progress *progress, struct err_detail *ret_detail)
{
	struct saving saving = {
		.store = store, .writer = writer, .progress = progress, .detail = ret_detail};
	struct key queues;
	enum wr_err err = key_read(store, QUEUES_KEY, &queues, ret_detail);
	if (err)
		return err;
	progress_begin(progress, STORE_PART, queues.items.count + COUNT_OF(system_keys));
	err = archive_part_begin(writer, STORE_PART, ret_detail);
	if (!err)
		err = save_queues(&saving, &queues.items);
	if (!err)
		err = archive_part_end(writer, ret_detail);
	progress_end(progress);
	line_clear(&saving.line);
	key_clear(&queues);
	return err;
}

/* ---- restoring ---- */

struct restoring {
	struct servers *servers;
	bool write;
	enum restore_mode mode;
	struct progress *progress;
	struct restored *restored;
	struct err_detail *detail;
};

static enum wr_err ask_number(struct restoring *restoring, const char *command, const char *key,
							  int64_t *ret_number)
{
	struct store_items answer = {0};
	const struct store_text argv[] = {STORE_TEXT(command), STORE_TEXT(key)};
	enum wr_err err = store_command(restoring->servers->store, argv, 2, &answer, restoring->detail);
	if (err == WR_OK)
		*ret_number = answer.list[0].number;
	store_items_clear(&answer);
	return err;
}

static enum wr_err command(struct restoring *restoring, const struct store_text *argv, size_t argc)
{
	struct store_items answer = {0};
	enum wr_err err =
		store_command(restoring->servers->store, argv, argc, &answer, restoring->detail);
	store_items_clear(&answer);
	return err;
}

/* The audit of a deleted queue is found, and forgotten when its time comes. A queue of that name
 * that is there keeps it, and so does an end that the store knows already.
 * name  "wr:{tenant/queue}:audit" */
static enum wr_err restore_until(struct restoring *restoring, const char *name, int64_t until_s)
{
	const char *begin = strchr(name, '{') + 1;
	WR_AUTO(mem_free_at) char *queue = mem_copy(begin, strcspn(begin, "}"));
	char settings[KEY_NAME_BYTES], until[24];
	int64_t is_there = 0, ttl_s = 0;
	snprintf(settings, sizeof(settings), "wr:{%.150s}:settings", queue);
	snprintf(until, sizeof(until), "%lld", (long long)until_s);
	enum wr_err err = ask_number(restoring, "EXISTS", settings, &is_there);
	if (err == WR_OK)
		err = ask_number(restoring, "TTL", name, &ttl_s);
	if (err || is_there || ttl_s != -1)
		return err;
	err = command(restoring,
				  (const struct store_text[]){STORE_TEXT("ZADD"), STORE_TEXT(AUDITED_KEY),
											  STORE_TEXT(until), STORE_TEXT(queue)},
				  4);
	if (err == WR_OK)
		err = command(restoring,
					  (const struct store_text[]){STORE_TEXT("EXPIREAT"), STORE_TEXT(name),
												  STORE_TEXT(until)},
					  3);
	return err;
}

static enum wr_err restore_key(struct restoring *restoring, const struct json_value *row,
							   enum key_state *ret_state)
{
	const char *name, *type;
	struct key key = {0};
	bool good = json_string(json_member(row, "key"), &name) && strncmp(name, "wr:{", 4) == 0 &&
				json_string(json_member(row, "type"), &type) && key_type_parse(type, &key.type) &&
				texts_read(json_member(row, "items"), &key.items) && key.items.count > 0;
	enum wr_err err =
		good ? key_put(restoring->servers->store, name, &key, restoring->write,
					   restoring->mode == RESTORE_REPLACE, ret_state, restoring->detail)
			 : err_say(restoring->detail, WR_MALFORMED, "a line of a key is not as it should be");
	key_clear(&key);
	int64_t until_s;
	if (err == WR_OK && restoring->write && json_int(json_member(row, "until_s"), &until_s))
		err = restore_until(restoring, name, until_s);
	return err;
}

static void count(struct restoring *restoring, const struct json_value *row, enum key_state state)
{
	const char *name = "";
	if (!json_string(json_member(row, "queue"), &name))
		json_string(json_member(row, "key"), &name);
	restoring->restored->same += state == KEY_SAME;
	restoring->restored->missing += state == KEY_MISSING;
	restoring->restored->different += state == KEY_DIFFERENT;
	if (state == KEY_DIFFERENT && !restoring->write)
		printf("is there with other values: %s\n", name);
}

static enum wr_err on_line(void *ctx, const char *text, size_t len)
{
	struct restoring *restoring = ctx;
	const char *kind = "";
	WR_AUTO(json_free_at) struct json_value *row = NULL;
	enum wr_err err = json_parse(text, len, &row, restoring->detail);
	if (err)
		return err;
	enum key_state state = KEY_SAME;
	json_string(json_member(row, "kind"), &kind);
	if (strcmp(kind, "queue") == 0)
		err = queue_restore(restoring->servers, row, restoring->write, restoring->mode, &state,
							restoring->detail);
	else if (strcmp(kind, "key") == 0)
		err = restore_key(restoring, row, &state);
	else
		err = err_say(restoring->detail, WR_MALFORMED, "a line of a kind that is not known here");
	if (!err)
		count(restoring, row, state);
	progress_step(restoring->progress);
	return err;
}

enum wr_err store_part_restore(struct servers *servers, const struct archive *archive, bool write,
							   enum restore_mode mode, struct progress *progress,
							   struct restored *ret_restored, struct err_detail *ret_detail)
{
	*ret_restored = (struct restored){0};
	const struct archive_part *part = archive_part_find(archive, STORE_PART);
	if (!part)
		return err_say(ret_detail, WR_NOT_FOUND, "the backup has no part of the store");
	struct restoring restoring = {servers, write, mode, progress, ret_restored, ret_detail};
	progress_begin(progress, write ? "store" : "store, looking", part->lines);
	enum wr_err err = archive_read(archive, part, on_line, &restoring, ret_detail);
	progress_end(progress);
	return err;
}
