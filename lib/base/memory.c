/* Memory: malloc that says so and aborts instead of returning NULL.
 *
 * A process that cannot get a small fixed allocation can neither answer nor log properly; the
 * platform restarts it, and everything it held lives in the store. The message goes out with one
 * write(2), because stdio may want memory itself.
 */
#include "waitingroom/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *mem_or_abort(void *got)
{
	if (got)
		return got;
	static const char last_words[] = "waitingroom: out of memory\n";
	ssize_t ignored = write(STDERR_FILENO, last_words, sizeof(last_words) - 1);
	(void)ignored;
	abort();
}

/* malloc(0) may be NULL without being out of memory. */
static size_t at_least_one(size_t size)
{
	return size ? size : 1;
}

void *mem_alloc_zero(size_t count, size_t size)
{
	return mem_or_abort(calloc(at_least_one(count), at_least_one(size)));
}

void *mem_grow(void *old, size_t count, size_t size)
{
	return mem_or_abort(reallocarray(old, at_least_one(count), at_least_one(size)));
}

char *mem_copy_string(const char *text)
{
	return mem_copy(text, strlen(text));
}

void *mem_copy(const void *bytes, size_t len)
{
	char *copy = mem_or_abort(malloc(len + 1));
	if (len)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

void mem_free_at(void *pointer_to_pointer)
{
	/* A copy through memcpy: the pointer's own type is not known here. */
	void *pointer;
	memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
	free(pointer);
}
