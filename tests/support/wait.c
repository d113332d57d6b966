/* Waiting: short polls until a deadline, watching the children meanwhile. */
#include "support/wait.h"

#include "support/cmocka.h"
#include "support/process.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOK_EVERY_MS 2

static int64_t slowness(void)
{
	const char *text = getenv("WR_TEST_SLOWNESS");
	int64_t factor = text ? strtoll(text, NULL, 10) : 1;
	return factor >= 1 ? factor : 1;
}

struct mono_time wait_deadline(int64_t ms)
{
	return mono_add_ms(clock_mono(), ms * slowness());
}

int wait_left_ms(struct mono_time deadline)
{
	int64_t left = mono_diff_ms(clock_mono(), deadline);
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

void wait_a_little(struct mono_time deadline, int64_t deadline_ms, const char *what,
				   const char *file, int line)
{
	process_check_all();
	if (!wait_left_ms(deadline)) {
		process_show_logs();
		print_error("%s:%d: not within %lld ms: %s\n", file, line, (long long)deadline_ms, what);
		_fail(file, line);
	}
	poll(NULL, 0, LOOK_EVERY_MS);
}
