/* Dice: splitmix64 (Steele, Lea, Flood 2014), for which every seed is good. */
#include "support/dice.h"

#include "support/cmocka.h"
#include "waitingroom/clock.h"

#include <stdlib.h>

static uint64_t state;

void dice_start(void)
{
	const char *given = getenv("WR_TEST_SEED");
	state = given ? strtoull(given, NULL, 10) : (uint64_t)clock_wall().ms;
	print_message("# seed %llu\n", (unsigned long long)state);
}

static uint64_t next(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t dice(uint64_t below)
{
	return next() % below;
}

double dice_fraction(void)
{
	return (double)(next() >> 11) / (double)(UINT64_C(1) << 53);
}
