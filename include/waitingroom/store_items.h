/* Store items: any command, waited for, with its whole answer in hand.
 *
 * What     For tools that read and write keys as they are (backup), not for the paths of visitors.
 * Used by  cmd/wrbackup, tests.
 * Threads  the thread of the client's loop; blocks until the answer or the client's time-out.
 */
#ifndef WAITINGROOM_STORE_ITEMS_H
#define WAITINGROOM_STORE_ITEMS_H

#include <stddef.h>
#include <stdint.h>

#include "waitingroom/store.h"

struct store_text {
	const char *bytes; /* any bytes; with NUL behind them in answers */
	size_t len;
};
/* One row of an argument list that is a literal or a C string. */
#define STORE_TEXT(text) ((struct store_text){(text), strlen(text)})

enum store_item_kind { STORE_ITEM_NIL, STORE_ITEM_TEXT, STORE_ITEM_NUMBER, STORE_ITEM_ARRAY };
struct store_item {
	enum store_item_kind kind;
	struct store_text text;
	int64_t number; /* of an array: how many elements it has, which follow it */
};
struct store_items { /* an answer: an array stands before its elements */
	struct store_item *list;
	size_t count; /* at least 1 */
	char *text;	  /* holds the texts */
};

/* fills, on WR_OK; store_items_clear. WR_STORE_AWAY: with what the server said in detail. */
WR_MUST_USE enum wr_err store_command(struct store *store, const struct store_text *argv,
									  size_t argc, struct store_items *ret_items,
									  struct err_detail *ret_detail);
void store_items_clear(struct store_items *items); /* also of zeros */

#endif
