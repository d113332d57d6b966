/* Violations: a list with a bound.
 *
 * A service that breaks one invariant usually breaks it for thousands of people. The first
 * findings against each invariant tell what went wrong; after that only their number grows, so
 * that a run for ever does not, and no invariant hides another.
 */
#include "violations.h"

#include <stdarg.h>
#include <stdio.h>

#define WORD(name, word, sentence) word,
#define SENTENCE(name, word, sentence) sentence,
static const char *const words[] = {INVARIANT_TABLE(WORD)};
static const char *const sentences[] = {INVARIANT_TABLE(SENTENCE)};
#undef WORD
#undef SENTENCE

const char *invariant_word(enum invariant invariant)
{
	return words[invariant];
}

const char *invariant_sentence(enum invariant invariant)
{
	return sentences[invariant];
}

void violations_add(struct violations *violations, enum invariant invariant,
					const char *position_id, int64_t at_ms, const char *format, ...)
{
	violations->count++;
	if (violations->counts[invariant]++ >= VIOLATIONS_KEPT)
		return;
	struct violation *violation = &violations->kept[violations->kept_count++];
	violation->invariant = invariant;
	violation->at_ms = at_ms;
	snprintf(violation->position_id, sizeof(violation->position_id), "%s", position_id);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(violation->what, sizeof(violation->what), format, arguments);
	va_end(arguments);
}
