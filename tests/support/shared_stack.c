/* One stack for all tests of a program, ended behind the last. */
#include "support/shared_stack.h"

struct stack *stack;

int shared_stack_close(void **state)
{
	(void)state;
	stack_free(stack);
	return 0;
}
