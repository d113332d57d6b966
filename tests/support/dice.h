/* Dice: random numbers that can be had again.
 *
 * dice_start prints the seed; WR_TEST_SEED in the environment gives the same throws once more.
 */
#ifndef SUPPORT_DICE_H
#define SUPPORT_DICE_H

#include <stdbool.h>
#include <stdint.h>

void dice_start(void);
uint64_t dice(uint64_t below); /* 0..below-1 */
double dice_fraction(void);	   /* 0 ≤ x < 1 */

#endif
