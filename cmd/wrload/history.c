/* History: what a checker needs to judge the run again, later and elsewhere.
 *
 * A request without an answer has "http":null: it may have happened or not. The session is named by
 * its end ("session_expires_s"), not by its token, so that a history can be kept and shown.
 */
#include "history.h"

#include "waitingroom/text.h"

#include <string.h>

#define LINE_ROOM 1024
#define OP_WORD(name, word, path) word,
static const char *const op_words[] = {OP_TABLE(OP_WORD)};
#undef OP_WORD

static void write_number(struct json_out *out, const char *key, int64_t number)
{
	if (number >= 0)
		json_out_int(out, key, number);
	else
		json_out_null(out, key);
}

static void write_text(struct json_out *out, const char *key, const char *text, size_t len)
{
	if (len)
		json_out_string_n(out, key, text, len);
	else
		json_out_null(out, key);
}

static void write_answer(struct json_out *out, const struct observation *seen)
{
	const struct answer *answer = seen->answer;
	const char *status = answer_status_word(answer->status);
	const char *code = answer_code_word(answer->code);
	write_number(out, "http", answer->http ? answer->http : -1);
	if (!answer->http)
		return;
	write_text(out, "status", status, strlen(status));
	write_text(out, "code", code, strlen(code));
	write_text(out, "position_id", answer->position_id.text, answer->position_id.len);
	write_number(out, "position", answer->position);
	write_number(out, "poll_after_ms", answer->poll_after_ms);
	write_number(out, "hold_ms", answer->hold_ms);
	write_number(out, "as_of_ms", answer->as_of_ms);
	write_number(out, "session_expires_s",
				 answer->session_token.len ? seen->session.expires_s : -1);
	json_out_bool(out, "stale", answer->stale);
}

void history_write(FILE *file, uint64_t client, const char *key, struct mono_time intended,
				   struct mono_time called, struct mono_time returned,
				   const struct observation *seen)
{
	char line[LINE_ROOM];
	struct json_out out;
	json_out_init(&out, line, sizeof(line) - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "record", "op");
	json_out_int(&out, "client", (int64_t)client);
	json_out_string(&out, "op", op_words[seen->op]);
	json_out_string(&out, "key", key);
	json_out_bool(&out, "repeat", seen->is_repeat);
	json_out_int(&out, "intended_ns", intended.ns);
	json_out_int(&out, "call_ns", called.ns);
	json_out_int(&out, "ret_ns", returned.ns);
	write_answer(&out, seen);
	json_out_object_end(&out);
	if (out.overflow)
		return; /* ids that long are none of our API's */
	line[out.len++] = '\n';
	fwrite(line, 1, out.len, file);
}
