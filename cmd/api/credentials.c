/* Credentials: finding and checking the token of a request.
 *
 * Scripts send Authorization: Bearer. Pages that must avoid a preflight send the token as a
 * text/plain body. Browsers without scripts send the cookie, one per queue. A cookie is sent by
 * the browser whoever asked for the request, so it does not count on a cross-site one.
 *
 * A cookie with the prefix is taken over plain HTTP, too; one without is not where the prefix
 * belongs, since any subdomain could have set it.
 *
 *     [__Host-]wr-place-<queue>     a place in line, on the room's host
 *     [__Host-]wr-was-<queue>       a place that was lost: support may put it back
 *     [__Host-]wr-session-<queue>   a session, on the site's host; "<tenant>.<queue>" where the
 *                                   tenant is not "default"
 */
#include "credentials.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COOKIE_NAME_BYTES (QUEUE_NAME_TEXT_BYTES + 24)

/* Kinds of cookies, as their names have it. */
#define PLACE "place-"
#define WAS "was-"
#define SESSION "session-"

static void cookie_name(bool secure, const char *kind, const struct queue_name *queue,
						char ret_name[COOKIE_NAME_BYTES])
{
	char *end = stpcpy(ret_name, secure ? "__Host-wr-" : "wr-");
	end = stpcpy(end, kind);
	if (strcmp(queue->tenant, "default") != 0) {
		end = stpcpy(end, queue->tenant);
		*end++ = '.';
	}
	stpcpy(end, queue->queue);
}

static bool bearer(const struct http_request *request, const char **ret_token, size_t *ret_len)
{
	const char *value = http_request_header(request, "Authorization");
	if (value == NULL || strncasecmp(value, "Bearer ", 7) != 0)
		return false;
	*ret_token = value + 7;
	*ret_len = strlen(value + 7);
	return true;
}

static bool text_body(const struct http_request *request, const char **ret_token, size_t *ret_len)
{
	const char *type = http_request_header(request, "Content-Type");
	if (type == NULL || strncasecmp(type, "text/plain", 10) != 0)
		return false;
	*ret_token = http_request_body(request, ret_len);
	while (*ret_len > 0 && memchr(" \t\r\n", (*ret_token)[*ret_len - 1], 4) != NULL)
		(*ret_len)--; /* the line end of a file */
	return *ret_len > 0;
}

/* The first cookie of that kind in the Cookie header, whatever its queue. */
static bool any_cookie(bool secure, const struct http_request *request, const char *kind,
					   const char **ret_token, size_t *ret_len)
{
	static const struct queue_name any = {.tenant = "default", .queue = ""};
	char prefix[COOKIE_NAME_BYTES];
	cookie_name(secure, kind, &any, prefix);
	const char *at = http_request_header(request, "Cookie");
	while (at != NULL && *at != '\0') {
		at += strspn(at, " ;");
		size_t len = strcspn(at, ";");
		const char *equals = memchr(at, '=', len);
		if (equals != NULL && strncmp(at, prefix, strlen(prefix)) == 0) {
			*ret_token = equals + 1;
			*ret_len = len - (size_t)(equals + 1 - at);
			return true;
		}
		at += len;
	}
	return false;
}

/* wanted  NULL: the cookie of any queue */
static bool find_cookie(bool secure, const struct http_request *request, const char *kind,
						const struct queue_name *wanted, const char **ret_token, size_t *ret_len)
{
	char name[COOKIE_NAME_BYTES];
	if (wanted == NULL)
		return any_cookie(secure, request, kind, ret_token, ret_len);
	cookie_name(secure, kind, wanted, name);
	return http_request_cookie(request, name, ret_token, ret_len);
}

static enum wr_err cookie(const struct worker *worker, const struct http_request *request,
						  const char *kind, const struct queue_name *wanted, const char **ret_token,
						  size_t *ret_len)
{
	if (!(!worker->app->config.secure_cookies &&
		  find_cookie(false, request, kind, wanted, ret_token, ret_len)) &&
		!find_cookie(true, request, kind, wanted, ret_token, ret_len))
		return WR_BAD_TOKEN;
	const char *site = http_request_header(request, "Sec-Fetch-Site");
	if (http_request_method(request) == HTTP_POST && site != NULL &&
		strcmp(site, "cross-site") == 0)
		return WR_FORBIDDEN;
	return WR_OK;
}

static enum wr_err verify_position(struct worker *worker, struct http_request *request,
								   const struct queue_name *wanted,
								   struct position_claims *ret_claims)
{
	const char *token = NULL;
	size_t len = 0;
	enum wr_err err = WR_OK;
	if (!bearer(request, &token, &len) && !text_body(request, &token, &len))
		err = cookie(worker, request, PLACE, wanted, &token, &len);
	if (err == WR_OK)
		err = position_token_verify(worker->signer, token, len, worker->wall, ret_claims);
	if (err == WR_OK && wanted != NULL && !queue_name_equal(wanted, &ret_claims->queue))
		err = WR_BAD_TOKEN;
	return err;
}

static enum wr_err read_cookie(struct worker *worker, struct http_request *request,
							   const char *kind, const struct queue_name *queue,
							   struct position_claims *ret_claims)
{
	const char *token = NULL;
	size_t len = 0;
	struct position_claims claims;
	enum wr_err err = cookie(worker, request, kind, queue, &token, &len);
	if (err == WR_OK)
		err = position_token_verify(worker->signer, token, len, worker->wall, &claims);
	if (err == WR_OK && !queue_name_equal(queue, &claims.queue))
		err = WR_BAD_TOKEN;
	if (err == WR_OK)
		*ret_claims = claims;
	return err;
}

enum wr_err credentials_place_cookie(struct worker *worker, struct http_request *request,
									 const struct queue_name *queue,
									 struct position_claims *ret_claims)
{
	return read_cookie(worker, request, PLACE, queue, ret_claims);
}

enum wr_err credentials_was_cookie(struct worker *worker, struct http_request *request,
								   const struct queue_name *queue,
								   struct position_claims *ret_claims)
{
	char text[QUEUE_NAME_TEXT_BYTES];
	struct queue_name named;
	if (queue == NULL && (!http_request_query(request, "queue", text, sizeof(text)) ||
						  !queue_name_parse(text, strlen(text), &named)))
		return WR_BAD_TOKEN;
	return read_cookie(worker, request, WAS, queue != NULL ? queue : &named, ret_claims);
}

/* With ?queue= only a place in that queue will do, wherever the token came from. Apart: most polls
 * have no query, and need not clear its buffers (-ftrivial-auto-var-init). */
static __attribute__((noinline)) enum wr_err verify_wanted(struct worker *worker,
														   struct http_request *request,
														   struct position_claims *ret_claims)
{
	char text[QUEUE_NAME_TEXT_BYTES];
	struct queue_name queue;
	if (!http_request_query(request, "queue", text, sizeof(text)))
		return verify_position(worker, request, NULL, ret_claims);
	if (!queue_name_parse(text, strlen(text), &queue))
		return WR_BAD_TOKEN;
	return verify_position(worker, request, &queue, ret_claims);
}

enum wr_err credentials_position(struct worker *worker, struct http_request *request,
								 struct position_claims *ret_claims)
{
	if (http_request_has_query(request))
		return verify_wanted(worker, request, ret_claims);
	return verify_position(worker, request, NULL, ret_claims);
}

enum wr_err credentials_session(struct worker *worker, struct http_request *request,
								struct session_claims *ret_claims)
{
	const char *token = NULL;
	size_t len = 0;
	enum wr_err err = WR_OK;
	char text[QUEUE_NAME_TEXT_BYTES];
	struct queue_name queue;
	bool is_wanted = http_request_query(request, "queue", text, sizeof(text));
	if (is_wanted && !queue_name_parse(text, strlen(text), &queue))
		return WR_BAD_TOKEN;
	if (!bearer(request, &token, &len) && !text_body(request, &token, &len))
		err = cookie(worker, request, SESSION, is_wanted ? &queue : NULL, &token, &len);
	if (err == WR_OK)
		err = session_token_verify(worker->signer, token, len, worker->wall, ret_claims);
	if (err == WR_OK && is_wanted && !queue_name_equal(&queue, &ret_claims->queue))
		err = WR_BAD_TOKEN;
	return err;
}

bool credentials_find_session_cookie(const struct worker *worker,
									 const struct http_request *request,
									 const struct queue_name *queue, const char **ret_token,
									 size_t *ret_len)
{
	char name[COOKIE_NAME_BYTES] __attribute__((uninitialized)); /* filled at every gate check */
	cookie_name(worker->app->config.secure_cookies, SESSION, queue, name);
	return http_request_cookie(request, name, ret_token, ret_len);
}

/* token  "" and 0 take it away */
static void set_cookie(const struct worker *worker, struct http_request *request, const char *kind,
					   const struct queue_name *queue, const char *token, int64_t life_s)
{
	char name[COOKIE_NAME_BYTES], value[TOKEN_MAX_BYTES + COOKIE_NAME_BYTES + 80];
	cookie_name(worker->app->config.secure_cookies, kind, queue, name);
	snprintf(value, sizeof(value), "%s=%s; Path=/; Max-Age=%" PRId64 "; HttpOnly; SameSite=Lax%s",
			 name, token, life_s, worker->app->config.secure_cookies ? "; Secure" : "");
	http_reply_header(request, "Set-Cookie", value);
}

void credentials_set_cookie(struct worker *worker, struct http_request *request,
							const struct queue_name *queue, const char *token)
{
	set_cookie(worker, request, PLACE, queue, token, POSITION_TOKEN_LIFE_MAX_S);
}

void credentials_drop_cookie(struct worker *worker, struct http_request *request,
							 const struct queue_name *queue)
{
	set_cookie(worker, request, PLACE, queue, "", 0);
}

void credentials_retire_cookie(struct worker *worker, struct http_request *request,
							   const struct position_claims *claims)
{
	char token[TOKEN_MAX_BYTES + 1];
	size_t len;
	credentials_drop_cookie(worker, request, &claims->queue);
	if (position_token_print(worker->signer, claims, token, &len) == WR_OK)
		set_cookie(worker, request, WAS, &claims->queue, token, POSITION_TOKEN_DAY_S);
}

void credentials_revive_cookie(struct worker *worker, struct http_request *request,
							   const struct queue_name *queue, const char *token)
{
	credentials_set_cookie(worker, request, queue, token);
	set_cookie(worker, request, WAS, queue, "", 0);
}

void credentials_set_session_cookie(struct worker *worker, struct http_request *request,
									const struct queue_name *queue, const char *token,
									int64_t life_s)
{
	set_cookie(worker, request, SESSION, queue, token, life_s);
}

void credentials_drop_session_cookie(struct worker *worker, struct http_request *request,
									 const struct queue_name *queue)
{
	set_cookie(worker, request, SESSION, queue, "", 0);
}
