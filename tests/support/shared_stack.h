/* One stack for all tests of a program, started as the program says.
 *
 *     static int open_room(void **state)
 *     {
 *         (void)state;
 *         stack = stack_start(&(struct stack_options){.pods = 2, .admitters = 1});
 *         return 0;
 *     }
 *     …
 *     return cmocka_run_group_tests(tests, open_room, shared_stack_close);
 */
#ifndef SUPPORT_SHARED_STACK_H
#define SUPPORT_SHARED_STACK_H

#include "support/stack.h"

extern struct stack *stack;

int shared_stack_close(void **state); /* for cmocka; does not look at state */

#endif
