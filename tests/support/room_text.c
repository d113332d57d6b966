/* Texts of a room: a list of what was lent, freed with the room. */
#include "support/room_text.h"

#include "support/cmocka.h"
#include "support/room.h"
#include "waitingroom/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct room_answer {
	struct room_answer *next;
	char *text;
};

const char *room_lend(struct room *room, char *text)
{
	struct room_answer *answer = mem_alloc_zero(1, sizeof(*answer));
	*answer = (struct room_answer){.next = room->answers, .text = text};
	room->answers = answer;
	return text;
}

const char *room_lend_print(struct room *room, const char *format, ...)
{
	char *text;
	va_list args;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	return room_lend(room, text);
}

void room_forget_texts(struct room *room)
{
	for (struct room_answer *answer = room->answers, *next; answer; answer = next) {
		next = answer->next;
		free(answer->text);
		free(answer);
	}
	room->answers = NULL;
}

void room_split(struct room *room, const char *text, struct room_words *ret_words)
{
	char *rest = mem_copy_string(text);
	room_lend(room, rest);
	ret_words->count = 0;
	for (char *word; (word = strsep(&rest, " "));)
		if (*word) {
			assert_true(ret_words->count < ROOM_WORDS_MAX);
			ret_words->word[ret_words->count++] = word;
		}
}

const char *room_cut(char *word, char mark)
{
	char *at = strchr(word, mark);
	if (!at)
		return "";
	*at = 0;
	return at + 1;
}

static void print_reply(FILE *out, const redisReply *reply, bool outermost)
{
	switch (reply->type) {
	case REDIS_REPLY_INTEGER:
		fprintf(out, "%lld", reply->integer);
		break;
	case REDIS_REPLY_NIL:
		fputs("nil", out);
		break;
	case REDIS_REPLY_ARRAY:
		fputs(outermost ? "" : "[", out);
		for (size_t i = 0; i < reply->elements; i++) {
			fputs(i ? " " : "", out);
			print_reply(out, reply->element[i], false);
		}
		fputs(outermost ? "" : "]", out);
		break;
	default:
		fwrite(reply->str, 1, (size_t)reply->len, out);
	}
}

const char *room_reply_text(struct room *room, const redisReply *reply)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	print_reply(out, reply, true);
	fclose(out);
	return room_lend(room, text);
}
