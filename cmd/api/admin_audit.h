/* Admin audit: who has done what, and what was before and after.
 *
 *     {"at_ms":…,"id":"…","who":{"key_id":"…","name":"…"},"action":"queue.put","object":"queues/t/q",
 *      "tenant":"t","queue":"t/q","request_id":"…","address":"192.0.2.0","before":{…},"after":{…}}
 *
 * An entry goes with the step that makes the change, in one script (struct store_audit); the script
 * adds at_ms, by the store's clock. It is kept at the shard that changed and published as
 * wr.system.audit. Never a secret: of settings only what GET shows, of keys neither key nor hash.
 *
 *     char entry[STORE_AUDIT_BYTES];
 *     admin_audit_json(notes, "null", "{\"count\":5}", entry, sizeof(entry));
 *     store_x(…, &admin_audit_of(notes, entry), …);
 */
#ifndef WAITINGROOM_API_ADMIN_AUDIT_H
#define WAITINGROOM_API_ADMIN_AUDIT_H

#include "internal.h"

/* The entry of the request that the notes are of, about its queue, its tenant (routes that name
 * one), or what admin_audit_object says. before, after: JSON, "null" for none; what would not fit
 * is replaced by its hash. */
void admin_audit_json(const struct admin_notes *notes, const char *before, const char *after,
					  char *ret_entry, size_t room);
/* For things that the path does not name: object "keys/k3v7aq2x", tenant "acme" or "*". action
 * NULL: the route's. */
void admin_audit_object(const struct admin_notes *notes, const char *action, const char *object,
						const char *tenant, const char *before, const char *after, char *ret_entry,
						size_t room);
/* Of a queue that the file declares (WR_QUEUES_FILE): nobody's key. */
void admin_audit_file(const struct queue_name *queue, const char *before, const char *after,
					  char *ret_entry, size_t room);
/* The entry with the limits of the settings; borrows both. */
struct store_audit admin_audit_of(const struct admin_notes *notes, const char *entry);

/* What differs between two settings, as JSON objects for the above; NULL: there is, or will be, no
 * queue. Long values are replaced by their hash, secrets only said to differ. gives both */
void admin_audit_settings(const struct queue_settings *before, const struct queue_settings *after,
						  char **ret_before, char **ret_after);

/* GET /admin/v1/audit */
void admin_audit_serve(void *ctx, struct http_request *request, const struct route_match *match);

#endif
