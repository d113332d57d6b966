/* POST /session/release: checkout done, the slot is free now. Repeating it is fine.
 *
 * From the site's server with the token as bearer, or from its pages with the session's cookie,
 * which then goes.
 */
#include <string.h>

#include "credentials.h"
#include "endpoints.h"
#include "place.h"

void session_release_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	struct worker *worker = ctx;
	struct parked *notes = http_request_notes(request);
	struct session_claims session;
	(void)match;
	notes->endpoint = ENDPOINT_SESSION_RELEASE;
	enum wr_err err = credentials_session(worker, request, &session);
	if (err == WR_OK) {
		notes->claims.queue = session.queue;
		memcpy(notes->claims.position_id, session.position_id, sizeof(session.position_id));
		memcpy(notes->claims.epoch, session.epoch, sizeof(session.epoch));
		notes->claims.holder = UINT32_MAX; /* a session does not move with the place */
		struct place_look look;
		if (place_find(worker, &notes->claims, &look, &err) != PLACE_REFUSED)
			err = gather_request(worker->gather, look.snapshot->slot, GATHER_RELEASE, request);
	}
	if (err != WR_OK)
		worker_problem(worker, request, err, NULL);
}

void session_release_answer(struct worker *worker, struct http_request *request, enum wr_err err,
							const struct released *person)
{
	static const char body[] = "{\"status\":\"ended\"}";
	(void)person;
	if (err != WR_OK) {
		worker_problem(worker, request, err, NULL);
		return;
	}
	const struct queue_name *queue =
		&((const struct parked *)http_request_notes(request))->claims.queue;
	const char *cookie;
	size_t len;
	if (credentials_find_session_cookie(worker, request, queue, &cookie, &len))
		credentials_drop_session_cookie(worker, request, queue);
	http_reply(request, 200, "application/json", body, sizeof(body) - 1);
}
