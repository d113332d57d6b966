/* Temporary directory: made once, removed at a good end by on_exit(3), which knows the status. */
#include "support/temp.h"

#include "waitingroom/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PARENT_MAX 60 /* leaves room for a socket's name in the 108 bytes of sun_path */

static char directory[128];
static pid_t owner;

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info, (void)kind, (void)walk;
	return remove(path);
}

static void at_end(int status, void *unused)
{
	(void)unused;
	if (getpid() != owner) /* a child that did not get as far as its program */
		return;
	if (status == 0)
		nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	else
		fprintf(stderr, "# kept: %s\n", directory);
}

const char *temp_dir(void)
{
	if (directory[0])
		return directory;
	const char *parent = getenv("TMPDIR");
	if (!parent || !*parent || strlen(parent) > PARENT_MAX)
		parent = "/tmp";
	snprintf(directory, sizeof(directory), "%s/wr-%.24s.XXXXXX", parent,
			 program_invocation_short_name);
	if (!mkdtemp(directory)) {
		perror(directory);
		abort();
	}
	owner = getpid();
	on_exit(at_end, NULL);
	return directory;
}

char *temp_path(const char *format, ...)
{
	char *name, *path;
	va_list args;
	va_start(args, format);
	int failed =
		vasprintf(&name, format, args) < 0 || asprintf(&path, "%s/%s", temp_dir(), name) < 0;
	va_end(args);
	if (failed)
		abort();
	free(name);
	return path;
}

char *temp_file(const char *name, const char *content)
{
	char *path = temp_path("%s", name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, content, strlen(content)) != (ssize_t)strlen(content)) {
		perror(path);
		abort();
	}
	close(fd);
	return path;
}

char *temp_read(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	size_t len = 0, room = 4096;
	char *text = mem_alloc_zero(room + 1, 1);
	for (ssize_t got; (got = read(fd, text + len, room - len)) > 0;) {
		len += (size_t)got;
		if (len == room)
			text = mem_grow(text, (room *= 2) + 1, 1);
	}
	close(fd);
	text[len] = '\0';
	if (ret_len)
		*ret_len = len;
	return text;
}
