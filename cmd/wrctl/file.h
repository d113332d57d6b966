/* Files: read whole, replaced whole, found from one another. */
#ifndef WRCTL_FILE_H
#define WRCTL_FILE_H

#include <stddef.h>

#include "waitingroom/err.h"

#define FILE_MAX_BYTES (16 * 1024 * 1024)

/* The whole file ("-": standard input), a NUL behind it; gives. WR_NOT_FOUND: there is none; WR_IO:
 * it cannot be read; WR_LIMIT: over FILE_MAX_BYTES. */
WR_MUST_USE enum wr_err file_read(const char *path, char **ret_text, size_t *ret_len,
								  struct err_detail *ret_detail);
/* Whole or not at all, mode 600. */
WR_MUST_USE enum wr_err file_replace(const char *path, const char *text,
									 struct err_detail *ret_detail);
char *file_join(const char *directory, const char *name); /* gives */
/* 'name' seen from the directory in which 'other' is; ~/ is one's home; gives. */
char *file_beside(const char *other, const char *name);

#endif
