/* cmocka with the headers that it wants before itself. */
#ifndef SUPPORT_CMOCKA_H
#define SUPPORT_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Prints into an array, which must be large enough. */
#define print_into(array, ...)                                                                     \
	assert_in_range(snprintf((array), sizeof(array), __VA_ARGS__), 0, sizeof(array) - 1)

#endif
