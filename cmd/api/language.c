/* Languages: loading the built-in files, and choosing one for a visitor. */
#include "language.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "waitingroom/memory.h"
#include "waitingroom/qvalue.h"
#include "web_file.h"

#define FOLDER "lang/"
#define ENDING ".json"

/* "lang/pt.json" -> "pt"; false: another kind of file. */
static bool code_of(const char *name, char *ret_code, size_t room)
{
	size_t len = strlen(name), folder = strlen(FOLDER), ending = strlen(ENDING);
	if (strncmp(name, FOLDER, folder) != 0 || len <= folder + ending ||
		strcmp(name + len - ending, ENDING) != 0 || len - folder - ending >= room)
		return false;
	memcpy(ret_code, name + folder, len - folder - ending);
	ret_code[len - folder - ending] = '\0';
	return true;
}

struct languages *languages_new(void)
{
	struct languages *languages = mem_alloc_zero(1, sizeof(*languages));
	languages->english = LANGUAGES_MAX;
	for (size_t i = 0; i < web_file_count; i++) {
		const struct web_file *file = &web_files[i];
		struct language *language = &languages->all[languages->count];
		struct err_detail detail = {""};
		if (languages->count == LANGUAGES_MAX ||
			!code_of(file->name, language->code, sizeof(language->code)))
			continue;
		if (json_parse(file->text, file->len, &language->strings, &detail) != WR_OK ||
			!json_is_object(language->strings)) {
			fprintf(stderr, "waitingroom-api: %s: %s\n", file->name, detail.text);
			abort();
		}
		if (strcmp(language->code, "en") == 0)
			languages->english = languages->count;
		languages->count++;
	}
	if (languages->english == LANGUAGES_MAX) {
		fprintf(stderr, "waitingroom-api: %sen%s is not built in\n", FOLDER, ENDING);
		abort();
	}
	return languages;
}

void languages_free(struct languages *languages)
{
	if (languages == NULL)
		return;
	for (size_t i = 0; i < languages->count; i++)
		json_free(languages->all[i].strings);
	free(languages);
}

const char *language_string(const struct languages *languages, size_t language, const char *key)
{
	const char *text = NULL;
	if (json_string(json_member(languages->all[language].strings, key), &text) ||
		json_string(json_member(languages->all[languages->english].strings, key), &text))
		return text;
	return "";
}

/* ---- choosing ---- */

static bool find_exact(const struct languages *languages, const char *tag, size_t len,
					   size_t *ret_language)
{
	for (size_t i = 0; i < languages->count; i++)
		if (strlen(languages->all[i].code) == len &&
			strncasecmp(languages->all[i].code, tag, len) == 0) {
			*ret_language = i;
			return true;
		}
	return false;
}

static bool find_sibling(const struct languages *languages, const char *tag, size_t len,
						 size_t *ret_language)
{
	for (size_t i = 0; i < languages->count; i++)
		if (languages->all[i].code[len] == '-' &&
			strncasecmp(languages->all[i].code, tag, len) == 0) {
			*ret_language = i;
			return true;
		}
	return false;
}

/* Without its last part; 0: it had only one. */
static size_t shorter(const char *tag, size_t len)
{
	while (len > 0 && tag[len - 1] != '-')
		len--;
	return len > 0 ? len - 1 : 0;
}

bool language_find(const struct languages *languages, const char *tag, size_t len,
				   size_t *ret_language)
{
	size_t first = 0;
	for (size_t part = len; part > 0; part = shorter(tag, part)) {
		if (find_exact(languages, tag, part, ret_language))
			return true;
		first = part;
	}
	return first > 0 && first < sizeof(languages->all[0].code) &&
		   find_sibling(languages, tag, first, ret_language);
}

size_t languages_choose(const struct languages *languages, const char *wanted, const char *chosen,
						const char *accepted)
{
	size_t found, best = languages->english;
	if (wanted != NULL && language_find(languages, wanted, strlen(wanted), &found))
		return found;
	if (chosen != NULL && language_find(languages, chosen, strlen(chosen), &found))
		return found;
	int best_q = 0;
	struct qvalue item;
	for (const char *rest = accepted; qvalue_next(&rest, &item);)
		if (item.q > best_q && language_find(languages, item.text, item.len, &found)) {
			best = found;
			best_q = item.q;
		}
	return best;
}
