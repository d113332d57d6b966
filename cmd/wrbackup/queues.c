/* Queues: the settings of one as a line, and a queue made from that line again.
 *
 * A queue that the store has lost is not simply made anew: visitors still hold tokens of its former
 * life. It is revived under the epoch that was saved, as a pod would do it (decision D10), so their
 * places come back in order, with the version that its settings had. A queue that has been deleted
 * since is made as a new one.
 */
#include "backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"

#define AUDIT_BYTES 1024
#define KEY_BYTES (QUEUE_NAME_TEXT_BYTES + 96)

static void queue_key(const char *queue, const char *rest, char ret_key[KEY_BYTES])
{
	snprintf(ret_key, KEY_BYTES, "wr:{%s}:%.80s", queue, rest);
}

/* A string key; "" when there is none. */
static enum wr_err get(struct store *store, const char *queue, const char *rest, char *ret_text,
					   size_t room, struct err_detail *ret_detail)
{
	char name[KEY_BYTES];
	queue_key(queue, rest, name);
	struct store_items answer = {0};
	const struct store_text argv[] = {STORE_TEXT("GET"), STORE_TEXT(name)};
	enum wr_err err = store_command(store, argv, 2, &answer, ret_detail);
	if (err)
		return err;
	bool is_text = answer.list[0].kind == STORE_ITEM_TEXT;
	snprintf(ret_text, room, "%s", is_text ? answer.list[0].text.bytes : "");
	store_items_clear(&answer);
	return WR_OK;
}

/* The epoch of the queue's life and, behind commas, of the lives that the store had lost before:
 * what a revival is told. */
static enum wr_err get_epochs(struct store *store, const char *queue, char *ret_text, size_t room,
							  struct err_detail *ret_detail)
{
	enum wr_err err = get(store, queue, "epoch", ret_text, room, ret_detail);
	char counts[KEY_BYTES];
	queue_key(queue, "counts", counts);
	const struct store_text argv[] = {STORE_TEXT("HGET"), STORE_TEXT(counts),
									  STORE_TEXT("lost_epochs")};
	struct store_items answer = {0};
	if (!err)
		err = store_command(store, argv, 3, &answer, ret_detail);
	if (err)
		return err;
	size_t len = strlen(ret_text);
	if (answer.list[0].kind == STORE_ITEM_TEXT)
		snprintf(ret_text + len, room - len, ",%s", answer.list[0].text.bytes);
	store_items_clear(&answer);
	return WR_OK;
}

static const struct store_text *field_of(const struct texts *fields, const char *name)
{
	for (size_t i = 0; i + 1 < fields->count; i += 2)
		if (strcmp(fields->list[i].bytes, name) == 0)
			return &fields->list[i + 1];
	return NULL;
}

/* ---- saving ---- */

/* "lanes":["main","1234"]: the last ticket of each lane. The setting is
 * "main:1:open,vip:3:signed". */
static enum wr_err write_lanes(struct store *store, const char *queue, const char *lanes,
							   struct line *line, struct err_detail *ret_detail)
{
	enum wr_err err = WR_OK;
	json_out_array(&line->out, "lanes");
	for (const char *at = lanes; *at && !err; at += strcspn(at, ","), at += *at == ',') {
		char rest[80], ticket[24];
		int len = (int)strcspn(at, ":,");
		snprintf(rest, sizeof(rest), "ticket:%.*s", len, at);
		err = get(store, queue, rest, ticket, sizeof(ticket), ret_detail);
		json_out_string_n(&line->out, NULL, at, (size_t)len);
		json_out_string(&line->out, NULL, ticket[0] ? ticket : "0");
	}
	json_out_array_end(&line->out);
	return err;
}

static enum wr_err write_queue(struct store *store, const char *queue, const struct key *settings,
							   struct line *line, struct err_detail *ret_detail)
{
	char epochs[64 + LOST_EPOCHS_BYTES];
	enum wr_err err = get_epochs(store, queue, epochs, sizeof(epochs), ret_detail);
	if (err)
		return err;
	size_t bytes = 1024;
	for (size_t i = 0; i < settings->items.count; i++)
		bytes += settings->items.list[i].len;
	const struct store_text *lanes = field_of(&settings->items, "lanes");
	line_begin(line, bytes, settings->items.count);
	json_out_string(&line->out, "kind", "queue");
	json_out_string(&line->out, "queue", queue);
	json_out_string(&line->out, "epoch", epochs);
	err = write_lanes(store, queue, lanes ? lanes->bytes : "", line, ret_detail);
	json_out_array(&line->out, "settings");
	for (size_t i = 0; i < settings->items.count; i++)
		line_text(line, NULL, settings->items.list[i]);
	json_out_array_end(&line->out);
	line_end(line);
	return err;
}

enum wr_err queue_save(struct store *store, const struct queue_name *name, struct line *line,
					   struct archive_writer *writer, struct err_detail *ret_detail)
{
	char queue[QUEUE_NAME_TEXT_BYTES], key[KEY_BYTES];
	queue_name_print(name, queue);
	queue_key(queue, "settings", key);
	struct key settings;
	enum wr_err err = key_read(store, key, &settings, ret_detail);
	if (err)
		return err;
	if (settings.type == KEY_HASH) { /* otherwise it is being deleted */
		err = write_queue(store, queue, &settings, line, ret_detail);
		if (!err)
			err = archive_line(writer, line->text, line->out.len, ret_detail);
	}
	key_clear(&settings);
	return err;
}

/* ---- restoring ---- */

struct saved { /* a line, read */
	struct queue_name name;
	char queue[QUEUE_NAME_TEXT_BYTES];
	const char *epoch;
	uint64_t version;
	struct texts fields, lanes;
};

static enum wr_err read_saved(const struct json_value *row, struct saved *saved,
							  struct err_detail *ret_detail)
{
	const char *queue;
	const struct store_text *version = NULL;
	*saved = (struct saved){0};
	if (json_string(json_member(row, "queue"), &queue) &&
		queue_name_parse(queue, strlen(queue), &saved->name) &&
		json_string(json_member(row, "epoch"), &saved->epoch) &&
		texts_read(json_member(row, "lanes"), &saved->lanes) &&
		texts_read(json_member(row, "settings"), &saved->fields))
		version = field_of(&saved->fields, "version");
	if (!version || !text_to_u64(version->bytes, version->len, INT64_MAX, &saved->version))
		return err_say(ret_detail, WR_MALFORMED, "a line of a queue is not as it should be");
	queue_name_print(&saved->name, saved->queue);
	return WR_OK;
}

/* The version counts changes of this store; only what is set is compared. */
static enum key_state compare(const struct saved *saved, const struct key *has)
{
	if (has->type == KEY_NONE)
		return KEY_MISSING;
	for (size_t i = 0; i + 1 < saved->fields.count; i += 2) {
		const char *name = saved->fields.list[i].bytes;
		const struct store_text *value = field_of(&has->items, name);
		if (strcmp(name, "version") != 0 &&
			(!value || !store_text_equal(*value, saved->fields.list[i + 1])))
			return KEY_DIFFERENT;
	}
	return KEY_SAME;
}

struct put {
	bool done;
	enum wr_err err;
};

static void on_put(void *ctx, enum wr_err err, enum put_result result, uint64_t version)
{
	struct put *put = ctx;
	(void)result, (void)version;
	put->err = err;
	put->done = true;
}

/* Without the version, which the script counts on by itself. gives */
static struct queue_field *fields_of(const struct saved *saved, size_t *ret_count)
{
	struct queue_field *fields = mem_alloc_zero(saved->fields.count / 2 + 1, sizeof(*fields));
	size_t count = 0;
	for (size_t i = 0; i + 1 < saved->fields.count; i += 2)
		if (strcmp(saved->fields.list[i].bytes, "version") != 0)
			fields[count++] =
				(struct queue_field){saved->fields.list[i].bytes, saved->fields.list[i + 1].bytes};
	*ret_count = count;
	return fields;
}

static size_t seen_of(const struct saved *saved, struct seen_ticket seen[QUEUE_LANES_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i + 1 < saved->lanes.count && count < QUEUE_LANES_MAX; i += 2) {
		snprintf(seen[count].lane, sizeof(seen[count].lane), "%.63s", saved->lanes.list[i].bytes);
		seen[count++].ticket = strtoull(saved->lanes.list[i + 1].bytes, NULL, 10);
	}
	return count;
}

/* So that the version of a queue that is made is the one that was saved. */
static enum wr_err set_last_version(struct store *store, const struct saved *saved,
									struct err_detail *ret_detail)
{
	char counts[KEY_BYTES], version[24];
	queue_key(saved->queue, "counts", counts);
	snprintf(version, sizeof(version), "%" PRIu64, saved->version - 1);
	const struct store_text argv[] = {STORE_TEXT("HSETNX"), STORE_TEXT(counts),
									  STORE_TEXT("last_version"), STORE_TEXT(version)};
	struct store_items answer = {0};
	enum wr_err err = saved->version ? store_command(store, argv, 4, &answer, ret_detail) : WR_OK;
	store_items_clear(&answer);
	return err;
}

/* What the audit says of a queue that is changed or made anew; a revived one only goes on. */
static void print_audit(const struct saved *saved, char ret_entry[AUDIT_BYTES])
{
	char id[POSITION_ID_CHARS + 1];
	position_id_random(id);
	snprintf(
		ret_entry, AUDIT_BYTES,
		"{\"id\":\"%s\",\"who\":{\"key_id\":\"-\",\"name\":\"wrbackup\"},\"action\":\"restore\","
		"\"object\":\"queues/%s\",\"tenant\":\"%s\",\"queue\":\"%s\",\"request_id\":\"-\","
		"\"address\":\"-\",\"before\":null,\"after\":null}",
		id, saved->queue, saved->name.tenant, saved->queue);
}

static enum wr_err put(struct servers *servers, const struct saved *saved, bool revive,
					   struct err_detail *ret_detail)
{
	char entry[AUDIT_BYTES];
	print_audit(saved, entry);
	struct store_audit audit = {.entry = entry, .keep = (uint64_t)servers->config.audit_keep};
	struct seen_ticket seen[QUEUE_LANES_MAX];
	struct queue_revival revival = {
		.lost_epochs = saved->epoch, .seen = seen, .seen_count = seen_of(saved, seen)};
	size_t count;
	WR_AUTO(mem_free_at) struct queue_field *fields = fields_of(saved, &count);
	struct put put = {0};
	store_put_fields(servers->store, &saved->name, fields, count, UINT64_MAX,
					 revive ? "{\"by\":\"backup\",\"revived\":true}" : "{\"by\":\"backup\"}",
					 revive ? &revival : NULL, revive ? NULL : &audit, on_put, &put);
	store_wait(servers->store, &put.done);
	return put.err ? err_say(ret_detail, put.err, "%s: %s", saved->queue, err_sentence(put.err))
				   : WR_OK;
}

static void on_claimed(void *ctx, enum wr_err err, int64_t number)
{
	struct put *put = ctx;
	(void)number;
	put->err = err;
	put->done = true;
}

/* Among its tenant's queues, as whoever makes one does. */
static enum wr_err claim(struct servers *servers, const struct saved *saved,
						 struct err_detail *ret_detail)
{
	struct put put = {0};
	store_claim_queue(servers->store, &saved->name, true,
					  (uint64_t)servers->config.tenant_queues_max, on_claimed, &put);
	store_wait(servers->store, &put.done);
	return put.err ? err_say(ret_detail, put.err, "%s: %s", saved->queue, err_sentence(put.err))
				   : WR_OK;
}

static enum wr_err restore(struct servers *servers, const struct saved *saved, enum key_state state,
						   struct err_detail *ret_detail)
{
	char epoch[64];
	enum wr_err err = get(servers->store, saved->queue, "epoch", epoch, sizeof(epoch), ret_detail);
	bool is_lost = state == KEY_MISSING && strncmp(epoch, "deleted:", 8) != 0 && saved->epoch[0];
	if (!err && is_lost)
		err = set_last_version(servers->store, saved, ret_detail);
	if (!err)
		err = claim(servers, saved, ret_detail);
	return err ? err : put(servers, saved, is_lost, ret_detail);
}

enum wr_err queue_restore(struct servers *servers, const struct json_value *row, bool write,
						  enum restore_mode mode, enum key_state *ret_state,
						  struct err_detail *ret_detail)
{
	struct saved saved;
	struct key has = {0};
	char key[KEY_BYTES];
	enum wr_err err = read_saved(row, &saved, ret_detail);
	queue_key(saved.queue, "settings", key);
	if (!err)
		err = key_read(servers->store, key, &has, ret_detail);
	if (!err) {
		*ret_state = compare(&saved, &has);
		bool wanted =
			*ret_state == KEY_MISSING || (*ret_state == KEY_DIFFERENT && mode == RESTORE_REPLACE);
		if (write && wanted)
			err = restore(servers, &saved, *ret_state, ret_detail);
	}
	key_clear(&has);
	texts_clear(&saved.fields);
	texts_clear(&saved.lanes);
	return err;
}
