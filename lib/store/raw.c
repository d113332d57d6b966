/* Raw: any command, for tests, benchmarks and the probe at start. */
#include "lib/store/client.h"

#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The texts and numbers of an array, a line each; lends, with NUL. */
static const char *array_as_text(struct store *store, const struct reply *reply, size_t *ret_len)
{
	char *text = scratch_room(store, reply->text_len + 24 * reply->count + 1, 1);
	size_t len = 0;
	for (size_t i = 1; i < reply->count; i++) {
		const struct reply_item *item = &reply->items[i];
		if (item->type == REDIS_REPLY_ARRAY)
			continue;
		if (item->type == REDIS_REPLY_INTEGER)
			len += (size_t)sprintf(text + len, "%lld", (long long)item->number);
		else if (item->type != REDIS_REPLY_NIL)
			len = (size_t)((char *)mempcpy(text + len, reply->text + item->at, item->len) - text);
		text[len++] = '\n';
	}
	text[len] = '\0';
	*ret_len = len;
	return text;
}

static void raw_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	const char *text = NULL;
	size_t len = 0;
	int64_t number = 0;
	if (reply) {
		const struct reply_item *first = &reply->items[0];
		number = first->number;
		if (first->type == REDIS_REPLY_ARRAY) {
			number = (int64_t)first->len;
			text = array_as_text(call->store, reply, &len);
		} else if (first->type != REDIS_REPLY_INTEGER && first->type != REDIS_REPLY_NIL) {
			text = reply_text(reply);
			len = first->len;
		}
	}
	call->fn.raw(call->ctx, err, text, len, number);
}

struct call *call_raw(struct store *store, size_t arguments, store_raw_fn fn, void *ctx)
{
	struct call *call = call_command(store, arguments, raw_end, ctx);
	call->fn.raw = fn;
	return call;
}

void store_raw(struct store *store, int argc, const char **argv, const size_t *lens,
			   store_raw_fn fn, void *ctx)
{
	struct call *call = call_raw(store, (size_t)argc, fn, ctx);
	for (int i = 0; i < argc; i++)
		call_add(call, argv[i], lens ? lens[i] : strlen(argv[i]));
	call_send(call);
}

/* ---- the probe ---- */

struct probe {
	bool done;
	enum wr_err err;
	char trouble[128]; /* what the server said, "" when it said nothing */
};

static void on_probe(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	(void)len, (void)number;
	struct probe *probe = ctx;
	probe->done = true;
	probe->err = err;
	snprintf(probe->trouble, sizeof(probe->trouble), "%s", err && text ? text : "");
}

enum wr_err store_probe(struct store *store, struct err_detail *ret_detail)
{
	/* Declares one key and touches another one of its tag, as every step does. */
	const char *argv[] = {"EVAL", "return redis.call('EXISTS', '{wr-probe}:b')", "1",
						  "{wr-probe}:a"};
	struct probe probe = {0};
	store_raw(store, 4, argv, NULL, on_probe, &probe);
	store_wait(store, &probe.done);
	if (!probe.err)
		return WR_OK;
	if (strstr(probe.trouble, "undeclared"))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "the store refuses keys of a declared tag; start DragonflyDB with "
					   "--cluster_mode=emulated --lock_on_hashtags");
	return err_say(ret_detail, WR_STORE_AWAY, "the store could not be asked: %s",
				   probe.trouble[0] ? probe.trouble : "no answer");
}
