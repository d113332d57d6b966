/* fill: puts people into a queue directly, spread over a line of any length, and prints a position
 * token for each: what the heartbeat benchmark polls with.
 *
 *     fill <store URL> <key file> <tenant/queue> <people> <last ticket>
 *
 * The queue must exist. The line gets <last ticket> tickets, of which <people> belong to somebody.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/log.h"
#include "waitingroom/store.h"

struct wait {
	bool done;
	enum wr_err err;
	char text[64];
	struct store *store;
};

static void fail(const char *what)
{
	fprintf(stderr, "fill: %s\n", what);
	exit(1);
}

static void on_raw(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	struct wait *wait = ctx;
	(void)number;
	wait->done = true;
	wait->err = err;
	if (text != NULL && len < sizeof(wait->text)) {
		memcpy(wait->text, text, len);
		wait->text[len] = '\0';
	}
}

/* Words separated by single spaces. */
static void command(struct wait *wait, const char *format, ...)
{
	char line[512], *rest = line, *word;
	const char *argv[16];
	size_t lens[16];
	int argc = 0;
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	while ((word = strsep(&rest, " ")) != NULL && argc < 16) {
		argv[argc] = word;
		lens[argc++] = strlen(word);
	}
	wait->done = false;
	store_raw(wait->store, argc, argv, lens, on_raw, wait);
	store_wait(wait->store, &wait->done);
	if (wait->err != WR_OK)
		fail("the store did not take a command");
}

int main(int argc, char **argv)
{
	struct err_detail detail = {""};
	struct store_address *address = NULL;
	struct store_options options;
	struct keys *keys = NULL;
	struct position_claims claims = {.lane = "main"};
	if (argc != 6 || !queue_name_parse(argv[3], strlen(argv[3]), &claims.queue))
		fail("usage: fill <store URL> <key file> <tenant/queue> <people> <last ticket>");
	uint64_t people = strtoull(argv[4], NULL, 10), last = strtoull(argv[5], NULL, 10);
	log_start("fill", LOG_LEVEL_WARN);
	if (store_address_parse(argv[1], &address, &detail) != WR_OK ||
		keys_load(argv[2], &keys, &detail) != WR_OK)
		fail(detail.text);
	store_options_default(&options);
	struct loop *loop = loop_new();
	struct wait wait = {.store = store_new(loop, address, &options)};
	struct signer *signer = signer_new();
	signer_use_keys(signer, keys);
	if (!store_wait_ready(wait.store, 5000))
		fail("no store");
	command(&wait, "GET wr:{%s}:epoch", argv[3]);
	if (strlen(wait.text) != EPOCH_CHARS)
		fail("no such queue");
	memcpy(claims.epoch, wait.text, EPOCH_CHARS);
	claims.issued_s = clock_wall().ms / 1000;
	claims.expires_s = claims.issued_s + 86400;
	for (uint64_t i = 0; i < people; i++) {
		char token[TOKEN_MAX_BYTES + 1];
		size_t len = 0;
		position_id_random(claims.position_id);
		claims.ticket = 1 + i * (last - 1) / (people > 1 ? people - 1 : 1);
		command(&wait, "HSET wr:{%s}:position:%s s w l main t %" PRIu64 " j %" PRId64, argv[3],
				claims.position_id, claims.ticket, claims.issued_s * 1000);
		command(&wait, "ZADD wr:{%s}:heartbeats %" PRId64 " %s", argv[3], claims.issued_s * 1000,
				claims.position_id);
		if (position_token_print(signer, &claims, token, &len) != WR_OK)
			fail("a token could not be signed");
		puts(token);
	}
	command(&wait, "SET wr:{%s}:ticket:main %" PRIu64, argv[3], last);
	store_free(wait.store);
	store_address_free(address);
	loop_free(loop);
	signer_free(signer);
	keys_free(keys);
	return 0;
}
