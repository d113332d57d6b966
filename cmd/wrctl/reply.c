/* Replies: how a refusal or a silence is told, with what to do, and which exit code it is. */
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

/* What helps, by the code of the problem. */
static const struct {
	const char *code, *advice;
} remedies[] = {
	{"bad_token", "Check the key: it is wrong, expired or deleted (wrctl context show)."},
	{"forbidden", "Use a key with a larger role; an admin makes one with wrctl key create."},
	{"no_such_queue", "wrctl queue list shows those that this key may see."},
	{"no_such_tenant", "wrctl tenant list shows what there is; wrctl tenant set makes one."},
	{"version_mismatch", "wrctl queue get shows what is there now."},
	{"conflict", "Look at what is there now, and try again."},
	{"confirmation_required", "Give --yes, or answer the question on a terminal."},
	{"store_unavailable", "The pod cannot reach the store; wrctl doctor says more."},
	{"rate_limited", "Too many requests; wait a little."},
	{"busy", "Try again in a moment."},
};

static const char *advice_for(const char *code)
{
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if (strcmp(remedies[i].code, code) == 0)
			return remedies[i].advice;
	return NULL;
}

static int exit_of(int status)
{
	switch (status) {
	case 401:
	case 403:
		return WRCTL_NOT_ALLOWED;
	case 404:
	case 410:
		return WRCTL_NOT_FOUND;
	case 409:
	case 412:
	case 428:
		return WRCTL_CONFLICT;
	default:
		return WRCTL_REFUSED;
	}
}

void reply_print(const struct reply *reply)
{
	fwrite(reply->text, 1, reply->len, stdout);
	if (reply->len > 0 && reply->text[reply->len - 1] != '\n')
		putchar('\n');
}

int reply_say(const struct wrctl *w, const struct reply *reply)
{
	const char *title = "", *detail = "", *code = reply_code(reply);
	const struct json_value *problem = json_is_object(reply->json) ? reply->json : NULL;
	bool colour = w->terminal.err_colour;
	if (w->json && problem != NULL) {
		fprintf(stderr, "%s\n", reply->text);
		return exit_of(reply->status);
	}
	if (problem != NULL) {
		(void)json_string(json_member(problem, "title"), &title);
		(void)json_string(json_member(problem, "detail"), &detail);
	}
	if (title[0] == '\0') {
		wrctl_say("%s answered with status %d and no explanation; is this the internal address of "
				  "the waiting room?",
				  client_url(w->client), reply->status);
		return exit_of(reply->status);
	}
	bool same = strcmp(title, detail) == 0 || detail[0] == '\0';
	fprintf(stderr, "%swrctl:%s %s%s%s %s(%s%s%s)%s\n", paint(colour, PAINT_RED),
			paint(colour, PAINT_PLAIN), title, same ? "" : "\n  ", same ? "" : detail,
			paint(colour, PAINT_DIM), code, reply->request_id ? ", request " : "",
			reply->request_id ? reply->request_id : "", paint(colour, PAINT_PLAIN));
	if (advice_for(code) != NULL)
		fprintf(stderr, "  %s\n", advice_for(code));
	return exit_of(reply->status);
}

static int say_silence(const struct wrctl *w, enum wr_err err, const struct err_detail *detail)
{
	wrctl_say("no answer from %s", detail->text);
	if (err == WR_TIMEOUT)
		fputs(
			"  It was asked, so what was asked for may have been done: look before trying again.\n",
			stderr);
	if (w->context.url_count > 1)
		fprintf(stderr, "  None of the %zu urls of this context answers.\n", w->context.url_count);
	if (err == WR_BAD_CONFIG)
		return WRCTL_USAGE;
	fprintf(stderr,
			"  Context %s; see wrctl context show. The url must be that of the internal "
			"port (WR_INTERNAL_LISTEN).\n",
			w->context.name[0] != '\0' ? w->context.name : "from the environment");
	return WRCTL_UNREACHABLE;
}

int wrctl_ask_or(struct wrctl *w, const struct request *request, int status, struct reply *ret)
{
	struct err_detail detail = {""};
	struct reply reply = {0};
	enum wr_err err = client_ask(w->client, request, &reply, &detail);
	if (err != WR_OK)
		return say_silence(w, err, &detail);
	if (reply.status != status && (reply.status < 200 || reply.status > 299)) {
		int code = reply_say(w, &reply);
		reply_clear(&reply);
		return code;
	}
	*ret = reply;
	return WRCTL_DONE;
}

int wrctl_ask(struct wrctl *w, const struct request *request, struct reply *ret)
{
	return wrctl_ask_or(w, request, 200, ret);
}

int wrctl_get(struct wrctl *w, const char *path, struct reply *ret)
{
	return wrctl_ask(w, &(struct request){.method = "GET", .path = path}, ret);
}

int wrctl_show(struct wrctl *w, const char *path,
			   void (*print)(const struct wrctl *w, const struct json_value *answer))
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	int code = wrctl_get(w, path, &reply);
	if (code == WRCTL_DONE && w->json && !wrctl_flag(w, "names"))
		reply_print(&reply);
	else if (code == WRCTL_DONE)
		print(w, reply.json);
	return code;
}

char *queue_path(const struct wrctl *w, const char *name, const char *rest)
{
	struct queue_name parsed;
	char *path;
	if (!queue_name_parse(name, strlen(name), &parsed)) {
		(void)wrctl_misuse(w,
						   "\"%.80s\" is no name of a queue: TENANT/QUEUE, or QUEUE for "
						   "default/QUEUE",
						   name);
		return NULL;
	}
	if (asprintf(&path, "/admin/v1/queues/%s/%s%s", parsed.tenant, parsed.queue, rest) < 0)
		abort();
	return path;
}

char *url_escape(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char *escaped = mem_alloc_zero(strlen(text) * 3 + 1, 1), *at = escaped;
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;
		bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
					 (byte >= 'a' && byte <= 'z') || strchr("-._~", byte) != NULL;
		if (plain) {
			*at++ = (char)byte;
		} else {
			*at++ = '%';
			*at++ = hex[byte >> 4];
			*at++ = hex[byte & 15];
		}
	}
	return escaped;
}
