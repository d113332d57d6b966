/* Timeline: fields and notes of a place to a list of what has happened, sorted by time. */
#include "waitingroom/timeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "waitingroom/text.h"

const char *timeline_word(enum timeline_what what)
{
	static const char *const words[] = {
#define TIMELINE_WORD(id, word) [id] = (word),
		TIMELINE_TABLE(TIMELINE_WORD)
#undef TIMELINE_WORD
	};
	return words[what];
}

struct timeline {
	struct timeline_entry *entries;
	size_t count;
};

static void add(struct timeline *timeline, enum timeline_what what, int64_t at_ms,
				const char *detail, size_t len)
{
	if (at_ms <= 1 ||
		timeline->count == TIMELINE_MAX) /* 1: set aside by a version that kept no time */
		return;
	struct timeline_entry *entry = &timeline->entries[timeline->count++];
	*entry = (struct timeline_entry){.at_ms = at_ms, .what = what};
	if (len < sizeof(entry->detail))
		memcpy(entry->detail, detail, len);
}

/* How a place ended, and what of the reason the word does not say already. */
static void add_end(struct timeline *timeline, enum place_state state, int64_t at_ms,
					const char *why, size_t len)
{
	enum timeline_what what = TIMELINE_EXPIRED;
	bool is_revoked = len == 7 && memcmp(why, "revoked", 7) == 0;
	bool is_plain = (len == 6 && memcmp(why, "missed", 6) == 0) ||
					(len == 7 && memcmp(why, "session", 7) == 0) ||
					(len == 8 && memcmp(why, "released", 8) == 0);
	if (state == PLACE_LEFT) {
		what = TIMELINE_LEFT;
		is_plain = true;
	} else if (state == PLACE_MISSED) {
		what = TIMELINE_MISSED;
	} else if (state == PLACE_ENDED && is_revoked) {
		what = TIMELINE_REVOKED;
		is_plain = true;
	} else if (state == PLACE_ENDED) {
		what = len == 7 && is_plain ? TIMELINE_ENDED : TIMELINE_RELEASED;
	}
	add(timeline, what, at_ms, why, is_plain ? 0 : len);
}

/* "g1767225600000:95000" */
static void add_note(struct timeline *timeline, const char *note, size_t len)
{
	static const struct {
		char letter;
		enum timeline_what what;
	} rows[] = {{'a', TIMELINE_SET_ASIDE}, {'b', TIMELINE_RETURNED}, {'m', TIMELINE_MOVED},
				{'r', TIMELINE_RESTORED},  {'i', TIMELINE_ADMITTED}, {'c', TIMELINE_CLAIMED}};
	const char *colon = memchr(note, ':', len);
	const char *more = colon ? colon + 1 : note + len;
	size_t more_len = (size_t)(note + len - more);
	int64_t at_ms, silent_ms;
	if (len < 2 || !text_to_i64(note + 1, (size_t)((colon ? colon : note + len) - note) - 1, 0,
								INT64_MAX, &at_ms))
		return;
	if (note[0] == 'g' && text_to_i64(more, more_len, 0, INT64_MAX, &silent_ms)) {
		char detail[24];
		int detail_len = snprintf(detail, sizeof(detail), "%" PRId64 " s", silent_ms / 1000);
		add(timeline, TIMELINE_GAP, at_ms, detail, (size_t)detail_len);
		return;
	}
	if (note[0] >= 'A' && note[0] <= 'Z') { /* the state in which an earlier time in line ended */
		enum place_state state = place_state_from_letter((char)(note[0] - 'A' + 'a'));
		if (state != PLACE_NONE)
			add_end(timeline, state, at_ms, more, more_len);
		return;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].letter == note[0])
			add(timeline, rows[i].what, at_ms, more, more_len);
}

/* Stays as it is where times are the same: the order of the notes is that in which things
 * happened. */
static void sort_by_time(struct timeline *timeline)
{
	for (size_t i = 1; i < timeline->count; i++)
		for (size_t k = i; k > 0 && timeline->entries[k].at_ms < timeline->entries[k - 1].at_ms;
			 k--) {
			struct timeline_entry later = timeline->entries[k - 1];
			timeline->entries[k - 1] = timeline->entries[k];
			timeline->entries[k] = later;
		}
}

size_t timeline_read(const struct timeline_past *past,
					 struct timeline_entry ret_entries[TIMELINE_MAX])
{
	struct timeline timeline = {.entries = ret_entries};
	add(&timeline, TIMELINE_JOINED, past->joined_ms, "", 0);
	for (const char *note = past->notes; *note;) {
		size_t len = strcspn(note, " ");
		add_note(&timeline, note, len);
		note += len + (note[len] == ' ');
	}
	add(&timeline, TIMELINE_SET_ASIDE, past->aside_ms, "", 0);
	add(&timeline, TIMELINE_ADMITTED, past->let_in_ms, "", 0);
	add(&timeline, TIMELINE_CLAIMED, past->claimed_ms, "", 0);
	int64_t ended_ms;
	const char *why = strchr(past->ended, ' ');
	if (why && text_to_i64(past->ended, (size_t)(why - past->ended), 0, INT64_MAX, &ended_ms))
		add_end(&timeline, past->state, ended_ms, why + 1, strlen(why + 1));
	sort_by_time(&timeline);
	return timeline.count;
}
