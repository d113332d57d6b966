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

/* Declares one key and touches another one of its tag, as every step does. */
static void send_probe(struct store *store, store_raw_fn fn, void *ctx)
{
	const char *argv[] = {"EVAL", "return redis.call('EXISTS', '{wr-probe}:b')", "1",
						  "{wr-probe}:a"};
	store_raw(store, 4, argv, NULL, fn, ctx);
}

static bool is_refusal(const char *trouble)
{
	return strstr(trouble, "undeclared") != NULL;
}

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
	struct probe probe = {0};
	send_probe(store, on_probe, &probe);
	store_wait(store, &probe.done);
	if (!probe.err)
		return WR_OK;
	if (is_refusal(probe.trouble))
		return err_say(ret_detail, WR_BAD_CONFIG,
					   "the store refuses keys of a declared tag; start DragonflyDB with "
					   "--cluster_mode=emulated --lock_on_hashtags");
	return err_say(ret_detail, WR_STORE_AWAY, "the store could not be asked: %s",
				   probe.trouble[0] ? probe.trouble : "no answer");
}

/* ---- how the store is, for those who do not wait ---- */

struct question {
	union {
		store_info_fn info;
		store_tags_fn tags;
	} fn;
	void *ctx;
};

static void on_info(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	WR_AUTO(mem_free_at) struct question *question = ctx;
	(void)len, (void)number;
	question->fn.info(question->ctx, err, text);
}

void store_info(struct store *store, store_info_fn fn, void *ctx)
{
	struct question *question = mem_alloc_zero(1, sizeof(*question));
	*question = (struct question){.fn.info = fn, .ctx = ctx};
	const char *argv[] = {"INFO"};
	store_raw(store, 1, argv, NULL, on_info, question);
}

static void on_tags(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	WR_AUTO(mem_free_at) struct question *question = ctx;
	(void)len, (void)number;
	question->fn.tags(question->ctx, err, err && text && is_refusal(text));
}

void store_tags(struct store *store, store_tags_fn fn, void *ctx)
{
	struct question *question = mem_alloc_zero(1, sizeof(*question));
	*question = (struct question){.fn.tags = fn, .ctx = ctx};
	send_probe(store, on_tags, question);
}
