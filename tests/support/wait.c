/* Waiting: short polls until a deadline, watching the children meanwhile. */
#include "support/wait.h"

#include "support/cmocka.h"
#include "support/process.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* To look costs processor time, which the tests beside this one lack: what has taken long already
 * is looked at less often, and found at most a sixteenth later. */
#define LOOK_MIN_MS 2
#define LOOK_MAX_MS 20
#define WAITED_A_LOOK 16

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
	int left_ms = wait_left_ms(deadline);
	if (!left_ms) {
		process_show_logs();
		print_error("%s:%d: not within %lld ms: %s\n", file, line, (long long)deadline_ms, what);
		_fail(file, line);
	}
	int64_t look_ms = (deadline_ms * slowness() - left_ms) / WAITED_A_LOOK;
	poll(NULL, 0,
		 look_ms < LOOK_MIN_MS	 ? LOOK_MIN_MS
		 : look_ms > LOOK_MAX_MS ? LOOK_MAX_MS
								 : (int)look_ms);
}
