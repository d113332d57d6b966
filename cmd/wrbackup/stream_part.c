/* A stream's part: its messages as lines, and back into a stream.
 *
 *     {"seq":7,"time_ns":"…","subject":"wr.…","headers":["Nats-Msg-Id","…"],"body":"{…}"}
 *
 * A message is known by its Nats-Msg-Id. One without (the broker's own advisories) is given one
 * that is made from where it stood, so that a second restore finds it again. Before anything is
 * written, the ids that the stream has are read: 8 bytes of hash each, 16 MB for two million
 * events.
 */
#include "backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"
#include "waitingroom/siphash.h"

#define ID_BYTES 512

/* ---- saving ---- */

struct saving {
	struct archive_writer *writer;
	struct progress *progress;
	struct line line;
	struct err_detail *detail;
};

static enum wr_err save_message(void *ctx, const struct stream_message *message)
{
	struct saving *saving = ctx;
	struct line *line = &saving->line;
	size_t bytes = 256 + strlen(message->subject) + message->body_len;
	for (size_t i = 0; i < message->header_count; i++)
		bytes += strlen(message->headers[i].name) + strlen(message->headers[i].value);
	char time[24];
	snprintf(time, sizeof(time), "%" PRId64, message->time_ns);
	line_begin(line, bytes, 2 * message->header_count);
	json_out_int(&line->out, "seq", (int64_t)message->sequence);
	json_out_string(&line->out, "time_ns", time);
	line_text(line, "subject", STORE_TEXT(message->subject));
	json_out_array(&line->out, "headers");
	for (size_t i = 0; i < message->header_count; i++) {
		line_text(line, NULL, STORE_TEXT(message->headers[i].name));
		line_text(line, NULL, STORE_TEXT(message->headers[i].value));
	}
	json_out_array_end(&line->out);
	line_text(line, "body", (struct store_text){message->body, message->body_len});
	line_end(line);
	progress_step(saving->progress);
	return archive_line(saving->writer, line->text, line->out.len, saving->detail);
}

enum wr_err stream_part_save(struct stream_copy *streams, const char *stream,
							 struct archive_writer *writer, struct progress *progress,
							 struct err_detail *ret_detail)
{
	struct stream_extent extent;
	enum wr_err err = stream_copy_extent(streams, stream, &extent, ret_detail);
	if (err)
		return err == WR_NOT_FOUND ? WR_OK : err; /* nothing has ever been published */
	struct saving saving = {.writer = writer, .progress = progress, .detail = ret_detail};
	progress_begin(progress, stream, extent.messages);
	err = archive_part_begin(writer, stream, ret_detail);
	if (!err)
		err = stream_copy_read(streams, stream, save_message, &saving, ret_detail);
	if (!err)
		err = archive_part_end(writer, ret_detail);
	progress_end(progress);
	line_clear(&saving.line);
	return err;
}

/* ---- the ids that a stream has ---- */

struct ids {
	const char *stream;
	uint64_t *hashes; /* sorted once all are there */
	size_t count, room;
};

static void id_of(const struct stream_message *message, const char *stream, char ret_id[ID_BYTES])
{
	for (size_t i = 0; i < message->header_count; i++)
		if (strcmp(message->headers[i].name, STREAM_ID_HEADER) == 0) {
			snprintf(ret_id, ID_BYTES, "%s", message->headers[i].value);
			return;
		}
	snprintf(ret_id, ID_BYTES, "backup:%s:%" PRIu64 ":%" PRId64, stream, message->sequence,
			 message->time_ns);
}

static uint64_t hash_of(const char *id)
{
	static const uint8_t key[SIPHASH_KEY_BYTES] = {0}; /* nobody attacks the table: it is ours */
	return siphash_128(key, id, strlen(id)).low;
}

static enum wr_err note_id(void *ctx, const struct stream_message *message)
{
	struct ids *ids = ctx;
	char id[ID_BYTES];
	id_of(message, ids->stream, id);
	if (ids->count == ids->room) {
		ids->room = ids->room ? 2 * ids->room : 4096;
		ids->hashes = mem_grow(ids->hashes, ids->room, sizeof(*ids->hashes));
	}
	ids->hashes[ids->count++] = hash_of(id);
	return WR_OK;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static bool ids_have(const struct ids *ids, const char *id)
{
	uint64_t hash = hash_of(id);
	return ids->count &&
		   bsearch(&hash, ids->hashes, ids->count, sizeof(*ids->hashes), by_value) != NULL;
}

static enum wr_err ids_read(struct ids *ids, struct stream_copy *streams,
							struct err_detail *ret_detail)
{
	enum wr_err err = stream_copy_read(streams, ids->stream, note_id, ids, ret_detail);
	if (err == WR_NOT_FOUND)
		return WR_OK;
	if (ids->count)
		qsort(ids->hashes, ids->count, sizeof(*ids->hashes), by_value);
	return err;
}

/* ---- restoring ---- */

struct restoring {
	struct stream_copy *streams;
	bool write;
	struct ids ids;
	struct progress *progress;
	struct restored *restored;
	struct err_detail *detail;
};

struct saved { /* a line, read */
	struct stream_message message;
	struct texts texts; /* subject, body, header names and values */
	struct stream_header *headers;
	char id[ID_BYTES];
};

static void saved_clear(struct saved *saved)
{
	texts_clear(&saved->texts);
	free(saved->headers);
}

static bool read_saved(const struct json_value *row, const char *stream, struct saved *saved)
{
	const char *time;
	int64_t sequence;
	*saved = (struct saved){0};
	struct stream_message *message = &saved->message;
	if (!json_int(json_member(row, "seq"), &sequence) ||
		!json_string(json_member(row, "time_ns"), &time) ||
		!text_to_i64(time, strlen(time), INT64_MIN, INT64_MAX, &message->time_ns) ||
		!texts_read(json_member(row, "subject"), &saved->texts) ||
		!texts_read(json_member(row, "body"), &saved->texts) || saved->texts.count != 2 ||
		!texts_read(json_member(row, "headers"), &saved->texts) || saved->texts.count % 2)
		return false;
	const struct store_text *list = saved->texts.list;
	message->sequence = (uint64_t)sequence;
	message->subject = list[0].bytes;
	message->body = list[1].bytes;
	message->body_len = list[1].len;
	size_t count = saved->texts.count / 2 - 1;
	saved->headers = mem_alloc_zero(count + 1, sizeof(*saved->headers));
	for (size_t i = 0; i < count; i++)
		saved->headers[i] = (struct stream_header){list[2 + 2 * i].bytes, list[3 + 2 * i].bytes};
	message->headers = saved->headers;
	message->header_count = count;
	id_of(message, stream, saved->id);
	bool has_id = false;
	for (size_t i = 0; i < count; i++)
		has_id = has_id || strcmp(saved->headers[i].name, STREAM_ID_HEADER) == 0;
	if (!has_id)
		saved->headers[message->header_count++] =
			(struct stream_header){STREAM_ID_HEADER, saved->id};
	return true;
}

static enum wr_err restore_line(void *ctx, const char *text, size_t len)
{
	struct restoring *restoring = ctx;
	WR_AUTO(json_free_at) struct json_value *row = NULL;
	enum wr_err err = json_parse(text, len, &row, restoring->detail);
	if (err)
		return err;
	struct saved saved;
	if (!read_saved(row, restoring->ids.stream, &saved)) {
		err = err_say(restoring->detail, WR_MALFORMED, "a line of %s is not as it should be",
					  restoring->ids.stream);
	} else if (ids_have(&restoring->ids, saved.id)) {
		restoring->restored->same++;
	} else {
		restoring->restored->missing++;
		if (restoring->write)
			err = stream_copy_write(restoring->streams, &saved.message, restoring->detail);
	}
	saved_clear(&saved);
	progress_step(restoring->progress);
	return err;
}

enum wr_err stream_part_restore(struct stream_copy *streams, const char *stream,
								const struct archive *archive, bool write,
								struct progress *progress, struct restored *ret_restored,
								struct err_detail *ret_detail)
{
	*ret_restored = (struct restored){0};
	const struct archive_part *part = archive_part_find(archive, stream);
	if (!part)
		return WR_OK; /* the stream was not there when the backup was made */
	struct restoring restoring = {.streams = streams,
								  .write = write,
								  .ids = {.stream = stream},
								  .progress = progress,
								  .restored = ret_restored,
								  .detail = ret_detail};
	progress_begin(progress, stream, part->lines);
	enum wr_err err = ids_read(&restoring.ids, streams, ret_detail);
	if (!err)
		err = archive_read(archive, part, restore_line, &restoring, ret_detail);
	if (!err && write)
		err = stream_copy_flush(streams, ret_detail);
	progress_end(progress);
	free(restoring.ids.hashes);
	return err;
}
