/* Proof of work for a crowd: solved at once, in the loop's thread.
 *
 * A crowd has many people and one thread, so what takes a browser a moment adds up here; the report
 * shows it as late_start. Beyond WORK_MAX hashes a person nobody would learn anything from it.
 */
#include "proof.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "waitingroom/challenge.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

#define WORK_MAX (INT64_C(1) << 22)

struct work {
	const char *text;
	int64_t bits, puzzles;
};

static bool read_work(const struct json_value *offer, struct work *ret_work)
{
	const char *kind;
	return offer != NULL && json_is_object(offer) && json_member(offer, "kind") != NULL &&
		   json_string(json_member(offer, "kind"), &kind) && strcmp(kind, "pow") == 0 &&
		   json_member(offer, "challenge") != NULL &&
		   json_string(json_member(offer, "challenge"), &ret_work->text) &&
		   strlen(ret_work->text) == CHALLENGE_CHARS && json_member(offer, "bits") != NULL &&
		   json_int(json_member(offer, "bits"), &ret_work->bits) &&
		   json_member(offer, "puzzles") != NULL &&
		   json_int(json_member(offer, "puzzles"), &ret_work->puzzles) && ret_work->bits >= 0 &&
		   ret_work->bits <= CHALLENGE_BITS_MAX && ret_work->puzzles >= 1 &&
		   ret_work->puzzles <= CHALLENGE_PUZZLES_MAX &&
		   ret_work->puzzles << ret_work->bits <= WORK_MAX;
}

char *proof_body(const char *queue, const char *problem, size_t len)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	struct work work;
	if (json_parse(problem, len, &document, NULL) != WR_OK || !json_is_object(document) ||
		!read_work(json_member(document, "challenge"), &work))
		return NULL;
	char *body = NULL;
	size_t body_len;
	FILE *out = open_memstream(&body, &body_len);
	fprintf(out, "{\"queue_id\":\"%s\",\"challenge\":\"%s\",\"solution\":", queue, work.text);
	for (unsigned i = 0; i < work.puzzles; i++)
		fprintf(out, "%c%" PRIu64, i > 0 ? ',' : '[',
				challenge_solve_puzzle(work.text, i, (unsigned)work.bits));
	fprintf(out, "]}");
	fclose(out);
	return body;
}
