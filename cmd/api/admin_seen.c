/* Admin seen: a change is answered when this pod shows it.
 *
 * So whoever has made a queue may join it with the next request, and whoever has paused one does
 * not read in the list that it is open. Other pods show it within two WR_SYNC_INTERVAL_MS. A store
 * that goes away in between does not hold up the answer: the change is made, and the answer comes
 * after SEEN_MAX_MS.
 */
#include "admin_queue.h"

#include <stdlib.h>
#include <string.h>

#include "sync.h"
#include "waitingroom/memory.h"

#define SEEN_MAX_MS 1000
#define SEEN_CHECK_MS 1

struct seen_reply {
	struct seen_reply *next;
	struct http_request *request;
	uint64_t look;
	struct mono_time until;
	int status;
	size_t len;
	char body[];
};

static void answer(struct seen_reply *reply)
{
	if (reply->len > 0)
		http_reply(reply->request, reply->status, "application/json", reply->body, reply->len);
	else
		http_reply(reply->request, reply->status, NULL, "", 0);
	free(reply);
}

static void check(void *ctx)
{
	struct internal *internal = ctx;
	struct mono_time now = loop_now(internal->loop);
	uint64_t done = sync_looks_done(internal->app->sync);
	for (struct seen_reply **at = &internal->unseen; *at != NULL;) {
		struct seen_reply *reply = *at;
		if (reply->look > done && mono_diff_ms(now, reply->until) > 0) {
			at = &reply->next;
			continue;
		}
		*at = reply->next;
		answer(reply);
	}
	if (internal->unseen != NULL)
		loop_timer_arm(internal->seen_timer, mono_add_ms(now, SEEN_CHECK_MS));
}

void admin_reply_seen(struct http_request *request, int status, const struct json_out *out)
{
	const struct admin_notes *notes = http_request_notes(request);
	struct internal *internal = notes->internal;
	struct mono_time now = loop_now(internal->loop);
	size_t len = out != NULL ? out->len : 0;
	struct seen_reply *reply = mem_alloc_zero(1, sizeof(*reply) + len);
	*reply = (struct seen_reply){.next = internal->unseen,
								 .request = request,
								 .look = sync_look(internal->app->sync, &notes->name),
								 .until = mono_add_ms(now, SEEN_MAX_MS),
								 .status = status,
								 .len = len};
	if (len > 0)
		memcpy(reply->body, out->text, len);
	internal->unseen = reply;
	loop_timer_arm(internal->seen_timer, mono_add_ms(now, SEEN_CHECK_MS));
}

void admin_seen_start(struct internal *internal)
{
	internal->seen_timer = loop_timer_new(internal->loop, check, internal);
}

void admin_seen_stop(struct internal *internal)
{
	while (internal->unseen != NULL) {
		struct seen_reply *reply = internal->unseen;
		internal->unseen = reply->next;
		answer(reply);
	}
	loop_timer_free(internal->seen_timer);
}
