/* The store's part: the keys that belong to no queue, then all queues, then what queues keep besides their
 * settings. Tenants come before their queues: a queue that is made would make its tenant.
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

#define QUEUES_KEY "wr:queues"
#define SYSTEM "system/admin"
#define KEY_NAME_BYTES (QUEUE_NAME_TEXT_BYTES + 64)

/* Keys of a queue, and of the shard of what belongs to no queue. All fields of a key are saved,
 * also those that a later version adds. */
static const char *const queue_keys[] = {"audit"};
static const char *const system_keys[] = {"keys", "tenants", "audit"};
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- saving ---- */

struct saving {
	struct store *store;
	struct archive_writer *writer;
	struct progress *progress;
	struct line line;
	struct err_detail *detail;
};

static enum wr_err save_key(struct saving *saving, const char *queue, const char *rest)
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

static enum wr_err save_queues(struct saving *saving, const struct texts *names)
{
	enum wr_err err = WR_OK;
	for (size_t k = 0; !err && k < COUNT_OF(system_keys); k++)
		err = save_key(saving, SYSTEM, system_keys[k]);
	struct queue_name name;
	for (size_t i = 0; !err && i < names->count; i++) {
		if (!queue_name_parse(names->list[i].bytes, names->list[i].len, &name))
			continue;
		err = queue_save(saving->store, &name, &saving->line, saving->writer, saving->detail);
		progress_step(saving->progress);
	}
	for (size_t i = 0; !err && i < names->count; i++)
		for (size_t k = 0; !err && k < COUNT_OF(queue_keys); k++)
			if (queue_name_parse(names->list[i].bytes, names->list[i].len, &name) &&
				strcmp(names->list[i].bytes, SYSTEM) != 0)
				err = save_key(saving, names->list[i].bytes, queue_keys[k]);
	return err;
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
