/* Verdicts: a table of four-way buckets, probed by a keyed 128-bit hash of token and queue.
 *
 * The hash stands for the token: nobody knows its key, so nobody can look for a second text with
 * the hash of a token that passes. Belongs to one worker.
 */
#include "verdicts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "waitingroom/memory.h"

#define WAYS 4

struct verdicts {
	uint8_t hash_key[SIPHASH_KEY_BYTES];
	uint64_t generation; /* of the keys that verified what is here */
	size_t bucket_mask;
	struct verdict entries[];
};

struct verdicts *verdicts_new(size_t sessions)
{
	size_t buckets = 1;
	while (buckets * WAYS < sessions)
		buckets *= 2;
	struct verdicts *verdicts =
		mem_alloc_zero(1, sizeof(*verdicts) + buckets * WAYS * sizeof(verdicts->entries[0]));
	verdicts->bucket_mask = buckets - 1;
	if (getrandom(verdicts->hash_key, sizeof(verdicts->hash_key), 0) != sizeof(verdicts->hash_key))
		abort();
	return verdicts;
}

void verdicts_free(struct verdicts *verdicts)
{
	free(verdicts);
}

static struct siphash hash_of(const struct verdicts *verdicts, const struct queue_name *queue,
							  const char *token, size_t len)
{
	char text[TOKEN_MAX_BYTES + QUEUE_NAME_TEXT_BYTES + 1] __attribute__((uninitialized));
	char *end = mempcpy(text, token, len);
	*end++ = ' '; /* in no token */
	end += queue_name_print(queue, end);
	return siphash_128(verdicts->hash_key, text, (size_t)(end - text));
}

uint64_t verdicts_hash(const struct verdicts *verdicts, const char *text)
{
	return siphash_128(verdicts->hash_key, text, strlen(text)).low;
}

static void forget_all(struct verdicts *verdicts)
{
	memset(verdicts->entries, 0, (verdicts->bucket_mask + 1) * WAYS * sizeof(verdicts->entries[0]));
}

/* The entry of that hash, or the one to give up for it. */
static struct verdict *probe(struct verdicts *verdicts, struct siphash hash, bool *ret_found)
{
	struct verdict *bucket = &verdicts->entries[(hash.low & verdicts->bucket_mask) * WAYS];
	struct verdict *first_to_end = bucket;
	for (struct verdict *entry = bucket; entry < bucket + WAYS; entry++) {
		if (entry->of.low == hash.low && entry->of.high == hash.high) {
			*ret_found = true;
			return entry;
		}
		if (entry->claims.expires_s < first_to_end->claims.expires_s)
			first_to_end = entry;
	}
	*ret_found = false;
	return first_to_end;
}

struct verdict *verdicts_look(struct verdicts *verdicts, struct signer *signer,
							  const struct queue_name *queue, const char *token, size_t len,
							  struct wall_time now, enum wr_err *ret_err, bool *ret_was_known)
{
	*ret_was_known = false;
	*ret_err = WR_BAD_TOKEN;
	if (len > TOKEN_MAX_BYTES)
		return NULL;
	if (verdicts->generation != signer_generation(signer)) {
		if (verdicts->generation != 0) /* else it has nothing, nor memory of its own yet */
			forget_all(verdicts);
		verdicts->generation = signer_generation(signer);
	}
	struct siphash hash = hash_of(verdicts, queue, token, len);
	struct verdict *entry = probe(verdicts, hash, ret_was_known);
	if (*ret_was_known) {
		*ret_err = WR_OK;
		return entry;
	}
	struct session_claims claims;
	*ret_err = session_token_verify(signer, token, len, now, &claims);
	if (*ret_err == WR_OK && !queue_name_equal(&claims.queue, queue))
		*ret_err = WR_BAD_TOKEN;
	if (*ret_err != WR_OK)
		return NULL;
	*entry = (struct verdict){.of = hash, .claims = claims};
	return entry;
}
