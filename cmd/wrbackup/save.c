/* Save: both halves into one archive, and what there is to tell about it afterwards.
 *
 * The streams come first. An event that is told after its stream was read is about a change that
 * the store's part may hold already; the other way round an event would speak of settings that the
 * backup has not.
 */
#include "backup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "waitingroom/memory.h"
#include "waitingroom/metrics.h"

int backup_failed(enum wr_err err, const struct err_detail *detail)
{
	fprintf(stderr, "wrbackup: %s\n", detail->text[0] ? detail->text : err_sentence(err));
	if (err == WR_STORE_AWAY || err == WR_BROKER_AWAY)
		return 3;
	return err == WR_MALFORMED ? 4 : 1;
}

static enum wr_err save_parts(const struct options *options, struct servers *servers,
							  struct archive_writer *writer, struct err_detail *ret_detail)
{
	struct progress progress;
	enum wr_err err = WR_OK;
	for (size_t i = 0; !err && options->events && i < STREAM_COPY_COUNT; i++)
		err =
			stream_part_save(servers->streams, stream_copy_names[i], writer, &progress, ret_detail);
	if (!err && options->store)
		err = store_part_save(servers->store, writer, &progress, ret_detail);
	return err;
}

/* For node_exporter's textfile collector, where no cluster counts the jobs. */
static enum wr_err write_metrics(const char *path, const struct archive *archive,
								 struct err_detail *ret_detail)
{
	char temporary[PATH_MAX];
	snprintf(temporary, sizeof(temporary), "%.*s.new", PATH_MAX - 8, path);
	FILE *file = fopen(temporary, "we");
	if (!file)
		return err_say(ret_detail, WR_IO, "%.180s: %s", temporary, strerror(errno));
	fchmod(fileno(file), 0644); /* the collector is somebody else */
	uint64_t bytes = 0;
	for (size_t i = 0; i < archive->part_count; i++)
		bytes += archive->parts[i].bytes;
	struct metrics_page *page = metrics_page_new(NULL);
	metrics_value(page, METRIC_BACKUP_SUCCESS, "", (double)(archive->made_ms / 1000));
	metrics_value(page, METRIC_BACKUP_BYTES, "", (double)bytes);
	size_t len;
	const char *text = metrics_page_text(page, &len);
	fwrite(text, 1, len, file);
	metrics_page_free(page);
	bool written = fflush(file) == 0 && !ferror(file);
	if (fclose(file) != 0 || !written || rename(temporary, path) != 0)
		return err_say(ret_detail, WR_IO, "%.180s: %s", path, strerror(errno));
	return WR_OK;
}

static void describe(const struct archive *archive)
{
	char when[32];
	struct tm parts;
	time_t seconds = archive->made_ms / 1000;
	gmtime_r(&seconds, &parts);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &parts);
	printf("%s\nmade %s\n", archive->path, when);
	for (size_t i = 0; i < archive->part_count; i++)
		printf("%-16s %10" PRIu64 " lines %12" PRIu64 " bytes\n", archive->parts[i].name,
			   archive->parts[i].lines, archive->parts[i].bytes);
}

static enum wr_err save(const struct options *options, struct servers *servers,
						struct err_detail *ret_detail)
{
	struct archive_writer *writer = NULL;
	enum wr_err err = archive_create(options->folder, &writer, ret_detail);
	if (err)
		return err;
	char path[PATH_MAX];
	err = save_parts(options, servers, writer, ret_detail);
	if (!err)
		err = archive_commit(writer, clock_wall(), options->keep, path, ret_detail);
	archive_writer_free(writer);
	WR_AUTO(mem_free_at) struct archive *archive = mem_alloc_zero(1, sizeof(*archive));
	if (!err) /* a backup counts once it has been read back */
		err = archive_open(path, archive, ret_detail);
	if (!err && options->metrics_file)
		err = write_metrics(options->metrics_file, archive, ret_detail);
	if (!err)
		describe(archive);
	return err;
}

int backup_save(const struct options *options)
{
	struct servers servers;
	struct err_detail detail = {{0}};
	enum wr_err err = servers_open(options, &servers, &detail);
	if (!err)
		err = save(options, &servers, &detail);
	servers_close(&servers);
	return err ? backup_failed(err, &detail) : 0;
}

int backup_verify(const struct options *options)
{
	struct err_detail detail = {{0}};
	WR_AUTO(mem_free_at) struct archive *archive = mem_alloc_zero(1, sizeof(*archive));
	enum wr_err err = archive_open(options->folder, archive, &detail);
	if (err)
		return backup_failed(err, &detail);
	describe(archive);
	puts("whole");
	return 0;
}
