/* Sparkline: a series of numbers on one line. */
#include "spark.h"

#include <string.h>

#define HEIGHTS 8

static const char *const blocks[HEIGHTS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const letters[HEIGHTS] = {"_", ".", ":", "-", "=", "+", "*", "#"};

static size_t height_of(int64_t number, int64_t most)
{
	if (number <= 0 || most <= 0)
		return 0;
	size_t height = (size_t)((__int128)number * (HEIGHTS - 1) / most);
	return height == 0 ? 1 : height;
}

const char *spark_text(const int64_t numbers[], size_t count, size_t columns, bool unicode,
					   char ret_text[SPARK_TEXT_BYTES])
{
	int64_t most = 0;
	char *at = ret_text;
	columns = columns > SPARK_MOST ? SPARK_MOST : columns;
	columns = columns > count ? count : columns;
	for (size_t i = 0; i < count; i++)
		most = numbers[i] > most ? numbers[i] : most;
	for (size_t i = 0; i < columns; i++) {
		int64_t largest = -1;
		for (size_t k = i * count / columns; k < (i + 1) * count / columns; k++)
			largest = numbers[k] > largest ? numbers[k] : largest;
		const char *const *signs = unicode ? blocks : letters;
		at = stpcpy(at, largest < 0 ? " " : signs[height_of(largest, most)]);
	}
	*at = '\0';
	return ret_text;
}
