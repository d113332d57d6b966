/* Memory: allocation that does not fail, and ownership that cleans up after itself.
 *
 * What     Small fixed allocations abort when they fail (decision D2): nothing sensible can go on.
 *          Sizes that a peer can influence are bounded by the caller first.
 *          WR_AUTO(x_free) on a local calls x_free(&local) at the end of its scope; WR_TAKE(p)
 *          hands the value on and leaves NULL behind.
 * Used by  everything.
 * Threads  any.
 */
#ifndef WAITINGROOM_MEMORY_H
#define WAITINGROOM_MEMORY_H

#include <stddef.h>

void *mem_alloc_zero(size_t count, size_t size);	  /* gives; zero-filled; never NULL */
void *mem_grow(void *old, size_t count, size_t size); /* gives; like reallocarray; never NULL */
char *mem_copy_string(const char *text);			  /* gives */
void *mem_copy(const void *bytes, size_t len);		  /* gives; a NUL is put behind the copy */

/* free(*p); used by WR_AUTO(mem_free_at) */
void mem_free_at(void *pointer_to_pointer);

#define WR_AUTO(free_at) __attribute__((cleanup(free_at)))
#define WR_TAKE(p)                                                                                 \
	({                                                                                             \
		__auto_type wr_taken_ = (p);                                                               \
		(p) = NULL;                                                                                \
		wr_taken_;                                                                                 \
	})

#endif
