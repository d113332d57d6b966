/* Texts of a room: what its functions are told and answer. Only for tests/support/room*.c. */
#ifndef SUPPORT_ROOM_TEXT_H
#define SUPPORT_ROOM_TEXT_H

#include <stddef.h>

#include <hiredis/hiredis.h>

#define ROOM_WORDS_MAX 4096

struct room;

/* takes the text; lends it for the life of the room */
const char *room_lend(struct room *room, char *text);
const char *room_lend_print(struct room *room, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void room_forget_texts(struct room *room);

struct room_words {
	size_t count;
	char *word[ROOM_WORDS_MAX];
};

/* Splits at spaces, none of the words is empty; they are the room's. */
void room_split(struct room *room, const char *text, struct room_words *ret_words);

/* Cuts "name<mark>rest" in place and gives the rest; "" when the mark is not there. */
const char *room_cut(char *word, char mark);

/* Words separated by spaces, inner arrays in brackets. */
const char *room_reply_text(struct room *room, const redisReply *reply);

#endif
