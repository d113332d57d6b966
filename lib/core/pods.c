/* Pods: the row of a process, as JSON and back. */
#include "waitingroom/pods.h"

#include <assert.h>
#include <string.h>

#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define WRITE_TEXT(name, bytes, text) json_out_string(out, #name, row->name);
#define WRITE_NUMBER(name, text) json_out_int(out, #name, row->name);
#define WRITE_BOOL(name, text) json_out_bool(out, #name, row->name);
void pod_row_write(const struct pod_row *row, struct json_out *out)
{
	POD_TABLE(WRITE_TEXT, WRITE_NUMBER, WRITE_BOOL)
}
#undef WRITE_TEXT
#undef WRITE_NUMBER
#undef WRITE_BOOL

void pod_row_print(const struct pod_row *row, char ret_members[POD_ROW_BYTES])
{
	char text[POD_ROW_BYTES];
	struct json_out out;
	json_out_init(&out, text, sizeof(text));
	json_out_object(&out, NULL);
	pod_row_write(row, &out);
	assert(!out.overflow); /* every field has a bound */
	/* {"seen_ms":0,"kind":… -> "kind":… */
	const char *rest = memchr(text, ',', out.len);
	assert(rest != NULL);
	size_t len = out.len - (size_t)(rest + 1 - text);
	memcpy(ret_members, rest + 1, len);
	ret_members[len] = '\0';
}

static void read_text(const struct json_value *document, const char *name, char *ret_text,
					  size_t room)
{
	const char *text = "";
	(void)json_string(json_member(document, name), &text);
	size_t len = strnlen(text, room - 1);
	while (len > 0 && !utf8_is_valid(text, len))
		len--; /* cut within a character */
	memcpy(ret_text, text, len);
	ret_text[len] = '\0';
}

bool pod_row_parse(const char *json, size_t len, struct pod_row *ret_row)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct err_detail detail;
	struct pod_row row = {.seen_ms = 0};
	if (json_parse(json, len, &document, &detail) != WR_OK || !json_is_object(document))
		return false;
#define READ_TEXT(name, bytes, text) read_text(document, #name, row.name, sizeof(row.name));
#define READ_NUMBER(name, text) (void)json_int(json_member(document, #name), &row.name);
#define READ_BOOL(name, text) (void)json_bool(json_member(document, #name), &row.name);
	POD_TABLE(READ_TEXT, READ_NUMBER, READ_BOOL)
#undef READ_TEXT
#undef READ_NUMBER
#undef READ_BOOL
	if (row.instance[0] == '\0' || row.kind[0] == '\0')
		return false;
	*ret_row = row;
	return true;
}

const char *pod_state_word(enum pod_state state)
{
#define STATE_WORD(name, word) word,
	static const char *const words[] = {POD_STATE_TABLE(STATE_WORD)};
#undef STATE_WORD
	return words[state];
}

enum pod_state pod_row_state(const struct pod_row *row, int64_t now_ms)
{
	if (now_ms - row->seen_ms > POD_SILENT_REPORTS * row->every_ms)
		return POD_SILENT;
	if (row->draining)
		return POD_DRAINING;
	return row->ready ? POD_OK : POD_NOT_READY;
}

int64_t pod_rate(uint64_t before, uint64_t after, int64_t ms)
{
	if (ms <= 0 || after <= before)
		return 0;
	return (int64_t)((double)(after - before) * 1000.0 / (double)ms + 0.5);
}
