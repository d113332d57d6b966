/* Looking a built-in file up. Its table is generated. */
#include "web_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct web_file *web_file_get(const char *name)
{
	for (size_t i = 0; i < web_file_count; i++)
		if (strcmp(web_files[i].name, name) == 0)
			return &web_files[i];
	fprintf(stderr, "waitingroom-api: %s is not built in\n", name);
	abort();
}
