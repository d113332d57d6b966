/* Store: the client as its owner sees it: made, asked how it is, waited for, freed. */
#include "lib/store/client.h"

#include "waitingroom/memory.h"

#include <stdlib.h>

void store_options_default(struct store_options *ret_options)
{
	*ret_options = (struct store_options){.timeout_ms = 1000, .wait_timeout_ms = 50};
}

struct store *store_new(struct loop *loop, struct store_address *address,
						const struct store_options *options)
{
	struct store *store = mem_alloc_zero(1, sizeof(*store));
	store->loop = loop;
	store->address = address;
	store->options = *options;
	calls_init(store);
	link_init(store);
	return store;
}

void store_free(struct store *store)
{
	if (!store)
		return;
	link_fini(store);
	calls_fini(store);
	reply_pool_fini(&store->replies);
	free(store->scratch.memory);
	free(store);
}

bool store_is_ready(const struct store *store)
{
	return store->state == LINK_READY;
}

const char *store_trouble(const struct store *store)
{
	return store->trouble;
}

const char *store_life(const struct store *store)
{
	return store->life;
}

void store_on_ready(struct store *store, loop_fn fn, void *ctx)
{
	store->on_ready = fn;
	store->on_ready_ctx = ctx;
}

static uint64_t counter_read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void store_counts(const struct store *store, struct store_counts *ret_counts)
{
	const struct counters *counters = &store->counters;
	*ret_counts = (struct store_counts){
		.calls = counter_read(&counters->calls),
		.failures = counter_read(&counters->failures),
		.reconnects = counter_read(&counters->reconnects),
		.refusals = counter_read(&counters->refusals),
		.timeouts = counter_read(&counters->timeouts),
		.commands = counter_read(&counters->commands),
		.in_flight = counter_read(&counters->in_flight),
		.ready = atomic_load_explicit(&counters->ready, memory_order_relaxed),
	};
	timings_add_to(&counters->answers, &ret_counts->answers);
}

void store_wait(struct store *store, const bool *done)
{
	while (!*done)
		loop_turn(store->loop, -1);
}

bool store_wait_ready(struct store *store, int64_t max_ms)
{
	struct mono_time end = mono_add_ms(clock_mono(), max_ms);
	while (store->state != LINK_READY) {
		int64_t left_ms = mono_diff_ms(clock_mono(), end);
		if (left_ms <= 0)
			return false;
		loop_turn(store->loop, left_ms);
	}
	return true;
}

void *scratch_room(struct store *store, size_t count, size_t size)
{
	struct scratch *scratch = &store->scratch;
	size_t bytes = count * size;
	if (bytes > scratch->bytes || !scratch->memory) {
		size_t room = bytes > 2 * scratch->bytes ? bytes : 2 * scratch->bytes;
		free(scratch->memory);
		scratch->memory = mem_alloc_zero(room ? room : 64, 1);
		scratch->bytes = room ? room : 64;
	}
	return scratch->memory;
}
