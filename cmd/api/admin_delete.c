/* Admin delete: a queue and all its places are taken away.
 *
 *     read what is there ─► conditions ─► first step, tied to the version that was read: the settings go,
 *     the audit keeps them ─► steps that end everybody's wait, until the script says done
 *
 * Changed between reading and the first step: all over again, so that the audit is right about what
 * was deleted; with If-Match the condition does not hold any more then. A queue that is deleted
 * already, and perhaps not cleared, has no version to compare: the steps go on. They never touch
 * one that was made since.
 */
#include "admin_queue.h"

#include "admin_audit.h"
#include "admin_version.h"
#include "waitingroom/memory.h"

#define DELETED_BY "{\"by\":\"admin\"}"
#define DELETE_TRIES 5

static void read_for_delete(struct http_request *request);
static void delete_step(struct http_request *request);

static void on_deleted(void *ctx, enum wr_err err, bool more)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	/* An admitter that met the queue half deleted may have done the rest before us; somebody may
	 * even have made another one since, which is none of ours. */
	bool is_another = err == WR_CONFLICT && notes->done > 0;
	if (err == WR_CONFLICT && !is_another && ++notes->wanted < DELETE_TRIES) {
		read_for_delete(request);
		return;
	}
	if (is_another || (err == WR_NO_QUEUE && notes->done > 0))
		err = WR_OK;
	notes->done++;
	if (!is_another && (err == WR_NO_QUEUE || (err == WR_OK && !more)))
		store_free_claim(notes->internal->store, &notes->name);
	if (err == WR_CONFLICT)
		(void)err_say(&detail, err, "Somebody else is changing the queue all the time; try again.");
	if (err != WR_OK)
		admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
	else if (more)
		delete_step(request);
	else
		admin_reply_seen(request, 204, NULL);
}

static void delete_step(struct http_request *request)
{
	struct admin_notes *notes = http_request_notes(request);
	store_delete_queue(notes->internal->store, &notes->name, ADMIN_STEP_PEOPLE, STORE_DELETE_REST,
					   DELETED_BY, NULL, on_deleted, request);
}

static void on_read(void *ctx, enum wr_err err, const struct synced *answer)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	if (err == WR_NO_QUEUE || err == WR_NOT_FOUND) {
		delete_step(request);
		return;
	}
	if (err == WR_OK)
		err = version_check(request, true, answer->version, &detail);
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err, detail.text[0] != '\0' ? &detail : NULL);
		return;
	}
	char entry[STORE_AUDIT_BYTES];
	WR_AUTO(mem_free_at) char *before = NULL;
	WR_AUTO(mem_free_at) char *after = NULL;
	admin_audit_settings(&answer->settings, NULL, &before, &after);
	admin_audit_json(notes, before, after, entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_delete_queue(notes->internal->store, &notes->name, ADMIN_STEP_PEOPLE, answer->version,
					   DELETED_BY, &audit, on_deleted, request);
}

static void read_for_delete(struct http_request *request)
{
	struct admin_notes *notes = http_request_notes(request);
	store_sync(notes->internal->store, &notes->name, "0", NULL, 0, 1, on_read, request);
}

void admin_delete_serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)ctx, (void)match;
	read_for_delete(request);
}
