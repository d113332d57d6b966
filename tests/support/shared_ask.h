/* One Redis, and a client of the store that asks it, for all tests of a program.
 *
 *     TEST(name): cmocka_unit_test_setup(name, shared_ask_empty)
 *     return cmocka_run_group_tests(tests, shared_ask_open, shared_ask_close);
 */
#ifndef SUPPORT_SHARED_ASK_H
#define SUPPORT_SHARED_ASK_H

#include "support/store_ask.h"

/* From shared_ask_open to shared_ask_close. */
extern struct ask *ask;

/* For cmocka; they do not look at state. */
int shared_ask_open(void **state);
int shared_ask_close(void **state);
int shared_ask_empty(void **state); /* nothing is left in the store */

const char *shared_ask_url(void); /* of the Redis, for one more client; lends */

#endif
