/* A directory for what a test binary leaves on disk.
 *
 * Made at first use under $TMPDIR, removed when the binary ends with 0, otherwise kept and named on
 * standard error. Its path is short enough for unix sockets.
 */
#ifndef SUPPORT_TEMP_H
#define SUPPORT_TEMP_H

#include <stddef.h>

/* lends, for the life of the program */
const char *temp_dir(void);

/* gives "<temp_dir>/<name>", where name is made with a printf format; free() */
char *temp_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* gives the path of a new file with this content, mode 0600 */
char *temp_file(const char *name, const char *content);

/* gives the whole file with NUL behind it, or NULL when it cannot be read */
char *temp_read(const char *path, size_t *ret_len);

#endif
