/* POST /heartbeat: "I am still here. Where do I stand?"
 *
 * The hot path: one HMAC, one look into the position index, one entry in the heartbeat buffer, one
 * answer written in place. No store round trip, no lock, no allocation of ours. Only somebody whose
 * ticket has left the line is looked up in the store (place.c).
 *
 * A heartbeat takes the turn up as soon as it has come. With ?claim=0 it does not: the waiting page
 * asks so, since nobody may be looking at it, and claims when its visitor goes in. That a browser
 * has no place yet is no error then, but 204. One that has lost its place asks with what it has
 * kept of it: support may have put it back.
 */
#include <string.h>

#include "credentials.h"
#include "endpoints.h"
#include "place.h"

static bool claims_turn(const struct http_request *request)
{
	char value[8];
	return !http_request_query(request, "claim", value, sizeof(value)) || strcmp(value, "0") != 0;
}

void heartbeat_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct worker *worker = ctx;
	struct parked *notes = http_request_notes(request);
	(void)match;
	notes->endpoint = ENDPOINT_HEARTBEAT;
	notes->status = 200;
	enum wr_err err = credentials_position(worker, request, &notes->claims);
	if ((err == WR_BAD_TOKEN || err == WR_TOKEN_EXPIRED) && !claims_turn(request)) {
		err = credentials_was_cookie(worker, request, NULL, &notes->claims);
		notes->was_lost = true;
		if (err != WR_OK) {
			http_reply(request, 204, NULL, "", 0);
			return;
		}
	}
	if (err != WR_OK) {
		worker_problem(worker, request, err, NULL);
		return;
	}
	const struct queue_snapshot *unsure = place_beat(worker, request);
	if (unsure != NULL)
		place_ask(worker, request, unsure, claims_turn(request) ? GATHER_POLL : GATHER_STAY);
}
