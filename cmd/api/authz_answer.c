/* Authz answers: the decision in the words that each proxy understands.
 *
 *                       yes    page, form               script, other
 *     forward, envoy    200    302 with Location        401 problem+json
 *     nginx             200    401 with Location        401 problem+json
 *
 * Scripts find the room's address in the body (queue_url) and in X-WaitingRoom-Location, which
 * browsers let scripts of other origins read. Never more than one Set-Cookie: nginx keeps one.
 */
#include "authz.h"

#include <string.h>

#define LOCATION_FOR_SCRIPTS "X-WaitingRoom-Location"

void authz_answer_yes(struct http_request *request, enum gate_decision decision,
					  const char *position_id)
{
	http_reply_header(request, "X-WaitingRoom-State", gate_decision_word(decision));
	if (position_id != NULL)
		http_reply_header(request, "X-WaitingRoom-Session", position_id);
	http_reply_written(request, 200, NULL, 0);
}

void authz_answer_stripped(struct http_request *request, const struct authz_question *question,
						   const char *url)
{
	http_reply_header(request, "Location", url);
	http_reply_header(request, "Referrer-Policy", "no-referrer");
	http_reply(request, question->mount == AUTHZ_NGINX ? 401 : 302, NULL, "", 0);
}

static void refuse(struct http_request *request, const char *header, const char *room)
{
	char json[GATE_ROOM_URL_BYTES + 2];
	struct json_out out;
	http_reply_header(request, header, room);
	json_out_init(&out, json, sizeof(json));
	json_out_string(&out, NULL, room);
	struct problem_member member = {.name = "queue_url", .json = json, .len = out.len};
	http_reply_problem_with(request, WR_SESSION_REQUIRED, NULL, 0, &member);
}

/* The page on which a form stands, as the browser says; false: it does not. */
static bool read_referer(const struct http_request *request, struct gate_url *ret_url)
{
	const char *referer = http_request_header(request, "Referer");
	return referer != NULL && gate_url_parse(referer, ret_url);
}

bool authz_answer_room(const struct authz_check *check)
{
	struct http_request *request = check->request;
	const struct authz_question *question = check->question;
	char room[GATE_ROOM_URL_BYTES];
	struct gate_url referer;
	const struct gate_url *from = &question->url;
	bool has_target = false;
	enum gate_asker asker =
		gate_asker_of(question->method, http_request_header(request, "Sec-Fetch-Mode"),
					  http_request_header(request, "Accept"));
	if (asker == GATE_FORM)
		from = read_referer(request, &referer) ? &referer : NULL;
	if (!gate_room_url(check->snapshot->settings, &question->queue,
					   check->worker->app->config.public_url, &question->url, from, room,
					   &has_target)) {
		http_reply_problem(request, WR_SESSION_REQUIRED, NULL, 0);
	} else if (asker == GATE_SCRIPT) {
		refuse(request, LOCATION_FOR_SCRIPTS, room);
	} else if (question->mount == AUTHZ_NGINX) {
		refuse(request, "Location", room);
	} else {
		http_reply_header(request, "Location", room);
		http_reply(request, 302, NULL, "", 0);
	}
	return has_target || from == NULL;
}
