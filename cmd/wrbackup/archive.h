/* Archive: a backup as a directory of lines and a manifest with their checksums.
 *
 *     <folder>/waitingroom-20261121T020000Z/manifest.json      what is in it, SHA-256 of each part
 *                                           store.jsonl        settings, keys, tenants, audit
 *                                           WAITINGROOM.jsonl  events, a line each
 *
 * A backup is made under another name and renamed when it is whole and on disk, so what has the
 * name of a backup is one. Files can be read by their owner only: there are secrets in them.
 *
 * Threads  one.
 */
#ifndef WRBACKUP_ARCHIVE_H
#define WRBACKUP_ARCHIVE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/clock.h"
#include "waitingroom/err.h"

#define ARCHIVE_PARTS_MAX 8
#define ARCHIVE_PART_BYTES 64 /* of a name, with NUL */

struct archive_part {
	char name[ARCHIVE_PART_BYTES]; /* "store": the file is store.jsonl */
	uint64_t lines, bytes;
	char sha256[65];
};

/* ---- making ---- */

struct archive_writer;
/* Makes 'folder' when it is missing, and clears away what an interrupted run has left. gives.
 * WR_BUSY: another run is writing there. WR_IO. */
WR_MUST_USE enum wr_err archive_create(const char *folder, struct archive_writer **ret_writer,
									   struct err_detail *ret_detail);
WR_MUST_USE enum wr_err archive_part_begin(struct archive_writer *writer, const char *name,
										   struct err_detail *ret_detail);
WR_MUST_USE enum wr_err archive_line(struct archive_writer *writer, const char *line, size_t len,
									 struct err_detail *ret_detail);
WR_MUST_USE enum wr_err archive_part_end(struct archive_writer *writer,
										 struct err_detail *ret_detail);
/* Gives it its name; fills the path. 'keep' > 0: older backups beyond so many are removed. */
WR_MUST_USE enum wr_err archive_commit(struct archive_writer *writer, struct wall_time now,
									   int keep, char ret_path[PATH_MAX],
									   struct err_detail *ret_detail);
/* What has been committed stays; what has not goes. NULL is fine. */
void archive_writer_free(struct archive_writer *writer);

/* ---- reading ---- */

struct archive {
	char path[PATH_MAX];
	int64_t made_ms;
	struct archive_part parts[ARCHIVE_PARTS_MAX];
	size_t part_count;
};
/* 'path' is a backup, or a folder of backups: then the newest. Checks everything: WR_MALFORMED
 * names the file that is not as it was written. WR_NOT_FOUND: no backup there. WR_IO. */
WR_MUST_USE enum wr_err archive_open(const char *path, struct archive *ret_archive,
									 struct err_detail *ret_detail);
/* NULL when the backup has no such part. */
const struct archive_part *archive_part_find(const struct archive *archive, const char *name);

/* Lends the line, without its end. Anything but WR_OK ends the reading and is returned. */
typedef enum wr_err (*archive_line_fn)(void *ctx, const char *line, size_t len);
WR_MUST_USE enum wr_err archive_read(const struct archive *archive, const struct archive_part *part,
									 archive_line_fn fn, void *ctx, struct err_detail *ret_detail);

#endif
