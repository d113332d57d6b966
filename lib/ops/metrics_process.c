/* Metrics of the process itself: what /proc/self and the kernel know of it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "waitingroom/metrics.h"

static uint64_t open_descriptors(void)
{
	uint64_t count = 0;
	DIR *dir = opendir("/proc/self/fd");
	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count > 3 ? count - 3 : 0; /* ".", ".." and the directory itself */
}

/* Start of the process: boot time plus field 22 of /proc/self/stat. */
static double start_seconds(void)
{
	char text[1024] = "";
	FILE *file = fopen("/proc/self/stat", "r");
	if (file == NULL)
		return 0;
	size_t n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	char *field = strrchr(text, ')');
	for (int i = 2; field != NULL && i < 22; i++)
		field = strchr(field + 1, ' ');
	double ticks = field != NULL ? strtod(field, NULL) : 0;
	double boot = 0;
	file = fopen("/proc/stat", "r");
	if (file == NULL)
		return 0;
	while (fgets(text, sizeof(text), file) != NULL)
		if (strncmp(text, "btime ", 6) == 0)
			boot = strtod(text + 6, NULL);
	fclose(file);
	return boot + ticks / (double)sysconf(_SC_CLK_TCK);
}

void metrics_process(struct metrics_page *page)
{
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		metrics_value(page, METRIC_CPU, "",
					  (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
						  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	long pages_total = 0, pages_resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file != NULL) {
		if (fscanf(file, "%ld %ld", &pages_total, &pages_resident) == 2) {
			metrics_value(page, METRIC_RSS, "",
						  (double)pages_resident * (double)sysconf(_SC_PAGESIZE));
			metrics_value(page, METRIC_VIRTUAL, "",
						  (double)pages_total * (double)sysconf(_SC_PAGESIZE));
		}
		fclose(file);
	}
	metrics_value(page, METRIC_FDS, "", (double)open_descriptors());
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		metrics_value(page, METRIC_FDS_MAX, "", (double)limit.rlim_cur);
	metrics_value(page, METRIC_START, "", start_seconds());
}
