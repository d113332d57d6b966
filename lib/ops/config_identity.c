/* Is this process set up as the others are? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/config.h"

/* Each process has its own of these. */
static bool is_its_own(const char *line)
{
	static const char *const own[] = {
		"WR_LISTEN=",  "WR_INTERNAL_LISTEN=", "WR_READY_FILE=", "WR_INSTANCE=",
		"WR_WORKERS=", "WR_LOG_LEVEL=",		  "WR_RELAY=",		"WR_QUEUES_FILE="};
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strncmp(line, own[i], strlen(own[i])) == 0)
			return true;
	return false;
}

void config_fingerprint(const struct config *config,
						char ret_fingerprint[CONFIG_FINGERPRINT_CHARS + 1])
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	if (out == NULL)
		abort();
	config_print(config, out); /* passwords are hidden there */
	fclose(out);
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
	for (const char *line = text; *line != '\0';) {
		size_t line_len = strcspn(line, "\n");
		for (size_t i = 0; !is_its_own(line) && i <= line_len && line[i] != '\0'; i++)
			hash = (hash ^ (unsigned char)line[i]) * UINT64_C(1099511628211);
		line += line_len + (line[line_len] == '\n');
	}
	free(text);
	snprintf(ret_fingerprint, CONFIG_FINGERPRINT_CHARS + 1, "%016" PRIx64, hash);
}
