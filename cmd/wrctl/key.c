/* Key: where it comes from, and who else could read it.
 *
 *     --key-stdin ─► WRCTL_KEY ─► the key file (WRCTL_KEY_FILE, or the context's)
 *
 * The first that is given counts. A file that other people may read is refused before it is opened
 * for reading: its key must be taken for known.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "context.h"

/* The first line, which must look like a key. */
static enum wr_err take_line(FILE *file, const char *place, char ret_key[CONTEXT_KEY_BYTES],
							 struct err_detail *ret_detail)
{
	char line[CONTEXT_KEY_BYTES] = "";
	enum wr_err err = WR_OK;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	for (const char *at = line; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~')
			err = WR_FORBIDDEN;
	if (err != WR_OK || strncmp(line, "wrk_", 4) != 0)
		err = err_say(ret_detail, WR_FORBIDDEN,
					  "%s: holds no key; a key is one line that begins with wrk_", place);
	else
		memcpy(ret_key, line, sizeof(line));
	explicit_bzero(line, sizeof(line));
	return err;
}

static enum wr_err check_mode(const char *path, const struct stat *status,
							  struct err_detail *ret_detail)
{
	if (!S_ISREG(status->st_mode) && !S_ISFIFO(status->st_mode))
		return err_say(ret_detail, WR_FORBIDDEN, "%s: is not a file", path);
	if ((status->st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return err_say(ret_detail, WR_FORBIDDEN,
					   "%s: others may read this key (mode %03o): chmod 600 %s", path,
					   (unsigned)(status->st_mode & 0777), path);
	return WR_OK;
}

static enum wr_err take_file(const char *path, char ret_key[CONTEXT_KEY_BYTES],
							 struct err_detail *ret_detail)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_say(ret_detail, WR_FORBIDDEN, "key file %s: %s", path, strerror(errno));
	enum wr_err err = WR_IO;
	if (fstat(fd, &status) == 0)
		err = check_mode(path, &status, ret_detail);
	FILE *file = err == WR_OK ? fdopen(fd, "r") : NULL;
	if (file == NULL) {
		close(fd);
		return err == WR_OK ? WR_IO : err;
	}
	err = take_line(file, path, ret_key, ret_detail);
	fclose(file);
	return err;
}

enum wr_err context_key(const struct context *context, bool from_stdin,
						char ret_key[CONTEXT_KEY_BYTES], struct err_detail *ret_detail)
{
	const char *key = getenv("WRCTL_KEY");
	if (from_stdin)
		return take_line(stdin, "standard input", ret_key, ret_detail);
	if (key != NULL && key[0] != '\0') {
		if (strncmp(key, "wrk_", 4) != 0 || strlen(key) >= CONTEXT_KEY_BYTES ||
			strpbrk(key, " \r\n\t") != NULL)
			return err_say(ret_detail, WR_FORBIDDEN,
						   "WRCTL_KEY: is no key; a key begins with wrk_");
		strcpy(ret_key, key);
		return WR_OK;
	}
	if (context->key_file != NULL)
		return take_file(context->key_file, ret_key, ret_detail);
	return err_say(ret_detail, WR_FORBIDDEN,
				   "no key: put it into a file of mode 600 and name that in WRCTL_KEY_FILE or as "
				   "key_file of the context, or give it with --key-stdin");
}
