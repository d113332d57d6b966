/* Keys: any key of the store as texts, by its type, and back.
 *
 *     string  value                    hash  field value …        set   member …
 *     zset    member score …           list  element …            stream  id count field value … …
 *
 * Putting back never takes anything away: fields, members and entries that are only in the store
 * stay. What the store has with another value is 'different' and stays too, unless it may be
 * replaced.
 *
 * Threads  the store client's.
 */
#ifndef WRBACKUP_KEYS_H
#define WRBACKUP_KEYS_H

#include "line.h"
#include "waitingroom/store_items.h"

enum key_type { KEY_NONE, KEY_STRING, KEY_HASH, KEY_SET, KEY_ZSET, KEY_LIST, KEY_STREAM };
const char *key_type_word(enum key_type type); /* as TYPE says it */
bool key_type_parse(const char *word, enum key_type *ret_type);

struct key { /* of zeros at first; key_clear */
	enum key_type type;
	struct texts items;
	struct store_items *answers; /* hold the texts of a key that was read */
	size_t answer_count;
};
/* KEY_NONE when there is no such key. */
WR_MUST_USE enum wr_err key_read(struct store *store, const char *name, struct key *ret_key,
								 struct err_detail *ret_detail);
void key_clear(struct key *key);

enum key_state { KEY_SAME, KEY_MISSING, KEY_DIFFERENT };
/* What putting 'wanted' back would mean, or meant. write: does it; replace: also what is different.
 * MISSING: something had to be added, and nothing changed. */
WR_MUST_USE enum wr_err key_put(struct store *store, const char *name, const struct key *wanted,
								bool write, bool replace, enum key_state *ret_state,
								struct err_detail *ret_detail);

#endif
