/* Sparkline: a series of numbers on one line. */
#ifndef WRCTL_SPARK_H
#define WRCTL_SPARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPARK_MOST 240
#define SPARK_TEXT_BYTES (SPARK_MOST * 4)
/* Heights are shares of the largest number; a 0 is always the lowest, and any other number is not.
 * A negative number was not measured: a space.
 * columns  most columns: neighbours are put together, the largest of them is shown. */
const char *spark_text(const int64_t numbers[], size_t count, size_t columns, bool unicode,
					   char ret_text[SPARK_TEXT_BYTES]);

#endif
