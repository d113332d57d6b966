/* Settings values: numbers, words and short texts, each from its table.
 *
 * Name, default, range, words and length are written in QUEUE_NUMBER_TABLE, QUEUE_CHOICE_TABLE and
 * QUEUE_TEXT_TABLE and nowhere else. A text is kept as it was given, but an address in its
 * canonical form.
 */
#include <stddef.h>
#include <string.h>

#include "settings_rules.h"
#include "target.h"

/* ---- words ---- */

#define WORD_TEXT(name, word, sentence) [name] = (word),
#define WORD_CHOICE(name, word, sentence) " " word

static const char *const state_words[QUEUE_STATE_COUNT] = {QUEUE_STATE_TABLE(WORD_TEXT)};
static const char *const challenge_words[] = {QUEUE_CHALLENGE_TABLE(WORD_TEXT)};
static const char *const entry_words[] = {QUEUE_ENTRY_TABLE(WORD_TEXT)};
static const char *const sharing_words[] = {QUEUE_SHARING_TABLE(WORD_TEXT)};

const char *queue_state_word(enum queue_state state)
{
	return (unsigned)state < QUEUE_STATE_COUNT ? state_words[state] : "unknown";
}

bool queue_state_parse(const char *word, enum queue_state *ret_state)
{
	for (unsigned i = 0; i < QUEUE_STATE_COUNT; i++)
		if (strcmp(word, state_words[i]) == 0) {
			*ret_state = (enum queue_state)i;
			return true;
		}
	return false;
}

bool queue_state_is_closed(enum queue_state state)
{
	return state == QUEUE_CLOSED || state == QUEUE_DRAINING;
}

const char *queue_challenge_word(enum queue_challenge challenge)
{
	return (unsigned)challenge < QUEUE_CHALLENGE_COUNT ? challenge_words[challenge] : "unknown";
}

const char *queue_entry_word(enum queue_entry entry)
{
	return (unsigned)entry < QUEUE_ENTRY_COUNT ? entry_words[entry] : "unknown";
}

const char *queue_sharing_word(enum queue_sharing sharing)
{
	return (unsigned)sharing < QUEUE_SHARING_COUNT ? sharing_words[sharing] : "unknown";
}

/* An enum is as wide as an unsigned; its words are numbered without gaps. */
#define CHOICE_ROW(type, name_, def, TABLE, text)                                                  \
	{.name = #name_,                                                                               \
	 .offset = offsetof(struct queue_settings, name_),                                             \
	 .words = (const char *const[]){TABLE(WORD_TEXT) NULL},                                        \
	 .all_words = TABLE(WORD_CHOICE)},
const struct settings_choice settings_choices[] = {QUEUE_CHOICE_TABLE(CHOICE_ROW)};
#undef CHOICE_ROW
const size_t settings_choice_count = sizeof(settings_choices) / sizeof(settings_choices[0]);

const char *settings_choice_word(const struct queue_settings *settings,
								 const struct settings_choice *choice)
{
	unsigned number;
	_Static_assert(sizeof(enum queue_state) == sizeof(number), "an enum is of another size");
	memcpy(&number, (const char *)settings + choice->offset, sizeof(number));
	return choice->words[number];
}

enum wr_err settings_choice_set(struct queue_settings *settings,
								const struct settings_choice *choice, const char *word, size_t len,
								struct err_detail *ret_detail)
{
	for (unsigned i = 0; choice->words[i] != NULL; i++)
		if (strlen(choice->words[i]) == len && memcmp(choice->words[i], word, len) == 0) {
			memcpy((char *)settings + choice->offset, &i, sizeof(i));
			return WR_OK;
		}
	return err_say(ret_detail, WR_INVALID, "%s: must be one of%s", choice->name, choice->all_words);
}

/* ---- numbers ---- */

#define NUMBER_ROW(name_, def, low_, high_, unit, text)                                            \
	{.name = #name_,                                                                               \
	 .offset = offsetof(struct queue_settings, name_),                                             \
	 .by_default = (def),                                                                          \
	 .low = (low_),                                                                                \
	 .high = (high_)},
const struct settings_number settings_numbers[] = {QUEUE_NUMBER_TABLE(NUMBER_ROW)};
#undef NUMBER_ROW
const size_t settings_number_count = sizeof(settings_numbers) / sizeof(settings_numbers[0]);

int64_t settings_number_get(const struct queue_settings *settings,
							const struct settings_number *number)
{
	int64_t value;
	memcpy(&value, (const char *)settings + number->offset, sizeof(value));
	return value;
}

enum wr_err settings_number_wrong(const struct settings_number *number,
								  struct err_detail *ret_detail)
{
	return err_say(ret_detail, WR_INVALID, "%s: must be a whole number %lld..%lld", number->name,
				   (long long)number->low, (long long)number->high);
}

enum wr_err settings_number_set(struct queue_settings *settings,
								const struct settings_number *number, int64_t value,
								struct err_detail *ret_detail)
{
	if (value < number->low || value > number->high)
		return settings_number_wrong(number, ret_detail);
	memcpy((char *)settings + number->offset, &value, sizeof(value));
	return WR_OK;
}

/* ---- texts ---- */

enum wr_err settings_check_text(const char *field, const char *text, size_t len, size_t most,
								bool lines, struct err_detail *ret_detail)
{
	if (len > most)
		return err_say(ret_detail, WR_INVALID, "%s: must be at most %zu bytes", field, most);
	if (!utf8_is_valid(text, len))
		return err_say(ret_detail, WR_INVALID, "%s: must be UTF-8 text", field);
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < ' ' && !(lines && text[i] == '\n')) || text[i] == 0x7f)
			return err_say(ret_detail, WR_INVALID,
						   "%s: must be plain text, without control characters%s", field,
						   lines ? " but line ends" : "");
	return WR_OK;
}

static enum wr_err check_token(const char *field, const char *text, size_t len,
							   struct err_detail *ret_detail)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || strchr("\"'<>\\&", text[i]))
			return err_say(ret_detail, WR_INVALID,
						   "%s: must be the key as the provider gave it, without spaces and quotes",
						   field);
	return WR_OK;
}

/* Room for the canonical form, which is never longer than what was written. */
static enum wr_err rebuild_room_url(const char *field, const char *text, size_t len, char *ret_text,
									struct err_detail *ret_detail)
{
	struct target target;
	if (len == 0) {
		*ret_text = '\0';
		return WR_OK;
	}
	const char *wrong = target_parse_base(text, len, &target);
	if (wrong)
		return err_say(ret_detail, WR_INVALID, "%s: %s", field, wrong);
	size_t chars = target_print(&target, ret_text);
	while (ret_text[chars - 1] == '/')
		ret_text[--chars] = '\0';
	return WR_OK;
}

#define TEXT_ROW(name_, bytes_, shown_, text)                                                      \
	{.name = #name_,                                                                               \
	 .offset = offsetof(struct queue_settings, name_),                                             \
	 .bytes = (bytes_),                                                                            \
	 .shown = (shown_)},
const struct settings_text settings_texts[] = {QUEUE_TEXT_TABLE(TEXT_ROW)};
#undef TEXT_ROW
const size_t settings_text_count = sizeof(settings_texts) / sizeof(settings_texts[0]);

const char *settings_text_get(const struct queue_settings *settings,
							  const struct settings_text *text)
{
	return (const char *)settings + text->offset;
}

#define TEXT_MOST_BYTES 512

enum wr_err settings_text_set(struct queue_settings *settings, const struct settings_text *text,
							  const char *value, size_t len, struct err_detail *ret_detail)
{
	bool is_message = text->offset == offsetof(struct queue_settings, message);
	char changed[TEXT_MOST_BYTES + 1] = "";
	enum wr_err err =
		settings_check_text(text->name, value, len, text->bytes, is_message, ret_detail);
	if (err == WR_OK && text->offset == offsetof(struct queue_settings, room_url))
		err = rebuild_room_url(text->name, value, len, changed, ret_detail);
	else if (err == WR_OK) {
		memcpy(changed, value, len);
		err = is_message ? WR_OK : check_token(text->name, value, len, ret_detail);
	}
	if (err != WR_OK)
		return err;
	memset((char *)settings + text->offset, 0, text->bytes + 1);
	memcpy((char *)settings + text->offset, changed, strlen(changed));
	return WR_OK;
}
