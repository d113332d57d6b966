/* Backup: what is saved and how it comes back.
 *
 *     part "store"       first lines of kind "queue", then of kind "key"
 *     part <stream>      a line per message
 *
 * What     save.c and restore.c go through the parts; store_part.c and stream_part.c know them.
 * Threads  one.
 */
#ifndef WRBACKUP_BACKUP_H
#define WRBACKUP_BACKUP_H

#include "archive.h"
#include "keys.h"
#include "progress.h"
#include "waitingroom/config.h"
#include "waitingroom/loop.h"
#include "waitingroom/store.h"
#include "waitingroom/stream_copy.h"

#define STORE_PART "store"

enum restore_mode {
	RESTORE_CAREFULLY, /* nothing at all, when anything is there with another value */
	RESTORE_KEEP,	   /* what is there stays, what is missing is added */
	RESTORE_REPLACE	   /* the backup wins */
};

struct options {
	const char *folder; /* --to, --from */
	const char *metrics_file;
	int keep; /* 0: all */
	enum restore_mode mode;
	bool dry_run;
	bool store, events; /* which half */
};

struct servers { /* what both directions talk to; the half that is left out is NULL */
	struct loop *loop;
	struct store_address *address;
	struct store *store;
	struct stream_copy *streams;
	struct config config;
};
/* WR_BAD_CONFIG, WR_STORE_AWAY, WR_BROKER_AWAY. End with servers_close in any case. */
WR_MUST_USE enum wr_err servers_open(const struct options *options, struct servers *ret_servers,
									 struct err_detail *ret_detail);
void servers_close(struct servers *servers);

/* ---- the store ---- */

WR_MUST_USE enum wr_err store_part_save(struct store *store, struct archive_writer *writer,
										struct progress *progress, struct err_detail *ret_detail);
struct restored { /* of things: queues, fields of keys, messages */
	uint64_t same, missing, different;
};
/* write: puts back; otherwise only counts. Names each thing that is different on standard
 * output. */
WR_MUST_USE enum wr_err store_part_restore(struct servers *servers, const struct archive *archive,
										   bool write, enum restore_mode mode,
										   struct progress *progress, struct restored *ret_restored,
										   struct err_detail *ret_detail);
/* A line of kind "queue" (queues.c). */
WR_MUST_USE enum wr_err queue_save(struct store *store, const struct queue_name *name,
								   struct line *line, struct archive_writer *writer,
								   struct err_detail *ret_detail);
WR_MUST_USE enum wr_err queue_restore(struct servers *servers, const struct json_value *row,
									  bool write, enum restore_mode mode, enum key_state *ret_state,
									  struct err_detail *ret_detail);

/* ---- the streams ---- */

WR_MUST_USE enum wr_err stream_part_save(struct stream_copy *streams, const char *stream,
										 struct archive_writer *writer, struct progress *progress,
										 struct err_detail *ret_detail);
/* Messages whose id the stream has already are left out: those are 'same'. */
WR_MUST_USE enum wr_err stream_part_restore(struct stream_copy *streams, const char *stream,
											const struct archive *archive, bool write,
											struct progress *progress,
											struct restored *ret_restored,
											struct err_detail *ret_detail);

/* ---- commands; give the exit code ---- */

int backup_save(const struct options *options);
int backup_verify(const struct options *options);
int backup_restore(const struct options *options);
/* Prints, and gives the exit code for an error. */
int backup_failed(enum wr_err err, const struct err_detail *detail);

#endif
