/* Dice: repeatable randomness, one state per visitor.
 *
 * SplitMix64 (Steele, Lea, Flood 2014): any start is a good one, so a visitor's dice are made from
 * the run's seed and the visitor's number, and what somebody does depends on neither timing nor
 * on anybody else.
 */
#ifndef WRLOAD_DICE_H
#define WRLOAD_DICE_H

#include <stdbool.h>
#include <stdint.h>

static inline uint64_t dice_roll(uint64_t *dice)
{
	uint64_t z = *dice += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline double dice_share(uint64_t *dice) /* 0 <= share < 1 */
{
	return (double)(dice_roll(dice) >> 11) * 0x1p-53;
}

static inline bool dice_chance(uint64_t *dice, double share)
{
	return dice_share(dice) < share;
}

static inline int64_t dice_between(uint64_t *dice, int64_t low, int64_t high) /* both included */
{
	return low + (int64_t)(dice_share(dice) * (double)(high - low + 1));
}

static inline uint64_t dice_of(int64_t seed, uint64_t number)
{
	uint64_t dice = (uint64_t)seed;
	dice = dice_roll(&dice) ^ number;
	return dice_roll(&dice);
}

#endif
