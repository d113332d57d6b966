/* Archive, reading: the manifest first, then every part held against it before anything is used. */
#include "archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "waitingroom/digest.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define PREFIX "waitingroom-"
#define MANIFEST_MAX_BYTES 65536
#define READ_BYTES 65536

static void close_at(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* A path of an archive is cut at PATH_MAX when it is taken in. */
static void path_of(const struct archive *archive, const char *file, char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%.*s/%s", PATH_MAX - 100, archive->path, file);
}

/* ---- which backup ---- */

static int is_backup(const struct dirent *entry)
{
	return strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0;
}

static enum wr_err find_newest(struct archive *archive, const char *path,
							   struct err_detail *ret_detail)
{
	char manifest[PATH_MAX];
	snprintf(archive->path, sizeof(archive->path), "%s", path);
	path_of(archive, "manifest.json", manifest);
	const char *last = strrchr(path, '/');
	bool is_one = strncmp(last ? last + 1 : path, PREFIX, strlen(PREFIX)) == 0;
	if (is_one || access(manifest, F_OK) == 0)
		return WR_OK;
	struct dirent **names = NULL;
	int count = scandir(path, &names, is_backup, alphasort);
	if (count < 0)
		return err_say(ret_detail, WR_IO, "%.180s: %s", path, strerror(errno));
	for (int i = 0; i < count; i++) {
		if (i == count - 1)
			snprintf(archive->path, sizeof(archive->path), "%.*s/%.90s", PATH_MAX - 100, path,
					 names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return count ? WR_OK : err_say(ret_detail, WR_NOT_FOUND, "%.180s: no backup here", path);
}

/* ---- the manifest ---- */

static enum wr_err bad_manifest(const char *path, const char *what, struct err_detail *ret_detail)
{
	return err_say(ret_detail, WR_MALFORMED, "%.160s: %.80s", path, what);
}

static bool read_part(const struct json_value *row, struct archive_part *part)
{
	const char *name, *sha256;
	int64_t lines, bytes;
	if (!json_string(json_member(row, "name"), &name) || !name[0] ||
		strlen(name) >= sizeof(part->name) || strpbrk(name, "/.") ||
		!json_string(json_member(row, "sha256"), &sha256) || strlen(sha256) != 64 ||
		!json_int(json_member(row, "lines"), &lines) || lines < 0 ||
		!json_int(json_member(row, "bytes"), &bytes) || bytes < 0)
		return false;
	strcpy(part->name, name);
	strcpy(part->sha256, sha256);
	part->lines = (uint64_t)lines;
	part->bytes = (uint64_t)bytes;
	return true;
}

static enum wr_err take_manifest(struct archive *archive, const char *path, const char *text,
								 size_t len, struct err_detail *ret_detail)
{
	struct err_detail said = {{0}};
	WR_AUTO(json_free_at) struct json_value *manifest = NULL;
	if (json_parse(text, len, &manifest, &said))
		return bad_manifest(path, said.text, ret_detail);
	int64_t format;
	const struct json_value *parts = json_member(manifest, "parts");
	if (!json_int(json_member(manifest, "format"), &format) || format != 1)
		return bad_manifest(path, "not a backup of a format that this version knows", ret_detail);
	if (!json_int(json_member(manifest, "made_ms"), &archive->made_ms) || !json_is_array(parts) ||
		json_count(parts) == 0 || json_count(parts) > ARCHIVE_PARTS_MAX)
		return bad_manifest(path, "not a whole manifest", ret_detail);
	archive->part_count = json_count(parts);
	for (size_t i = 0; i < archive->part_count; i++)
		if (!read_part(json_at(parts, i), &archive->parts[i]))
			return bad_manifest(path, "a part is not described as it should be", ret_detail);
	return WR_OK;
}

static enum wr_err read_manifest(struct archive *archive, struct err_detail *ret_detail)
{
	char path[PATH_MAX];
	path_of(archive, "manifest.json", path);
	WR_AUTO(close_at) FILE *file = fopen(path, "re");
	if (!file)
		return err_say(ret_detail, errno == ENOENT ? WR_MALFORMED : WR_IO, "%.180s: %s", path,
					   strerror(errno));
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, MANIFEST_MAX_BYTES);
	size_t len = fread(text, 1, MANIFEST_MAX_BYTES, file);
	return take_manifest(archive, path, text, len, ret_detail);
}

/* ---- the parts ---- */

static enum wr_err check_part(const struct archive *archive, const struct archive_part *part,
							  struct err_detail *ret_detail)
{
	char path[PATH_MAX], name[ARCHIVE_PART_BYTES + 8], sha256[DIGEST_HEX_BYTES];
	snprintf(name, sizeof(name), "%s.jsonl", part->name);
	path_of(archive, name, path);
	WR_AUTO(close_at) FILE *file = fopen(path, "re");
	if (!file)
		return err_say(ret_detail, WR_MALFORMED, "%.180s: %s", path, strerror(errno));
	WR_AUTO(mem_free_at) char *buffer = mem_alloc_zero(1, READ_BYTES);
	struct digest *digest = digest_new();
	uint64_t bytes = 0;
	for (size_t got; (got = fread(buffer, 1, READ_BYTES, file)) > 0; bytes += got)
		digest_add(digest, buffer, got);
	digest_end(digest, sha256);
	if (bytes != part->bytes)
		return err_say(ret_detail, WR_MALFORMED,
					   "%.150s: has %" PRIu64 " bytes, was written with %" PRIu64, path, bytes,
					   part->bytes);
	if (strcmp(sha256, part->sha256) != 0)
		return err_say(ret_detail, WR_MALFORMED,
					   "%.150s: has changed since it was written (SHA-256)", path);
	return WR_OK;
}

enum wr_err archive_open(const char *path, struct archive *ret_archive,
						 struct err_detail *ret_detail)
{
	if (strlen(path) >= PATH_MAX - 200)
		return err_say(ret_detail, WR_IO, "the path is too long");
	WR_AUTO(mem_free_at) struct archive *archive = mem_alloc_zero(1, sizeof(*archive));
	enum wr_err err = find_newest(archive, path, ret_detail);
	if (!err)
		err = read_manifest(archive, ret_detail);
	for (size_t i = 0; !err && i < archive->part_count; i++)
		err = check_part(archive, &archive->parts[i], ret_detail);
	if (!err)
		*ret_archive = *archive;
	return err;
}

const struct archive_part *archive_part_find(const struct archive *archive, const char *name)
{
	for (size_t i = 0; i < archive->part_count; i++)
		if (strcmp(archive->parts[i].name, name) == 0)
			return &archive->parts[i];
	return NULL;
}

enum wr_err archive_read(const struct archive *archive, const struct archive_part *part,
						 archive_line_fn fn, void *ctx, struct err_detail *ret_detail)
{
	char path[PATH_MAX], name[ARCHIVE_PART_BYTES + 8];
	snprintf(name, sizeof(name), "%s.jsonl", part->name);
	path_of(archive, name, path);
	WR_AUTO(close_at) FILE *file = fopen(path, "re");
	if (!file)
		return err_say(ret_detail, WR_IO, "%.180s: %s", path, strerror(errno));
	WR_AUTO(mem_free_at) char *line = NULL;
	size_t room = 0;
	enum wr_err err = WR_OK;
	for (ssize_t len; !err && (len = getline(&line, &room, file)) > 0;)
		err = fn(ctx, line, (size_t)len - 1);
	return err;
}
