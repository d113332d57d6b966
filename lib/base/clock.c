/* Clocks: the only two calls of clock_gettime in the project.
 *
 * Both clocks exist on every Linux, so a failure is a broken machine: assert.
 */
#include "waitingroom/clock.h"

#include <assert.h>
#include <time.h>

static struct timespec clock_read(clockid_t id)
{
	struct timespec at;
	int failed = clock_gettime(id, &at);
	assert(!failed);
	return at;
}

struct mono_time clock_mono(void)
{
	struct timespec at = clock_read(CLOCK_MONOTONIC);
	return (struct mono_time){.ns = (int64_t)at.tv_sec * 1000000000 + at.tv_nsec};
}

struct wall_time clock_wall(void)
{
	return (struct wall_time){.ms = clock_wall_ns() / 1000000};
}

int64_t clock_wall_ns(void)
{
	struct timespec at = clock_read(CLOCK_REALTIME);
	return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}
