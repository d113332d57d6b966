/* Position index: one bit per ticket of a lane that has left the line, and running counts.
 *
 * A look-up adds up three numbers: what left before the ticket's chunk, what left before its block
 * in that chunk, and the bits before it in the block (512 bits, one cache line). A change sets bits
 * and mends the counts behind them: those of the later blocks in the chunk, then those of the later
 * chunks. The popcounts are the compiler's: the processor's own instruction, chosen at run time,
 * was measured to save 8 ns of a heartbeat's 6000.
 *
 * Bits are kept in the store's order, offset 0 on top, so that a chunk from the store is taken over
 * with one byte swap per word.
 *
 * How the threads meet. One writer, many readers, a sequence lock: the sequence is odd while the
 * writer is changing something, and a reader that saw it odd, or saw it move, looks again. Every
 * shared word is an atomic, stored with release and loaded with acquire: a reader that met one word
 * of a change then also sees that the sequence has moved. Fences with relaxed words would say the
 * same, but ThreadSanitizer does not know fences; on x86 both are plain moves.
 *
 * A reader never waits. A writer that lost its core in mid-change is not waited for: after
 * LOOKS_MAX looks the reader takes what it sees. That is not wrong, only not of one moment: each
 * departure is counted in exactly one of the three numbers, and each number only grows, so the
 * position lies between those before and after the change and is never above one seen earlier.
 *
 * Chunks are allocated without gaps up to the last ticket, before that ticket is published in
 * 'last': a reader that was let past the check of 'last' finds its chunk there. Only the writer
 * looks at chunks above. They stand in a ring, by their number. At its low end a chunk of which
 * everybody has left is dropped: 'base' moves on, and what is before it is known without looking. A
 * reader that was let past the check of 'base' may still find the dropped chunk, which lives until
 * its turn ends and says the same; or the one that has its place in the ring now, and tells it by
 * its number.
 */
#include "waitingroom/position_index.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"

#define WORD_BITS 64
#define CHUNK_WORDS (INDEX_CHUNK_TICKETS / WORD_BITS)
#define BLOCK_BITS 512
#define BLOCK_WORDS (BLOCK_BITS / WORD_BITS)
#define CHUNK_BLOCKS (INDEX_CHUNK_TICKETS / BLOCK_BITS)

/* Of one sequence-lock section, so that readers are not kept looking again for long. */
#define SECTION_TICKETS 4096
#define SECTION_RANGES 64

#define LOOKS_MAX 100 /* about 3 µs: longer than all but the largest sections */

#define CACHE_LINE_BYTES 64

struct chunk {
	_Alignas(CACHE_LINE_BYTES) _Atomic uint64_t words[CHUNK_WORDS];
	uint64_t number;							 /* constant */
	_Atomic uint32_t before_block[CHUNK_BLOCKS]; /* left in this chunk before the block */
	_Atomic uint64_t before_chunk;				 /* left in the lane before this chunk */
	uint32_t gone;								 /* left in this chunk; the writer's own */
};

struct position_index {
	_Atomic uint64_t sequence;
	_Atomic uint64_t last;
	_Atomic uint64_t noted; /* the highest ticket that was noted */
	_Atomic uint64_t gone;
	_Atomic uint64_t base; /* number of the first chunk that is kept */
	_Atomic uint64_t end;  /* of the first one that is not allocated yet */
	_Atomic(struct chunk *) chunks[INDEX_CHUNKS_MAX]; /* those from base to end, by number */
};

/* ---- memory ---- */

struct position_index *position_index_new(void)
{
	return mem_alloc_zero(1, sizeof(struct position_index));
}

void position_index_free(struct position_index *index)
{
	if (!index)
		return;
	for (uint64_t i = index->base; i < index->end; i++)
		free(index->chunks[i % INDEX_CHUNKS_MAX]);
	free(index);
}

static uint64_t chunk_of(uint64_t ticket)
{
	return (ticket - 1) / INDEX_CHUNK_TICKETS;
}

static struct chunk *chunk_at(const struct position_index *index, uint64_t number)
{
	return atomic_load_explicit(&index->chunks[number % INDEX_CHUNKS_MAX], memory_order_acquire);
}

/* The last ticket that there is room for. */
static uint64_t ticket_limit(const struct position_index *index)
{
	return (index->base + INDEX_CHUNKS_MAX) * INDEX_CHUNK_TICKETS;
}

static struct chunk *chunk_new(uint64_t number, uint64_t before_chunk)
{
	struct chunk *chunk = aligned_alloc(CACHE_LINE_BYTES, sizeof(*chunk));
	if (!chunk)
		abort();
	memset(chunk, 0, sizeof(*chunk));
	chunk->number = number;
	atomic_init(&chunk->before_chunk, before_chunk);
	return chunk;
}

/* New chunks come after all others: nobody has left there, and everybody who has left did
 * before. */
static void grow(struct position_index *index, uint64_t ticket)
{
	uint64_t end = index->end, wanted = chunk_of(ticket) + 1;
	for (; end < wanted; end++)
		atomic_store_explicit(&index->chunks[end % INDEX_CHUNKS_MAX], chunk_new(end, index->gone),
							  memory_order_release);
	atomic_store_explicit(&index->end, end, memory_order_release);
}

void position_index_skip(struct position_index *index, uint64_t chunks)
{
	assert(index->end == 0 && "the index knows something already");
	atomic_store_explicit(&index->gone, chunks * INDEX_CHUNK_TICKETS, memory_order_release);
	atomic_store_explicit(&index->end, chunks, memory_order_release);
	atomic_store_explicit(&index->base, chunks, memory_order_release);
}

uint64_t position_index_first_chunk(const struct position_index *index)
{
	return atomic_load_explicit(&index->base, memory_order_acquire);
}

void *position_index_drop(struct position_index *index)
{
	uint64_t base = index->base;
	if (base + 1 >= index->end)
		return NULL;
	struct chunk *chunk = chunk_at(index, base);
	if (chunk->gone < INDEX_CHUNK_TICKETS)
		return NULL;
	atomic_store_explicit(&index->base, base + 1, memory_order_release);
	return chunk;
}

size_t position_index_bytes(const struct position_index *index)
{
	return sizeof(*index) +
		   sizeof(struct chunk) * (atomic_load_explicit(&index->end, memory_order_acquire) -
								   atomic_load_explicit(&index->base, memory_order_acquire));
}

/* ---- sequence lock ---- */

/* The sequence has one writer, so that a plain addition will do. */
static void section_begin(struct position_index *index)
{
	uint64_t sequence = atomic_load_explicit(&index->sequence, memory_order_relaxed);
	atomic_store_explicit(&index->sequence, sequence + 1, memory_order_relaxed);
}

static void section_end(struct position_index *index)
{
	uint64_t sequence = atomic_load_explicit(&index->sequence, memory_order_relaxed);
	atomic_store_explicit(&index->sequence, sequence + 1, memory_order_release);
}

static void pause_between_looks(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* ---- writer ---- */

/* Sets bits of one word; returns how many were not set before. */
static uint32_t set_bits(struct chunk *chunk, size_t word, uint64_t bits)
{
	uint64_t old = atomic_load_explicit(&chunk->words[word], memory_order_relaxed);
	if ((bits & ~old) == 0)
		return 0;
	atomic_store_explicit(&chunk->words[word], old | bits, memory_order_release);
	return (uint32_t)__builtin_popcountll(bits & ~old);
}

/* 'added' bits were set in the blocks before 'block'; it and all later ones hear of it. */
static void add_before_block(struct chunk *chunk, size_t block, uint32_t added)
{
	uint32_t before = atomic_load_explicit(&chunk->before_block[block], memory_order_relaxed);
	atomic_store_explicit(&chunk->before_block[block], before + added, memory_order_release);
}

/* Bits of a word from offset 'first' to 'last', 0..63 from the top. */
static uint64_t bits_between(unsigned first, unsigned last)
{
	return (UINT64_MAX >> first) & (UINT64_MAX << (WORD_BITS - 1 - last));
}

/* Offsets in the chunk, inclusive. */
static void mark(struct chunk *chunk, uint32_t first, uint32_t last)
{
	uint32_t added = 0;
	size_t word = first / WORD_BITS, last_word = last / WORD_BITS;
	for (size_t block = word / BLOCK_WORDS; block < CHUNK_BLOCKS; block++) {
		if (added)
			add_before_block(chunk, block, added);
		for (; word <= last_word && word < (block + 1) * BLOCK_WORDS; word++)
			added += set_bits(chunk, word,
							  bits_between(word == first / WORD_BITS ? first % WORD_BITS : 0,
										   word == last_word ? last % WORD_BITS : WORD_BITS - 1));
		if (!added && word > last_word)
			break; /* all of them had left before */
	}
	chunk->gone += added;
}

/* Mends the counts of the chunks after the lowest one changed, and the total. */
static void mend_chunks(struct position_index *index, uint64_t lowest)
{
	struct chunk *chunk = chunk_at(index, lowest);
	uint64_t before =
		atomic_load_explicit(&chunk->before_chunk, memory_order_relaxed) + chunk->gone;
	for (uint64_t i = lowest + 1; i < index->end; i++) {
		chunk = chunk_at(index, i);
		atomic_store_explicit(&chunk->before_chunk, before, memory_order_release);
		before += chunk->gone;
	}
	atomic_store_explicit(&index->gone, before, memory_order_release);
}

/* How far an apply has come: 'next' is the first ticket of ranges[at] that is not yet marked. */
struct progress {
	const struct ticket_range *ranges;
	size_t at, count;
	uint64_t next;
};

static void next_range(struct progress *progress)
{
	if (++progress->at < progress->count)
		progress->next = progress->ranges[progress->at].first;
}

/* What is before the first chunk has left already. */
static void pass_over(const struct position_index *index, struct progress *progress)
{
	uint64_t first = index->base * INDEX_CHUNK_TICKETS + 1;
	while (progress->at < progress->count && progress->ranges[progress->at].last < first)
		next_range(progress);
	if (progress->next < first)
		progress->next = first;
}

/* Marks what one section may hold, in pieces that do not cross a chunk. */
static void apply_section(struct position_index *index, struct progress *progress)
{
	uint64_t lowest = UINT64_MAX, tickets_left = SECTION_TICKETS;
	section_begin(index);
	for (unsigned pieces = 0;
		 pieces < SECTION_RANGES && tickets_left && progress->at < progress->count; pieces++) {
		uint64_t first = progress->next - 1, last = progress->ranges[progress->at].last - 1;
		uint64_t number = first / INDEX_CHUNK_TICKETS;
		uint64_t chunk_last = (number + 1) * INDEX_CHUNK_TICKETS - 1;
		uint64_t end = last < chunk_last ? last : chunk_last;
		if (end - first >= tickets_left)
			end = first + tickets_left - 1;
		mark(chunk_at(index, number), first % INDEX_CHUNK_TICKETS, end % INDEX_CHUNK_TICKETS);
		lowest = number < lowest ? number : lowest;
		tickets_left -= end - first + 1;
		progress->next = end + 2;
		if (end == last) {
			next_range(progress);
			pass_over(index, progress);
		}
	}
	mend_chunks(index, lowest);
	section_end(index);
}

enum wr_err position_index_apply(struct position_index *index, const struct ticket_range *ranges,
								 size_t count)
{
	uint64_t highest = 0;
	for (size_t i = 0; i < count; i++) {
		if (ranges[i].first == 0 || ranges[i].first > ranges[i].last)
			return WR_INVALID;
		if (ranges[i].last > ticket_limit(index))
			return WR_LIMIT;
		highest = ranges[i].last > highest ? ranges[i].last : highest;
	}
	if (!count)
		return WR_OK;
	grow(index, highest);
	struct progress progress = {.ranges = ranges, .count = count, .next = ranges[0].first};
	pass_over(index, &progress);
	while (progress.at < count)
		apply_section(index, &progress);
	return WR_OK;
}

/* The store's bit 0 is the top bit of byte 0, so a word is eight bytes, big end first. */
static uint64_t word_from_store(const uint8_t *bitmap, size_t bytes, size_t word)
{
	uint8_t eight[sizeof(uint64_t)] = {0};
	size_t at = word * sizeof(eight);
	if (at < bytes)
		memcpy(eight, bitmap + at, bytes - at < sizeof(eight) ? bytes - at : sizeof(eight));
	uint64_t bits = 0;
	for (size_t i = 0; i < sizeof(eight); i++)
		bits = bits << 8 | eight[i];
	return bits;
}

enum wr_err position_index_load_chunk(struct position_index *index, uint64_t chunk,
									  const uint8_t *bitmap, size_t bytes)
{
	if (chunk >= index->base + INDEX_CHUNKS_MAX || bytes > INDEX_CHUNK_BYTES)
		return WR_LIMIT;
	if (!bytes || chunk < index->base)
		return WR_OK;
	grow(index, chunk * INDEX_CHUNK_TICKETS + 1);
	struct chunk *into = chunk_at(index, chunk);
	uint32_t added = 0;
	section_begin(index);
	for (size_t word = 0; word < CHUNK_WORDS; word++) {
		if (added && word % BLOCK_WORDS == 0)
			add_before_block(into, word / BLOCK_WORDS, added);
		added += set_bits(into, word, word_from_store(bitmap, bytes, word));
	}
	into->gone += added;
	mend_chunks(index, chunk);
	section_end(index);
	return WR_OK;
}

size_t position_index_extra(const struct position_index *index, uint64_t chunk,
							const uint8_t *bitmap, size_t bytes, struct ticket_range *ret_ranges,
							size_t max)
{
	if (chunk < index->base || chunk >= index->end)
		return 0;
	const struct chunk *ours = chunk_at(index, chunk);
	size_t count = 0;
	for (size_t word = 0; word < CHUNK_WORDS; word++) {
		uint64_t extra = atomic_load_explicit(&ours->words[word], memory_order_relaxed) &
						 ~word_from_store(bitmap, bytes, word);
		while (extra != 0) {
			unsigned at = (unsigned)__builtin_clzll(extra); /* the top bit is the first ticket */
			uint64_t ticket = chunk * INDEX_CHUNK_TICKETS + word * WORD_BITS + at + 1;
			extra &= ~(UINT64_C(1) << (WORD_BITS - 1 - at));
			if (count > 0 && ret_ranges[count - 1].last + 1 == ticket)
				ret_ranges[count - 1].last = ticket;
			else if (count < max)
				ret_ranges[count++] = (struct ticket_range){.first = ticket, .last = ticket};
			else
				return count;
		}
	}
	return count;
}

void position_index_set_last(struct position_index *index, uint64_t last_ticket)
{
	uint64_t limit = ticket_limit(index), last = last_ticket < limit ? last_ticket : limit;
	if (last <= index->last)
		return;
	grow(index, last);
	atomic_store_explicit(&index->last, last, memory_order_release);
}

void position_index_note(struct position_index *index, uint64_t ticket)
{
	uint64_t noted = atomic_load_explicit(&index->noted, memory_order_relaxed);
	while (noted < ticket &&
		   !atomic_compare_exchange_weak_explicit(&index->noted, &noted, ticket,
												  memory_order_relaxed, memory_order_relaxed))
		;
}

/* ---- readers ---- */

/* One look; what it finds holds only if the sequence has not moved meanwhile. */
static struct index_answer look_up(const struct chunk *chunk, uint64_t ticket)
{
	uint32_t offset = (uint32_t)((ticket - 1) % INDEX_CHUNK_TICKETS);
	size_t word = offset / WORD_BITS, block = offset / BLOCK_BITS;
	uint64_t bits = atomic_load_explicit(&chunk->words[word], memory_order_acquire);
	uint64_t gone = atomic_load_explicit(&chunk->before_chunk, memory_order_acquire) +
					atomic_load_explicit(&chunk->before_block[block], memory_order_acquire);
	for (size_t i = block * BLOCK_WORDS; i < word; i++)
		gone += (unsigned)__builtin_popcountll(
			atomic_load_explicit(&chunk->words[i], memory_order_acquire));
	uint64_t own_bit = UINT64_C(1) << (WORD_BITS - 1 - offset % WORD_BITS);
	uint64_t before = ~(UINT64_MAX >> offset % WORD_BITS);
	gone += (unsigned)__builtin_popcountll(bits & before);
	return (struct index_answer){.in_line = (bits & own_bit) == 0, .position = ticket - gone};
}

enum wr_err position_index_find(const struct position_index *index, uint64_t ticket,
								struct index_answer *ret_answer)
{
	if (ticket == 0 || ticket > atomic_load_explicit(&index->last, memory_order_acquire))
		return WR_NOT_FOUND;
	uint64_t number = chunk_of(ticket);
	const struct chunk *chunk =
		number < position_index_first_chunk(index) ? NULL : chunk_at(index, number);
	if (chunk == NULL ||
		chunk->number != number) { /* dropped: with all who came before, they have left */
		*ret_answer = (struct index_answer){.in_line = false, .position = 1};
		return WR_OK;
	}
	struct index_answer answer;
	for (unsigned look = 0; look < LOOKS_MAX; look++) {
		uint64_t before = atomic_load_explicit(&index->sequence, memory_order_acquire);
		answer = look_up(chunk, ticket);
		uint64_t after = atomic_load_explicit(&index->sequence, memory_order_relaxed);
		if (before == after && before % 2 == 0)
			break;
		pause_between_looks();
	}
	*ret_answer = answer;
	return WR_OK;
}

uint64_t position_index_gone(const struct position_index *index)
{
	return atomic_load_explicit(&index->gone, memory_order_acquire);
}

uint64_t position_index_last(const struct position_index *index)
{
	return atomic_load_explicit(&index->last, memory_order_acquire);
}

uint64_t position_index_highest(const struct position_index *index)
{
	uint64_t last = position_index_last(index);
	uint64_t noted = atomic_load_explicit(&index->noted, memory_order_relaxed);
	return noted > last ? noted : last;
}
