/* Restore: everything is looked at before anything is written.
 *
 *     verify the archive ─► compare with the servers ─► anything different? refuse
 *                                                   └─► events, then queues and keys
 *
 * Events go first: reviving a queue makes an event, and a relay may be running already. Whatever
 * has been put back is 'same' the next time, so a restore that was interrupted is simply run again.
 */
#include "backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "waitingroom/memory.h"

struct tally {
	struct restored store, streams[STREAM_COPY_COUNT];
};

static enum wr_err look_at_streams(const struct options *options, struct servers *servers,
								   const struct archive *archive, bool write, struct tally *tally,
								   struct err_detail *ret_detail)
{
	struct progress progress;
	enum wr_err err = WR_OK;
	for (size_t i = 0; !err && options->events && i < STREAM_COPY_COUNT; i++)
		err = stream_part_restore(servers->streams, stream_copy_names[i], archive, write, &progress,
								  &tally->streams[i], ret_detail);
	return err;
}

static void print_counts(const struct options *options, const char *what,
						 const struct restored *counts)
{
	const char *added = options->dry_run ? "to add" : "added";
	const char *different = options->mode == RESTORE_REPLACE ? "with other values, replaced"
															 : "with other values, kept";
	if (options->dry_run || options->mode == RESTORE_CAREFULLY)
		different = "with other values";
	printf("%-16s %" PRIu64 " there already, %" PRIu64 " %s, %" PRIu64 " %s\n", what, counts->same,
		   counts->missing, added, counts->different, different);
}

static void print_tally(const struct options *options, const struct tally *tally)
{
	for (size_t i = 0; options->events && i < STREAM_COPY_COUNT; i++)
		print_counts(options, stream_copy_names[i], &tally->streams[i]);
	if (options->store)
		print_counts(options, STORE_PART, &tally->store);
}

/* What would happen. */
static enum wr_err plan(const struct options *options, struct servers *servers,
						const struct archive *archive, struct err_detail *ret_detail)
{
	struct tally tally = {0};
	struct progress progress;
	enum wr_err err = WR_OK;
	if (options->store)
		err = store_part_restore(servers, archive, false, options->mode, &progress, &tally.store,
								 ret_detail);
	if (!err && options->dry_run)
		err = look_at_streams(options, servers, archive, false, &tally, ret_detail);
	if (err)
		return err;
	if (options->dry_run)
		print_tally(options, &tally);
	if (tally.store.different && options->mode == RESTORE_CAREFULLY)
		return err_say(ret_detail, WR_CONFLICT,
					   "nothing was restored: %" PRIu64 " things are there with other values. "
					   "--keep leaves them as they are, --replace takes the backup's",
					   tally.store.different);
	return WR_OK;
}

static enum wr_err carry_out(const struct options *options, struct servers *servers,
							 const struct archive *archive, struct err_detail *ret_detail)
{
	const struct config *config = &servers->config;
	const struct stream_wanted wanted = {(uint32_t)config->stream_replicas,
										 config->stream_max_age_s, config->stream_max_bytes,
										 config->stream_duplicate_window_s};
	struct tally tally = {0};
	struct progress progress;
	enum wr_err err = WR_OK;
	if (options->events)
		err = stream_copy_make(servers->streams, &wanted, ret_detail);
	if (!err)
		err = look_at_streams(options, servers, archive, true, &tally, ret_detail);
	if (!err && options->store)
		err = store_part_restore(servers, archive, true, options->mode, &progress, &tally.store,
								 ret_detail);
	if (!err)
		print_tally(options, &tally);
	return err;
}

static enum wr_err restore(const struct options *options, struct servers *servers,
						   struct err_detail *ret_detail)
{
	WR_AUTO(mem_free_at) struct archive *archive = mem_alloc_zero(1, sizeof(*archive));
	enum wr_err err = archive_open(options->folder, archive, ret_detail);
	if (err)
		return err;
	printf("from %s\n", archive->path);
	err = servers_open(options, servers, ret_detail);
	if (!err)
		err = plan(options, servers, archive, ret_detail);
	if (err || options->dry_run)
		return err;
	err = carry_out(options, servers, archive, ret_detail);
	if (!err)
		puts("restored");
	return err;
}

int backup_restore(const struct options *options)
{
	struct servers servers = {0};
	struct err_detail detail = {{0}};
	enum wr_err err = restore(options, &servers, &detail);
	servers_close(&servers);
	return err ? backup_failed(err, &detail) : 0;
}
