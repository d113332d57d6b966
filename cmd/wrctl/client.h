/* Client: asks the admin API of one of a context's servers, with the key.
 *
 * What     The first url that answers is asked, and asked again next time. One that cannot be reached
 *          is passed over; so is one that is going away (503 draining). What may have been done is
 *          never asked twice, unless it changes nothing (GET).
 * Threads  one.
 */
#ifndef WRCTL_CLIENT_H
#define WRCTL_CLIENT_H

#include "waitingroom/http_call.h"
#include "wrctl.h"

struct client;

struct client *client_new(const struct context *context, const char *key); /* borrows; gives */
/* Another one to the same servers with the same key, for questions in between; gives. */
struct client *client_twin(const struct client *client);
void client_free(struct client *client);
void client_set_deadline(struct client *client, int64_t deadline_ms);
int64_t client_deadline(const struct client *client);
/* Called some times a second while an answer is waited for; NULL: nobody. */
void client_set_tick(struct client *client, void (*tick)(void *ctx), void *ctx);

struct reply {
	int status;
	char *text; /* the body as it came, NUL behind it */
	size_t len;
	struct json_value *json; /* NULL: it is not JSON, or empty */
	char *etag;				 /* as in the header, "\"7\""; NULL */
	char *request_id;		 /* NULL */
	char *content_type;		 /* NULL */
};
void reply_clear(struct reply *reply); /* for WR_AUTO, too; fine on a zeroed one */

struct request {
	const char *method, *path; /* "/admin/v1/queues" */
	const char *body;		   /* JSON; NULL: none */
	const char *if_match;	   /* "7", put into quotes here; NULL */
	bool only_new;			   /* If-None-Match: * */
};

/* Asks and waits. Any status is WR_OK; errors as http_caller_call, for the last url that was tried,
 * which the detail names.
 * ret  fills, only on WR_OK; end it with reply_clear. */
WR_MUST_USE enum wr_err client_ask(struct client *client, const struct request *request,
								   struct reply *ret, struct err_detail *ret_detail);
/* The same of one url only, the number-th of the context. */
WR_MUST_USE enum wr_err client_ask_url(struct client *client, size_t url,
									   const struct request *request, struct reply *ret,
									   struct err_detail *ret_detail);
/* The url that answered last. Lends. */
const char *client_url(const struct client *client);

/* ---- for commands ---- */

/* Asks; whatever is not a success is said on standard error, and the exit code says what it was.
 * WRCTL_DONE: fills ret. */
int wrctl_ask(struct wrctl *w, const struct request *request, struct reply *ret);
/* The same, but this status is no refusal: it fills ret, too. */
int wrctl_ask_or(struct wrctl *w, const struct request *request, int status, struct reply *ret);
/* The same as wrctl_ask for GET. */
int wrctl_get(struct wrctl *w, const char *path, struct reply *ret);
/* A command that only shows: asks by GET, and prints the answer, as it came for --output json. */
int wrctl_show(struct wrctl *w, const char *path,
			   void (*print)(const struct wrctl *w, const struct json_value *answer));
/* Prints the answer as it came, with a newline. */
void reply_print(const struct reply *reply);
/* Says what a refusal was about; returns the exit code for it. */
int reply_say(const struct wrctl *w, const struct reply *reply);
/* The API's problem code, "" when there is none. Lends. */
const char *reply_code(const struct reply *reply);

/* "tenant/queue" or "queue" to "/admin/v1/queues/tenant/queue<rest>"; gives; NULL: no name of a
 * queue, which has been said. */
char *queue_path(const struct wrctl *w, const char *name, const char *rest);
/* A text as a part of a path or a query, RFC 3986 unreserved characters as they are; gives. */
char *url_escape(const char *text);

#endif
