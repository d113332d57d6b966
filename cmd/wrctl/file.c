/* Files: small ones, as a person keeps them. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "waitingroom/memory.h"

static enum wr_err read_all(FILE *file, const char *path, char **ret_text, size_t *ret_len,
							struct err_detail *ret_detail)
{
	size_t room = 65536, len = 0;
	char *text = mem_alloc_zero(1, room);
	for (size_t got; (got = fread(text + len, 1, room - len - 1, file)) > 0;) {
		len += got;
		if (len > FILE_MAX_BYTES)
			break;
		if (len == room - 1)
			text = mem_grow(text, room *= 2, 1);
	}
	if (ferror(file) || len > FILE_MAX_BYTES) {
		free(text);
		if (len > FILE_MAX_BYTES)
			return err_say(ret_detail, WR_LIMIT, "%s: is over %d bytes", path, FILE_MAX_BYTES);
		return err_say(ret_detail, WR_IO, "%s: cannot be read", path);
	}
	text[len] = '\0';
	*ret_text = text;
	*ret_len = len;
	return WR_OK;
}

enum wr_err file_read(const char *path, char **ret_text, size_t *ret_len,
					  struct err_detail *ret_detail)
{
	if (strcmp(path, "-") == 0)
		return read_all(stdin, "standard input", ret_text, ret_len, ret_detail);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return err_say(ret_detail, errno == ENOENT ? WR_NOT_FOUND : WR_IO, "%s: %s", path,
					   strerror(errno));
	enum wr_err err = read_all(file, path, ret_text, ret_len, ret_detail);
	fclose(file);
	return err;
}

enum wr_err file_replace(const char *path, const char *text, struct err_detail *ret_detail)
{
	WR_AUTO(mem_free_at) char *fresh = NULL;
	if (asprintf(&fresh, "%s.XXXXXX", path) < 0)
		abort();
	int fd = mkostemp(fresh, O_CLOEXEC);
	if (fd < 0)
		return err_say(ret_detail, WR_IO, "%s: %s", path, strerror(errno));
	FILE *file = fdopen(fd, "w");
	if (file == NULL)
		abort();
	bool written = fputs(text, file) >= 0 && fflush(file) == 0 && fsync(fd) == 0;
	written = fclose(file) == 0 && written && rename(fresh, path) == 0;
	if (written)
		return WR_OK;
	enum wr_err err = err_say(ret_detail, WR_IO, "%s: %s", path, strerror(errno));
	unlink(fresh);
	return err;
}

char *file_join(const char *directory, const char *name)
{
	char *path;
	size_t len = strlen(directory);
	bool has_slash = len > 0 && directory[len - 1] == '/';
	if (asprintf(&path, "%s%s%s", directory, has_slash ? "" : "/", name) < 0)
		abort();
	return path;
}

char *file_beside(const char *other, const char *name)
{
	const char *slash = strrchr(other, '/'), *home = getenv("HOME");
	if (strncmp(name, "~/", 2) == 0 && home != NULL)
		return file_join(home, name + 2);
	if (name[0] == '/' || slash == NULL)
		return mem_copy_string(name);
	WR_AUTO(mem_free_at) char *directory = mem_copy(other, (size_t)(slash - other) + 1);
	return file_join(directory, name);
}
