/* The level of the log for all processes: a key of the system shard that runs out by itself.
 *
 * An operator asks one pod; the key tells the others, which look at it once a second. Each look
 * that finds it puts the level in force for some seconds more, and one that finds nothing ends it.
 * So the level ends everywhere at once, by the store's clock; and when the store is away, within
 * FOLLOW_S.
 */
#include "lib/store/client.h"

#include "waitingroom/log.h"
#include "waitingroom/store_log.h"

#include <string.h>

#define KEY "log_level"
#define FOLLOW_S 10
#define WORD_BYTES 16

void store_set_log_level(struct store *store, enum log_level level, int64_t seconds,
						 store_raw_fn fn, void *ctx)
{
	struct call *call = call_raw(store, seconds > 0 ? 5 : 2, fn, ctx);
	call_add_text(call, seconds > 0 ? "SET" : "DEL");
	call_add_key(call, &system_shard, KEY);
	if (seconds > 0) {
		call_add_text(call, log_level_word(level));
		call_add_text(call, "EX");
		call_add_int(call, seconds);
	}
	call_send(call);
}

static void on_level(void *ctx, enum wr_err err, const char *text, size_t len, int64_t number)
{
	char word[WORD_BYTES] = "";
	enum log_level level;
	(void)ctx, (void)number;
	if (err)
		return;
	if (text && len < sizeof(word))
		memcpy(word, text, len);
	if (log_level_parse(word, &level))
		log_override_level(level, FOLLOW_S);
	else
		log_end_override();
}

void store_follow_log_level(struct store *store)
{
	struct call *call = call_raw(store, 2, on_level, NULL);
	call_add_text(call, "GET");
	call_add_key(call, &system_shard, KEY);
	call_send(call);
}
