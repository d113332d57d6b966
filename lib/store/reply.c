/* Reply: what the server answered, as one flat list of items.
 *
 * hiredis would allocate an object for every element, thousands for the answer to one batch. It
 * lets its user build the objects instead: here each reply is two growing buffers, items and text,
 * that are used again and again. An array stands before its elements, in the order of arrival, so a
 * walk from front to back meets everything and never follows a pointer.
 *
 * hiredis looks into a reply itself in one case: when it arrives and nobody waits for one. An error
 * then ends the connection; anything else is an assert. So every reply shows hiredis the head of an
 * error reply ('view'): a server that talks out of turn costs the connection, not the process.
 *
 * A reply is lent to its callback and then freed by hiredis; one that is 'kept' stays until
 * reply_free.
 */
#include "lib/store/client.h"

#include "waitingroom/memory.h"

#include <stdlib.h>
#include <string.h>

#define REPLY_TEXT_MAX (64u << 20)
#define REPLY_ITEMS_MAX (4u << 20)

#if HIREDIS_MAJOR >= 1
typedef size_t array_len;
#else
typedef int array_len;
#endif

/* ---- building, from hiredis's parser ---- */

static struct reply *reply_take(struct reply_pool *pool)
{
	struct reply *reply = pool->free;
	if (reply) {
		pool->free = reply->next_free;
	} else {
		static char out_of_turn[] = "a reply that nobody had asked for";
		reply = mem_alloc_zero(1, sizeof(*reply));
		reply->view.type = REDIS_REPLY_ERROR;
		reply->view.str = out_of_turn;
		reply->view.len = sizeof(out_of_turn) - 1;
		reply->pool = pool;
	}
	reply->count = reply->text_len = 0;
	reply->kept = false;
	return reply;
}

/* The next item of the reply that is being read; NULL when it is too large to be true, which
 * hiredis takes for want of memory and so ends the connection. */
static struct reply_item *item_add(const redisReadTask *task, int type)
{
	struct reply_pool *pool = task->privdata;
	if (!task->parent)
		pool->reading = reply_take(pool);
	struct reply *reply = pool->reading;
	if (reply->count == REPLY_ITEMS_MAX)
		return NULL;
	if (reply->count == reply->room) {
		reply->room = reply->room ? reply->room * 2 : 64;
		reply->items = mem_grow(reply->items, reply->room, sizeof(*reply->items));
	}
	struct reply_item *item = &reply->items[reply->count++];
	*item = (struct reply_item){.type = type};
	return item;
}

/* hiredis wants an object for each element; all of them are the whole. */
static void *whole(const redisReadTask *task)
{
	struct reply_pool *pool = task->privdata;
	return pool->reading;
}

/* What was built of a reply that cannot be gone on with goes back into the pool: of a first item
 * hiredis never gets an object that it could free. */
static void *give_up(const redisReadTask *task)
{
	struct reply_pool *pool = task->privdata;
	if (!task->parent)
		reply_free(pool->reading);
	return NULL;
}

static void *on_string(const redisReadTask *task, char *bytes, size_t len)
{
	struct reply_item *item = item_add(task, task->type);
	if (!item)
		return give_up(task);
	struct reply *reply = whole(task);
	if (len > REPLY_TEXT_MAX || reply->text_len > REPLY_TEXT_MAX)
		return give_up(task);
	size_t needed = reply->text_len + len + 1;
	if (needed > reply->text_room) {
		reply->text_room = reply->text_room * 2 > needed ? reply->text_room * 2 : needed + 256;
		reply->text = mem_grow(reply->text, reply->text_room, 1);
	}
	item->at = reply->text_len;
	item->len = len;
	if (len)
		memcpy(reply->text + item->at, bytes, len);
	reply->text[item->at + len] = '\0';
	reply->text_len = needed;
	return reply;
}

static void *on_array(const redisReadTask *task, array_len elements)
{
	struct reply_item *item = item_add(task, REDIS_REPLY_ARRAY);
	if (!item)
		return give_up(task);
	item->len = elements > 0 ? (size_t)elements : 0; /* hiredis 0.14 says -1 for none */
	return whole(task);
}

static void *on_integer(const redisReadTask *task, long long number)
{
	struct reply_item *item = item_add(task, REDIS_REPLY_INTEGER);
	if (!item)
		return give_up(task);
	item->number = number;
	return whole(task);
}

static void *on_nil(const redisReadTask *task)
{
	return item_add(task, REDIS_REPLY_NIL) ? whole(task) : give_up(task);
}

static void on_free(void *object)
{
	struct reply *reply = object;
	if (!reply->kept)
		reply_free(reply);
}

void reply_pool_use(struct reply_pool *pool, redisReader *reader)
{
	static redisReplyObjectFunctions functions = {.createString = on_string,
												  .createArray = on_array,
												  .createInteger = on_integer,
												  .createNil = on_nil,
												  .freeObject = on_free};
	reader->fn = &functions;
	reader->privdata = pool;
}

void reply_free(struct reply *reply)
{
	if (!reply)
		return;
	reply->next_free = reply->pool->free;
	reply->pool->free = reply;
}

void reply_pool_fini(struct reply_pool *pool)
{
	while (pool->free) {
		struct reply *reply = pool->free;
		pool->free = reply->next_free;
		free(reply->items);
		free(reply->text);
		free(reply);
	}
}

/* ---- walking ---- */

bool reply_is_error(const struct reply *reply)
{
	return reply->items[0].type == REDIS_REPLY_ERROR;
}

bool reply_is_nil(const struct reply *reply)
{
	return reply->items[0].type == REDIS_REPLY_NIL;
}

static bool is_text(const struct reply_item *item)
{
	return item->type == REDIS_REPLY_STRING || item->type == REDIS_REPLY_STATUS ||
		   item->type == REDIS_REPLY_ERROR;
}

const char *reply_text(const struct reply *reply)
{
	return is_text(&reply->items[0]) ? reply->text + reply->items[0].at : "";
}

struct walk walk_begin(enum wr_err err, const struct reply *reply)
{
	return (struct walk){.reply = reply, .err = err};
}

/* The next item; NULL past the end, and after trouble. */
static const struct reply_item *next_item(struct walk *walk)
{
	if (walk->err || walk->garbled)
		return NULL;
	if (walk->at < walk->reply->count)
		return &walk->reply->items[walk->at++];
	walk->garbled = true;
	return NULL;
}

void walk_expect(struct walk *walk, bool holds)
{
	if (!holds && !walk->err)
		walk->garbled = true;
}

size_t walk_outcome(struct walk *walk)
{
	size_t count = walk_array(walk);
	const char *word = walk_text(walk, NULL);
	if (strcmp(word, "ok") == 0)
		return count - 1;
	walk_expect(walk, strcmp(word, "noqueue") == 0);
	if (!walk->err && !walk->garbled)
		walk->err = WR_NO_QUEUE;
	return 0;
}

size_t walk_array(struct walk *walk)
{
	const struct reply_item *item = next_item(walk);
	bool is_array = item && item->type == REDIS_REPLY_ARRAY;
	walk_expect(walk, is_array);
	return is_array ? item->len : 0;
}

const char *walk_text(struct walk *walk, size_t *ret_len)
{
	const struct reply_item *item = next_item(walk);
	bool has_text = item && is_text(item);
	walk_expect(walk, has_text);
	if (ret_len)
		*ret_len = has_text ? item->len : 0;
	return has_text ? walk->reply->text + item->at : "";
}

int64_t walk_int(struct walk *walk)
{
	const struct reply_item *item = next_item(walk);
	if (item && item->type == REDIS_REPLY_INTEGER)
		return item->number;
	int64_t number = 0;
	walk_expect(walk, item && is_text(item) &&
						  text_to_i64(walk->reply->text + item->at, item->len, INT64_MIN, INT64_MAX,
									  &number));
	return number;
}

uint64_t walk_count(struct walk *walk)
{
	int64_t number = walk_int(walk);
	walk_expect(walk, number >= 0);
	return number < 0 ? 0 : (uint64_t)number;
}

void walk_copy(struct walk *walk, char *ret_text, size_t room)
{
	size_t len;
	const char *text = walk_text(walk, &len);
	walk_expect(walk, len < room);
	if (len >= room)
		len = 0;
	memcpy(ret_text, text, len);
	ret_text[len] = '\0';
}

void walk_state(struct walk *walk, enum place_state *ret_state)
{
	size_t len;
	const char *letter = walk_text(walk, &len);
	walk_expect(walk, len == 1);
	*ret_state = place_state_from_letter(len == 1 ? letter[0] : '-');
}

size_t walk_word(struct walk *walk, const char *const words[], size_t count)
{
	const char *word = walk_text(walk, NULL);
	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	walk_expect(walk, false);
	return 0;
}

const struct answer_word *walk_answer(struct walk *walk, const struct answer_word words[],
									  size_t count)
{
	static const struct answer_word none = {"", WR_STORE_AWAY, 0};
	const char *word = walk_text(walk, NULL);
	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i].word, word) == 0)
			return &words[i];
	walk_expect(walk, false);
	return &none;
}

size_t walk_people(struct walk *walk, size_t left, size_t before, size_t each, size_t asked)
{
	walk_expect(walk, left == before + each * asked);
	return walk->err || walk->garbled ? 0 : asked;
}
