/* wrctl queue empty|delete: what cannot be undone. The queue's name must be typed, or --yes
 * given. */

#include "actions.h"
#include "client.h"
#include "look.h"
#include "table.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "watching.h"

#define LONG_MS 3600000 /* millions of people take their time */

/* Asks with a bar, for as long as it takes unless --timeout says otherwise. */
static int ask_long(struct wrctl *w, const struct request *request, const char *label,
					const char *queue, int64_t waiting, struct reply *ret)
{
	struct watching watching;
	if (!wrctl_flag(w, "timeout"))
		client_set_deadline(w->client, LONG_MS);
	watching_begin(&watching, w, label, queue, waiting);
	int code = wrctl_ask(w, request, ret);
	watching_end(&watching);
	return code;
}

/* ---- delete ---- */

int wrctl_queue_delete(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, argv[0], "");
	WR_AUTO(reply_clear) struct reply read = {0};
	WR_AUTO(reply_clear) struct reply reply = {0};
	char number[NUMBER_TEXT_BYTES], version[24];
	(void)argc;
	if (path == NULL)
		return WRCTL_USAGE;
	int code = wrctl_get(w, path, &read);
	if (code != WRCTL_DONE)
		return code;
	int64_t waiting = waiting_of(read.json);
	snprintf(version, sizeof(version), "%lld", (long long)look_int(read.json, "version", 0));
	if (!wrctl_confirm(w, argv[0],
					   "This deletes %s with its settings; %s people in line lose their places.",
					   argv[0], number_text(waiting, number)))
		return WRCTL_CONFLICT;
	/* Whoever typed the name has agreed to delete what was there when it was asked. */
	struct request request = {.method = "DELETE", .path = path, .if_match = version};
	code = ask_long(w, &request, "deleting", argv[0], waiting, &reply);
	if (code == WRCTL_DONE && !w->json)
		printf("%s is deleted.\n", argv[0]);
	return code;
}

/* ---- empty ---- */

/* The API tells how many would go, and a token that says that this has been read. */
static int ask_for_token(struct wrctl *w, const char *path, struct reply *ret)
{
	struct request request = {.method = "POST", .path = path, .body = "{}"};
	int code = wrctl_ask_or(w, &request, 428, ret);
	if (code != WRCTL_DONE || ret->status == 428)
		return code;
	wrctl_say("the queue was emptied without a confirmation");
	return WRCTL_REFUSED;
}

int wrctl_queue_empty(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, argv[0], "/empty");
	WR_AUTO(reply_clear) struct reply asked = {0};
	WR_AUTO(reply_clear) struct reply reply = {0};
	char body[1024], number[NUMBER_TEXT_BYTES];
	struct json_out out;
	(void)argc;
	if (path == NULL)
		return WRCTL_USAGE;
	int code = ask_for_token(w, path, &asked);
	if (code != WRCTL_DONE)
		return code;
	int64_t waiting = look_int(asked.json, "waiting", 0);
	if (!wrctl_confirm(w, argv[0], "This expires everybody who waits in %s: %s people.", argv[0],
					   number_text(waiting, number)))
		return WRCTL_CONFLICT;
	json_out_init(&out, body, sizeof(body) - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "confirm", look_text(asked.json, "confirm"));
	json_out_object_end(&out);
	body[out.len] = '\0';
	struct request request = {.method = "POST", .path = path, .body = body};
	code = ask_long(w, &request, "emptying", argv[0], waiting, &reply);
	if (code != WRCTL_DONE)
		return code;
	if (w->json)
		reply_print(&reply);
	else
		printf("%s is empty: %s people have gone.\n", argv[0],
			   number_text(look_int(reply.json, "expired", waiting), number));
	return WRCTL_DONE;
}
