/* Files of cmd/api/web, built into the program by scripts/embed. */
#ifndef WAITINGROOM_API_WEB_FILE_H
#define WAITINGROOM_API_WEB_FILE_H

#include <stddef.h>

struct web_file {
	const char *name; /* below cmd/api/web: "room.html", "lang/en.json" */
	const char *text;
	size_t len;
};
extern const struct web_file web_files[];
extern const size_t web_file_count;

/* One that is there; asking for another is a bug of ours and ends the process. */
const struct web_file *web_file_get(const char *name);

#endif
