/* Items: the answer to any command, copied out of the client's buffers.
 *
 * The client reads a reply into one flat list (reply.c). Here that list is given away as it is,
 * with texts in place of offsets, so that a tool can take apart what it asked for: pairs of a hash,
 * entries of a stream.
 */
#include "lib/store/client.h"

#include "waitingroom/memory.h"
#include "waitingroom/store_items.h"

#include <stdlib.h>
#include <string.h>

struct question {
	bool done;
	enum wr_err err;
	struct store_items *items;
	struct err_detail *detail;
};

static struct store_item item_of(const struct reply_item *from, char *text)
{
	switch (from->type) {
	case REDIS_REPLY_ARRAY:
		return (struct store_item){.kind = STORE_ITEM_ARRAY, .number = (int64_t)from->len};
	case REDIS_REPLY_INTEGER:
		return (struct store_item){.kind = STORE_ITEM_NUMBER, .number = from->number};
	case REDIS_REPLY_NIL:
		return (struct store_item){.kind = STORE_ITEM_NIL};
	default:
		return (struct store_item){.kind = STORE_ITEM_TEXT, .text = {text + from->at, from->len}};
	}
}

static void items_end(struct call *call, enum wr_err err, const struct reply *reply)
{
	struct question *question = call->ctx;
	question->done = true;
	question->err = err;
	if (err) {
		err_say(question->detail, err, "the store: %s", reply ? reply_text(reply) : "no answer");
		return;
	}
	struct store_items *items = question->items;
	items->count = reply->count;
	items->list = mem_alloc_zero(reply->count, sizeof(*items->list));
	items->text = mem_copy(reply->text, reply->text_len);
	for (size_t i = 0; i < reply->count; i++)
		items->list[i] = item_of(&reply->items[i], items->text);
}

enum wr_err store_command(struct store *store, const struct store_text *argv, size_t argc,
						  struct store_items *ret_items, struct err_detail *ret_detail)
{
	struct question question = {.items = ret_items, .detail = ret_detail};
	struct call *call = call_command(store, argc, items_end, &question);
	for (size_t i = 0; i < argc; i++)
		call_add(call, argv[i].bytes, argv[i].len);
	call_send(call);
	store_wait(store, &question.done);
	return question.err;
}

void store_items_clear(struct store_items *items)
{
	free(items->text);
	free(items->list);
	*items = (struct store_items){0};
}
