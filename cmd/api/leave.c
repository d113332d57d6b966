/* POST /leave: the place is given up. Repeating it is fine; somebody who was let in gives the slot
 * back at once.
 */
#include "credentials.h"
#include "endpoints.h"
#include "noscript.h"
#include "place.h"

void leave_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct worker *worker = ctx;
	struct parked *notes = http_request_notes(request);
	(void)match;
	notes->endpoint = ENDPOINT_LEAVE;
	enum wr_err err = credentials_position(worker, request, &notes->claims);
	struct place_look look;
	if (err == WR_OK && place_find(worker, &notes->claims, &look, &err) != PLACE_REFUSED)
		err = gather_request(worker->gather, look.snapshot->slot, GATHER_LEAVE, request);
	if (err != WR_OK)
		worker_problem(worker, request, err, NULL);
}

void leave_answer(struct worker *worker, struct http_request *request, enum wr_err err,
				  const struct released *person)
{
	static const char body[] = "{\"status\":\"left\"}";
	const struct parked *notes = http_request_notes(request);
	(void)person; /* whatever it was before, it is over now */
	if (err != WR_OK) {
		worker_problem(worker, request, err, NULL);
		return;
	}
	if (notes->page != PAGE_NONE) {
		noscript_left(worker, request);
		return;
	}
	credentials_retire_cookie(worker, request, &notes->claims);
	http_reply(request, 200, "application/json", body, sizeof(body) - 1);
}
