/* Rate limit: the per-network sliding window in front of the routes that ask for it.
 *
 * Two limits at most: one for an address, one for the network around it, which is larger because a
 * campus or a carrier is thousands of people behind few addresses. What a client learns follows
 * draft-ietf-httpapi-ratelimit-headers-10:
 *
 *     RateLimit-Policy: "address";q=5;w=60, "network";q=100;w=60
 *     RateLimit: "address";r=3;t=42
 *
 * RateLimit names the limit that has least left. Retry-After is never earlier than its t, and
 * jittered, so that those who were refused together do not come back together.
 */
#include "chain.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#define FIELD_BYTES 128

struct limit_state {
	const char *name;
	bool passes;
	uint32_t remaining, reset_s;
};

static struct rate_limiter *limiter_or_none(uint32_t limit,
											const struct rate_limit_options *options)
{
	return limit ? rate_limiter_new(limit, options->window_s, options->table_slots) : NULL;
}

void rate_limits_init(struct rate_limits *limits, const struct rate_limit_options *options)
{
	limits->options = *options;
	limits->address = limiter_or_none(options->per_address, options);
	limits->network = limiter_or_none(options->per_network, options);
	ssize_t got = getrandom(&limits->random, sizeof(limits->random), 0);
	assert(got == sizeof(limits->random));
	limits->random |= 1; /* the generator must not start from zero */
}

void rate_limits_fini(struct rate_limits *limits)
{
	rate_limiter_free(limits->address);
	rate_limiter_free(limits->network);
}

/* t, and up to a quarter of it more, at least a second. */
static int64_t retry_after_s(struct rate_limits *limits, uint32_t reset_s)
{
	limits->random ^= limits->random << 13; /* xorshift64 */
	limits->random ^= limits->random >> 7;
	limits->random ^= limits->random << 17;
	uint64_t spread = reset_s / 4 + 2;
	return (int64_t)(reset_s + (limits->random >> 11) % spread);
}

static void add_fields(const struct rate_limits *limits, struct http_request *request,
					   const struct limit_state *state)
{
	char policy[FIELD_BYTES] = "", field[FIELD_BYTES];
	int len = 0;
	if (limits->address)
		len = snprintf(policy, sizeof(policy), "\"address\";q=%" PRIu32 ";w=%" PRIu32,
					   limits->options.per_address, limits->options.window_s);
	if (limits->network)
		snprintf(policy + len, sizeof(policy) - (size_t)len,
				 "%s\"network\";q=%" PRIu32 ";w=%" PRIu32, len ? ", " : "",
				 limits->options.per_network, limits->options.window_s);
	snprintf(field, sizeof(field), "\"%s\";r=%" PRIu32 ";t=%" PRIu32, state->name, state->remaining,
			 state->reset_s);
	http_reply_header(request, "RateLimit-Policy", policy);
	http_reply_header(request, "RateLimit", field);
}

static struct limit_state take(struct rate_limiter *limiter, const char *name, uint64_t key,
							   int64_t now_ms)
{
	struct limit_state state = {.name = name};
	state.passes = rate_limiter_take(limiter, key, now_ms, &state.remaining, &state.reset_s);
	return state;
}

bool rate_limits_pass(struct rate_limits *limits, struct http_request *request,
					  const struct client_ip *client)
{
	int64_t now_ms = http_request_started(request).ns / 1000000;
	struct limit_state state = {.passes = true, .remaining = UINT32_MAX};
	if (limits->address)
		state = take(limits->address, "address", client_ip_hash(client, 32, 64), now_ms);
	if (limits->network && state.passes) {
		struct limit_state network =
			take(limits->network, "network", client_ip_hash(client, 24, 48), now_ms);
		if (!network.passes || network.remaining < state.remaining)
			state = network;
	}
	if (!state.name)
		return true;
	add_fields(limits, request, &state);
	if (!state.passes)
		http_reply_problem(request, WR_RATE_LIMITED, NULL, retry_after_s(limits, state.reset_s));
	return state.passes;
}
