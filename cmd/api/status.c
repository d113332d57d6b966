/* GET /status: the same answer as a heartbeat, without being one: nothing is noted, claimed or
 * brought back.
 */
#include "credentials.h"
#include "endpoints.h"
#include "place.h"

void status_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct worker *worker = ctx;
	struct parked *notes = http_request_notes(request);
	(void)match;
	notes->endpoint = ENDPOINT_STATUS;
	notes->status = 200;
	enum wr_err err = credentials_position(worker, request, &notes->claims);
	if (err != WR_OK) {
		worker_problem(worker, request, err, NULL);
		return;
	}
	struct place_look look;
	switch (place_find(worker, &notes->claims, &look, &err)) {
	case PLACE_FROM_INDEX:
		place_answer_in_line(worker, request, &look);
		return;
	case PLACE_FROM_STORE:
		err = gather_request(worker->gather, look.snapshot->slot, GATHER_LOOK, request);
		if (err != WR_OK)
			worker_problem(worker, request, err, NULL);
		return;
	case PLACE_REFUSED:
		worker_problem(worker, request, err, NULL);
	}
}
