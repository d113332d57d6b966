/* Archive, making: lines into files, their checksums into a manifest, and one rename at the end.
 *
 *     .unfinished/  ──parts, manifest, fsync──►  rename to waitingroom-<time>
 *
 * A run that is killed leaves .unfinished behind, which the next one removes; backups that are
 * finished are never written to again. Runs in one folder take turns by a lock on the folder.
 */
#include "archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "waitingroom/digest.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "waitingroom/version.h"

#define UNFINISHED ".unfinished"
#define PREFIX "waitingroom-"
#define MANIFEST_BYTES 4096
#define SAME_SECOND_MAX 100

struct archive_writer {
	char *folder;
	int folder_fd;	   /* locked */
	int unfinished_fd; /* -1: committed or never made */
	FILE *file;		   /* of the part that is being written */
	struct digest *digest;
	struct archive_part parts[ARCHIVE_PARTS_MAX];
	size_t part_count;
};

static enum wr_err trouble(struct err_detail *ret_detail, const char *what)
{
	return err_say(ret_detail, WR_IO, "%.180s: %s", what, strerror(errno));
}

/* A folder of files, one level deep, as backups are. */
static void remove_folder(int folder_fd, const char *name)
{
	int fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = fd < 0 ? NULL : fdopendir(fd);
	if (!files)
		return;
	for (struct dirent *file; (file = readdir(files));)
		if (strcmp(file->d_name, ".") != 0 && strcmp(file->d_name, "..") != 0)
			unlinkat(fd, file->d_name, 0);
	closedir(files);
	unlinkat(folder_fd, name, AT_REMOVEDIR);
}

enum wr_err archive_create(const char *folder, struct archive_writer **ret_writer,
						   struct err_detail *ret_detail)
{
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return trouble(ret_detail, folder);
	int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0)
		return trouble(ret_detail, folder);
	if (flock(folder_fd, LOCK_EX | LOCK_NB) != 0) {
		close(folder_fd);
		return err_say(ret_detail, WR_BUSY, "%.180s: another backup is being made there", folder);
	}
	struct archive_writer *writer = mem_alloc_zero(1, sizeof(*writer));
	writer->folder = mem_copy_string(folder);
	writer->folder_fd = folder_fd;
	remove_folder(folder_fd, UNFINISHED);
	writer->unfinished_fd = -1;
	if (mkdirat(folder_fd, UNFINISHED, 0700) == 0)
		writer->unfinished_fd = openat(folder_fd, UNFINISHED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (writer->unfinished_fd < 0) {
		enum wr_err err = trouble(ret_detail, folder);
		archive_writer_free(writer);
		return err;
	}
	*ret_writer = writer;
	return WR_OK;
}

void archive_writer_free(struct archive_writer *writer)
{
	if (!writer)
		return;
	if (writer->file)
		fclose(writer->file);
	digest_free(writer->digest);
	if (writer->unfinished_fd >= 0) {
		close(writer->unfinished_fd);
		remove_folder(writer->folder_fd, UNFINISHED);
	}
	close(writer->folder_fd);
	free(writer->folder);
	free(writer);
}

/* ---- parts ---- */

static FILE *create_file(struct archive_writer *writer, const char *name)
{
	int fd = openat(writer->unfinished_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

/* On disk, and closed. */
static bool close_file(FILE *file)
{
	bool written = fflush(file) == 0 && fsync(fileno(file)) == 0;
	return fclose(file) == 0 && written;
}

enum wr_err archive_part_begin(struct archive_writer *writer, const char *name,
							   struct err_detail *ret_detail)
{
	if (writer->part_count == ARCHIVE_PARTS_MAX)
		return err_say(ret_detail, WR_LIMIT, "more than %d parts", ARCHIVE_PARTS_MAX);
	struct archive_part *part = &writer->parts[writer->part_count];
	*part = (struct archive_part){0};
	snprintf(part->name, sizeof(part->name), "%s", name);
	char file[ARCHIVE_PART_BYTES + 8];
	snprintf(file, sizeof(file), "%s.jsonl", part->name);
	writer->file = create_file(writer, file);
	if (!writer->file)
		return trouble(ret_detail, file);
	writer->digest = digest_new();
	return WR_OK;
}

enum wr_err archive_line(struct archive_writer *writer, const char *line, size_t len,
						 struct err_detail *ret_detail)
{
	struct archive_part *part = &writer->parts[writer->part_count];
	if (fwrite(line, 1, len, writer->file) != len || fputc('\n', writer->file) == EOF)
		return trouble(ret_detail, part->name);
	digest_add(writer->digest, line, len);
	digest_add(writer->digest, "\n", 1);
	part->lines++;
	part->bytes += len + 1;
	return WR_OK;
}

enum wr_err archive_part_end(struct archive_writer *writer, struct err_detail *ret_detail)
{
	struct archive_part *part = &writer->parts[writer->part_count];
	digest_end(WR_TAKE(writer->digest), part->sha256);
	if (!close_file(WR_TAKE(writer->file)))
		return trouble(ret_detail, part->name);
	writer->part_count++;
	return WR_OK;
}

/* ---- the end ---- */

static enum wr_err write_manifest(struct archive_writer *writer, struct wall_time now,
								  struct err_detail *ret_detail)
{
	char text[MANIFEST_BYTES];
	struct json_out out;
	json_out_init(&out, text, sizeof(text) - 1);
	json_out_object(&out, NULL);
	json_out_int(&out, "format", 1);
	json_out_string(&out, "program", "wrbackup " WR_VERSION);
	json_out_int(&out, "made_ms", now.ms);
	json_out_array(&out, "parts");
	for (size_t i = 0; i < writer->part_count; i++) {
		const struct archive_part *part = &writer->parts[i];
		json_out_object(&out, NULL);
		json_out_string(&out, "name", part->name);
		json_out_int(&out, "lines", (int64_t)part->lines);
		json_out_int(&out, "bytes", (int64_t)part->bytes);
		json_out_string(&out, "sha256", part->sha256);
		json_out_object_end(&out);
	}
	json_out_array_end(&out);
	json_out_object_end(&out);
	text[out.len++] = '\n';
	FILE *file = create_file(writer, "manifest.json");
	if (!file)
		return trouble(ret_detail, "manifest.json");
	bool written = fwrite(text, 1, out.len, file) == out.len;
	return close_file(file) && written ? WR_OK : trouble(ret_detail, "manifest.json");
}

/* Two backups within a second get two names. */
static bool rename_finished(struct archive_writer *writer, struct wall_time now,
							char ret_name[ARCHIVE_PART_BYTES])
{
	char stamp[32];
	struct tm parts;
	time_t seconds = now.ms / 1000;
	gmtime_r(&seconds, &parts);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &parts);
	for (int i = 0; i < SAME_SECOND_MAX; i++) {
		snprintf(ret_name, ARCHIVE_PART_BYTES, i ? PREFIX "%s-%02d" : PREFIX "%s", stamp, i);
		if (renameat2(writer->folder_fd, UNFINISHED, writer->folder_fd, ret_name,
					  RENAME_NOREPLACE) == 0)
			return true;
		if (errno != EEXIST)
			return false;
	}
	return false;
}

static int is_backup(const struct dirent *entry)
{
	return strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0;
}

/* The names are times, so the oldest come first. */
static void remove_old(struct archive_writer *writer, int keep)
{
	struct dirent **names = NULL;
	int count = scandirat(writer->folder_fd, ".", &names, is_backup, alphasort);
	for (int i = 0; i < count; i++) {
		if (i < count - keep)
			remove_folder(writer->folder_fd, names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

enum wr_err archive_commit(struct archive_writer *writer, struct wall_time now, int keep,
						   char ret_path[PATH_MAX], struct err_detail *ret_detail)
{
	char name[ARCHIVE_PART_BYTES];
	enum wr_err err = write_manifest(writer, now, ret_detail);
	if (err)
		return err;
	if (fsync(writer->unfinished_fd) != 0 || !rename_finished(writer, now, name) ||
		fsync(writer->folder_fd) != 0)
		return trouble(ret_detail, writer->folder);
	close(writer->unfinished_fd);
	writer->unfinished_fd = -1;
	snprintf(ret_path, PATH_MAX, "%.*s/%s", PATH_MAX - ARCHIVE_PART_BYTES - 2, writer->folder,
			 name);
	if (keep > 0)
		remove_old(writer, keep);
	return WR_OK;
}
