/* Keys: reading by type, comparing, and writing what is missing. */
#include "keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/memory.h"

#define PAGE_TEXT "1000" /* stream entries at a time */
#define FIELDS_MAX 255	 /* fields and values of an entry; ours have a dozen */

static const struct {
	const char *word;
	size_t step; /* texts that belong together; 0: a stream tells */
} types[] = {
	[KEY_NONE] = {"none", 1},	  [KEY_STRING] = {"string", 1}, [KEY_HASH] = {"hash", 2},
	[KEY_SET] = {"set", 1},		  [KEY_ZSET] = {"zset", 2},		[KEY_LIST] = {"list", 1},
	[KEY_STREAM] = {"stream", 0},
};

const char *key_type_word(enum key_type type)
{
	return types[type].word;
}

bool key_type_parse(const char *word, enum key_type *ret_type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].word, word) == 0) {
			*ret_type = (enum key_type)i;
			return true;
		}
	return false;
}

/* ---- reading ---- */

/* A command whose answer the key holds. */
static enum wr_err ask(struct store *store, struct key *key, const struct store_text *argv,
					   size_t argc, struct store_items **ret_items, struct err_detail *ret_detail)
{
	struct store_items items = {0};
	enum wr_err err = store_command(store, argv, argc, &items, ret_detail);
	if (err)
		return err;
	key->answers = mem_grow(key->answers, key->answer_count + 1, sizeof(*key->answers));
	key->answers[key->answer_count] = items;
	*ret_items = &key->answers[key->answer_count++];
	return WR_OK;
}

static enum wr_err read_plain(struct store *store, struct key *key, const struct store_text *argv,
							  size_t argc, struct err_detail *ret_detail)
{
	struct store_items *items;
	enum wr_err err = ask(store, key, argv, argc, &items, ret_detail);
	if (err)
		return err;
	for (size_t i = 0; i < items->count; i++)
		if (items->list[i].kind == STORE_ITEM_TEXT)
			texts_add(&key->items, items->list[i].text);
	return WR_OK;
}

/* Entries come as [id, [field, value, …]]: the count of fields and values becomes a text. Gives the
 * last id, NULL when there is no entry. */
static const char *take_entries(struct key *key, const struct store_items *items)
{
	static char numbers[FIELDS_MAX + 1][4];
	const char *last = NULL;
	for (size_t i = 1; i + 2 < items->count;) {
		const struct store_item *id = &items->list[i + 1], *fields = &items->list[i + 2];
		int64_t count = fields->number;
		if (id->kind != STORE_ITEM_TEXT || fields->kind != STORE_ITEM_ARRAY || count > FIELDS_MAX)
			break; /* not of ours */
		char *number = numbers[count];
		snprintf(number, sizeof(numbers[0]), "%d", (int)count);
		texts_add(&key->items, id->text);
		texts_add(&key->items, STORE_TEXT(number));
		for (int64_t k = 0; k < count; k++)
			texts_add(&key->items, items->list[i + 3 + (size_t)k].text);
		last = id->text.bytes;
		i += 3 + (size_t)count;
	}
	return last;
}

static enum wr_err read_stream(struct store *store, struct key *key, struct store_text name,
							   struct err_detail *ret_detail)
{
	char from[64] = "-";
	for (;;) {
		const struct store_text argv[] = {STORE_TEXT("XRANGE"), name,
										  STORE_TEXT(from),		STORE_TEXT("+"),
										  STORE_TEXT("COUNT"),	STORE_TEXT(PAGE_TEXT)};
		struct store_items *items;
		enum wr_err err = ask(store, key, argv, 6, &items, ret_detail);
		if (err)
			return err;
		const char *last = take_entries(key, items);
		if (!last)
			return WR_OK;
		snprintf(from, sizeof(from), "(%.60s", last);
	}
}

static enum wr_err read_items(struct store *store, struct key *key, struct store_text name,
							  struct err_detail *ret_detail)
{
#define WORD(text) STORE_TEXT(text)
	switch (key->type) {
	case KEY_STRING:
		return read_plain(store, key, (struct store_text[]){WORD("GET"), name}, 2, ret_detail);
	case KEY_HASH:
		return read_plain(store, key, (struct store_text[]){WORD("HGETALL"), name}, 2, ret_detail);
	case KEY_SET:
		return read_plain(store, key, (struct store_text[]){WORD("SMEMBERS"), name}, 2, ret_detail);
	case KEY_ZSET:
		return read_plain(
			store, key,
			(struct store_text[]){WORD("ZRANGE"), name, WORD("0"), WORD("-1"), WORD("WITHSCORES")},
			5, ret_detail);
	case KEY_LIST:
		return read_plain(store, key,
						  (struct store_text[]){WORD("LRANGE"), name, WORD("0"), WORD("-1")}, 4,
						  ret_detail);
	case KEY_STREAM:
		return read_stream(store, key, name, ret_detail);
	case KEY_NONE:
		break;
	}
	return WR_OK;
}

enum wr_err key_read(struct store *store, const char *name, struct key *ret_key,
					 struct err_detail *ret_detail)
{
	struct store_items answer = {0};
	const struct store_text argv[] = {STORE_TEXT("TYPE"), STORE_TEXT(name)};
	enum wr_err err = store_command(store, argv, 2, &answer, ret_detail);
	if (err)
		return err;
	*ret_key = (struct key){0};
	bool known = key_type_parse(answer.list[0].text.bytes, &ret_key->type);
	store_items_clear(&answer);
	if (!known)
		return err_say(ret_detail, WR_MALFORMED, "%s: of a type that is not known here", name);
	err = read_items(store, ret_key, STORE_TEXT(name), ret_detail);
	if (err)
		key_clear(ret_key);
	return err;
}

void key_clear(struct key *key)
{
	texts_clear(&key->items);
	for (size_t i = 0; i < key->answer_count; i++)
		store_items_clear(&key->answers[i]);
	free(key->answers);
	*key = (struct key){0};
}

/* ---- comparing ---- */

/* Texts that make up the unit at 'at': a field and its value, an entry of a stream. */
static size_t unit_len(const struct key *key, size_t at)
{
	size_t step = types[key->type].step;
	if (!step) {
		uint64_t fields = 0;
		if (at + 1 < key->items.count)
			text_to_u64(key->items.list[at + 1].bytes, key->items.list[at + 1].len, FIELDS_MAX,
						&fields);
		step = 2 + (size_t)fields;
	}
	return at + step <= key->items.count ? step : key->items.count - at;
}

static int by_name(const void *a, const void *b)
{
	const struct store_text *x = *(const struct store_text *const *)a;
	const struct store_text *y = *(const struct store_text *const *)b;
	size_t len = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->bytes, y->bytes, len);
	return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* The first text of each unit, sorted: where to find what the store has. gives */
static const struct store_text **units_by_name(const struct key *key, size_t *ret_count)
{
	const struct store_text **units =
		mem_alloc_zero(key->items.count + 1, sizeof(struct store_text *));
	size_t count = 0;
	for (size_t at = 0; at < key->items.count; at += unit_len(key, at))
		units[count++] = &key->items.list[at];
	qsort(units, count, sizeof(struct store_text *), by_name);
	*ret_count = count;
	return units;
}

static enum key_state compare_unit(const struct key *wanted, size_t at,
								   const struct store_text **units, size_t count)
{
	const struct store_text *name = &wanted->items.list[at];
	const struct store_text **found = bsearch(&name, units, count, sizeof(*units), by_name);
	if (!found)
		return KEY_MISSING;
	/* An id of a stream names one entry for ever; a set has only names. */
	bool has_value = wanted->type == KEY_HASH || wanted->type == KEY_ZSET;
	return !has_value || store_text_equal(name[1], (*found)[1]) ? KEY_SAME : KEY_DIFFERENT;
}

/* ---- writing ---- */

static enum wr_err run(struct store *store, const struct store_text *argv, size_t argc,
					   struct err_detail *ret_detail)
{
	struct store_items answer = {0};
	enum wr_err err = store_command(store, argv, argc, &answer, ret_detail);
	store_items_clear(&answer);
	return err;
}

/* Whole keys: strings and lists. */
static enum wr_err put_whole(struct store *store, struct store_text name, const struct key *wanted,
							 struct err_detail *ret_detail)
{
	if (wanted->type == KEY_STRING)
		return run(store, (struct store_text[]){STORE_TEXT("SET"), name, wanted->items.list[0]}, 3,
				   ret_detail);
	enum wr_err err = run(store, (struct store_text[]){STORE_TEXT("DEL"), name}, 2, ret_detail);
	for (size_t i = 0; !err && i < wanted->items.count; i++)
		err = run(store, (struct store_text[]){STORE_TEXT("RPUSH"), name, wanted->items.list[i]}, 3,
				  ret_detail);
	return err;
}

static enum wr_err put_unit(struct store *store, struct store_text name, const struct key *wanted,
							size_t at, struct err_detail *ret_detail)
{
	const struct store_text *unit = &wanted->items.list[at];
	if (wanted->type == KEY_SET)
		return run(store, (struct store_text[]){STORE_TEXT("SADD"), name, unit[0]}, 3, ret_detail);
	if (wanted->type == KEY_ZSET)
		return run(store, (struct store_text[]){STORE_TEXT("ZADD"), name, unit[1], unit[0]}, 4,
				   ret_detail);
	return run(store, (struct store_text[]){STORE_TEXT("HSET"), name, unit[0], unit[1]}, 4,
			   ret_detail);
}

static enum wr_err add_entry(struct store *store, struct store_text name, const struct key *from,
							 size_t at, struct err_detail *ret_detail)
{
	struct store_text argv[3 + FIELDS_MAX] = {STORE_TEXT("XADD"), name, from->items.list[at]};
	size_t fields = unit_len(from, at) - 2;
	memcpy(argv + 3, &from->items.list[at + 2], fields * sizeof(argv[0]));
	return run(store, argv, 3 + fields, ret_detail);
}

/* "1700000000000-12" before "1700000000000-3"? By number, not by letter. */
static int compare_ids(struct store_text a, struct store_text b)
{
	unsigned long long am = 0, as = 0, bm = 0, bs = 0;
	sscanf(a.bytes, "%llu-%llu", &am, &as);
	sscanf(b.bytes, "%llu-%llu", &bm, &bs);
	return am != bm ? (am > bm) - (am < bm) : (as > bs) - (as < bs);
}

/* Entries can only be added behind the last one. So the stream is made anew from both, beside the
 * old one, and takes its place in one step. */
static enum wr_err merge_streams(struct store *store, struct store_text name,
								 const struct key *wanted, const struct key *has,
								 struct err_detail *ret_detail)
{
	char beside[512];
	snprintf(beside, sizeof(beside), "%.400s:restoring", name.bytes);
	struct store_text beside_name = STORE_TEXT(beside);
	enum wr_err err =
		run(store, (struct store_text[]){STORE_TEXT("DEL"), beside_name}, 2, ret_detail);
	size_t w = 0, h = 0;
	while (!err && (w < wanted->items.count || h < has->items.count)) {
		int order = w >= wanted->items.count ? 1
					: h >= has->items.count
						? -1
						: compare_ids(wanted->items.list[w], has->items.list[h]);
		err = order <= 0 ? add_entry(store, beside_name, wanted, w, ret_detail)
						 : add_entry(store, beside_name, has, h, ret_detail);
		w += order <= 0 ? unit_len(wanted, w) : 0;
		h += order >= 0 ? unit_len(has, h) : 0;
	}
	if (!err)
		err = run(store, (struct store_text[]){STORE_TEXT("RENAME"), beside_name, name}, 3,
				  ret_detail);
	return err;
}

/* ---- putting back ---- */

static bool items_equal(const struct texts *a, const struct texts *b)
{
	bool equal = a->count == b->count;
	for (size_t i = 0; equal && i < a->count; i++)
		equal = store_text_equal(a->list[i], b->list[i]);
	return equal;
}

static enum wr_err put_in_units(struct store *store, struct store_text name,
								const struct key *wanted, const struct key *has, bool write,
								bool replace, enum key_state *ret_state,
								struct err_detail *ret_detail)
{
	size_t count;
	const struct store_text **units = units_by_name(has, &count);
	enum wr_err err = WR_OK;
	*ret_state = KEY_SAME;
	for (size_t at = 0; !err && at < wanted->items.count; at += unit_len(wanted, at)) {
		enum key_state state = compare_unit(wanted, at, units, count);
		if (state > *ret_state)
			*ret_state = state;
		bool wanted_now = state == KEY_MISSING || (state == KEY_DIFFERENT && replace);
		if (write && wanted_now && wanted->type != KEY_STREAM)
			err = put_unit(store, name, wanted, at, ret_detail);
	}
	free(units);
	if (!err && write && wanted->type == KEY_STREAM && *ret_state == KEY_MISSING)
		err = merge_streams(store, name, wanted, has, ret_detail);
	return err;
}

enum wr_err key_put(struct store *store, const char *name, const struct key *wanted, bool write,
					bool replace, enum key_state *ret_state, struct err_detail *ret_detail)
{
	struct key has;
	enum wr_err err = key_read(store, name, &has, ret_detail);
	if (err)
		return err;
	bool is_whole = wanted->type == KEY_STRING || wanted->type == KEY_LIST;
	if (has.type != KEY_NONE && has.type != wanted->type) {
		*ret_state = KEY_DIFFERENT; /* of another type: nothing that a restore should touch */
	} else if (is_whole) {
		*ret_state = has.type == KEY_NONE					   ? KEY_MISSING
					 : items_equal(&has.items, &wanted->items) ? KEY_SAME
															   : KEY_DIFFERENT;
		if (write && (*ret_state == KEY_MISSING || (*ret_state == KEY_DIFFERENT && replace)))
			err = put_whole(store, STORE_TEXT(name), wanted, ret_detail);
	} else {
		err = put_in_units(store, STORE_TEXT(name), wanted, &has, write, replace, ret_state,
						   ret_detail);
	}
	key_clear(&has);
	return err;
}
