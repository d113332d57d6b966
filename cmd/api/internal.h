/* Internal port: metrics, health, debug, admin API; its own thread, loop and store connection. */
#ifndef WAITINGROOM_API_INTERNAL_H
#define WAITINGROOM_API_INTERNAL_H

#include <pthread.h>

#include "admin_auth.h"
#include "app.h"
#include "waitingroom/http.h"
#include "waitingroom/router.h"

struct internal {
	struct app *app;
	pthread_t thread;
	struct loop *loop;
	struct http_server *http;
	struct route *routes; /* the machine's and those of admin_routes */
	struct chain *chain;
	struct access_log *access_log; /* NULL: off */
	struct store *store;
	struct signer *signer;
	struct pod_report *report;
	struct seen_reply *unseen; /* answers that wait until the change is shown (admin_seen.c) */
	struct loop_timer *seen_timer;
	int64_t file_key_ms; /* when a key of WR_ADMIN_KEYS_FILE last changed something; 0: never */
	int reader;
	atomic_bool stop;
	bool was_ready; /* the store was there for everybody once */
	uint64_t jitter;
};

WR_MUST_USE enum wr_err internal_start(struct app *app, struct internal **ret_internal,
									   struct err_detail *ret_detail);
void internal_stop(struct internal *internal); /* waits for the thread and frees */
const char *internal_address(const struct internal *internal);

/* The row of admin_routes behind a row of the chain. */
const struct admin_route *internal_admin_route(const struct internal *internal,
											   const struct route *route);
/* With the keys in use now; for the handler that runs. */
struct signer *internal_signer(struct internal *internal);

/* exposition.c: the page of /metrics */
void exposition_serve(void *ctx, struct http_request *request, const struct route_match *match);

/* What an admin request keeps until it is answered. The first part is filled before the handler is
 * called (admin_routes.h); the rest is the handler's own. */
struct admin_notes {
	struct internal *internal;
	const struct admin_route *route;
	struct route_match match;
	struct admin_caller caller;
	struct queue_name name;
	const char *request_id;			  /* lent until the answer */
	char address[NETWORK_TEXT_BYTES]; /* of the caller, the network only */

	uint64_t wanted,
		done; /* admit: people; state: which; delete: steps done, wanted its tries; put: tries */
	bool claimed; /* put: the tenant has been asked for one more queue */
	void (*again)(struct http_request *request); /* put, state: somebody was faster */
	void *kept;				 /* whatever a handler keeps until its next step; it frees it */
	store_id position_id[1]; /* revoke, restore, places */
	bool gave_up;			 /* places: not all were looked at */
};
_Static_assert(sizeof(struct admin_notes) <= HTTP_NOTES_BYTES, "notes are too small");

/* admin_dry_run.c: a route that cannot say what it would do must not do it when it is asked that.
 * WR_INVALID with detail. */
WR_MUST_USE enum wr_err admin_check_dry_run(struct http_request *request,
											struct err_detail *ret_detail);

/* admin_seen.c: before the thread starts, and after its end, when nothing is asked of the store any
 * more */
void admin_seen_start(struct internal *internal);
void admin_seen_stop(struct internal *internal);

void admin_reply_json(struct http_request *request, int status, const struct json_out *out);
void admin_problem(struct internal *internal, struct http_request *request, enum wr_err err,
				   const struct err_detail *detail);

/* admin_log_level.c */
void admin_log_level_get_serve(void *ctx, struct http_request *request,
							   const struct route_match *match);
void admin_log_level_put_serve(void *ctx, struct http_request *request,
							   const struct route_match *match);
/* admin_support.c, admin_support_restore.c */
void admin_places_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_restore_serve(void *ctx, struct http_request *request, const struct route_match *match);
/* admin_pods.c, admin_health.c */
void admin_pods_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_health_serve(void *ctx, struct http_request *request, const struct route_match *match);
/* preview.c */
void admin_preview_serve(void *ctx, struct http_request *request, const struct route_match *match);
/* admin_tenants.c, admin_keys_serve.c */
void admin_tenants_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_tenant_get_serve(void *ctx, struct http_request *request,
							const struct route_match *match);
void admin_tenant_put_serve(void *ctx, struct http_request *request,
							const struct route_match *match);
void admin_tenant_delete_serve(void *ctx, struct http_request *request,
							   const struct route_match *match);
void admin_keys_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_key_make_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_key_delete_serve(void *ctx, struct http_request *request,
							const struct route_match *match);
/* admin.c, admin_change.c, admin_state.c, admin_empty.c, admin_delete.c, admin_stats.c; ctx is the
 * internal port */
void admin_list_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_get_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_put_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_patch_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_delete_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_pause_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_resume_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_open_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_hold_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_close_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_drain_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_admit_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_empty_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_stats_serve(void *ctx, struct http_request *request, const struct route_match *match);
void admin_revoke_serve(void *ctx, struct http_request *request, const struct route_match *match);

#endif
