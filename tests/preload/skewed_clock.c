/* Skewed clock: a process that this is preloaded into has the wrong time of day, by
 * WR_TEST_CLOCK_AHEAD_S seconds; its monotonic clock is right. For tests of pods on machines whose
 * time service has failed.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int failed = (int)syscall(SYS_clock_gettime, clock, now);
	const char *ahead = getenv("WR_TEST_CLOCK_AHEAD_S");
	if (!failed && clock == CLOCK_REALTIME && ahead)
		now->tv_sec += strtol(ahead, NULL, 10);
	return failed;
}
