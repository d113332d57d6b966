/* Endpoints: the functions behind the public routes, one file each. ctx is the worker. */
#ifndef WAITINGROOM_API_ENDPOINTS_H
#define WAITINGROOM_API_ENDPOINTS_H

#include "gather.h"

void challenge_serve(void *ctx, struct http_request *request, const struct route_match *match);
void enqueue_serve(void *ctx, struct http_request *request, const struct route_match *match);
void heartbeat_serve(void *ctx, struct http_request *request, const struct route_match *match);
void status_serve(void *ctx, struct http_request *request, const struct route_match *match);
void leave_serve(void *ctx, struct http_request *request, const struct route_match *match);
void queue_info_serve(void *ctx, struct http_request *request, const struct route_match *match);
/* Refuses a join with the operator's message beside it; snapshot NULL: with the refusal alone. */
void queue_info_refuse(struct worker *worker, struct http_request *request, enum wr_err err,
					   const struct queue_snapshot *snapshot);
void session_release_serve(void *ctx, struct http_request *request,
						   const struct route_match *match);
void page_serve(void *ctx, struct http_request *request, const struct route_match *match);
void page_worker_serve(void *ctx, struct http_request *request, const struct route_match *match);
void noscript_post_serve(void *ctx, struct http_request *request, const struct route_match *match);
void authz_nginx_serve(void *ctx, struct http_request *request, const struct route_match *match);
void authz_forward_serve(void *ctx, struct http_request *request, const struct route_match *match);
void authz_envoy_serve(void *ctx, struct http_request *request, const struct route_match *match);
void jwks_serve(void *ctx, struct http_request *request, const struct route_match *match);
void contract_serve(void *ctx, struct http_request *request, const struct route_match *match);

/* Answers to what gather sent; err: the whole call failed, 'person' is NULL. */
void enqueue_answer(struct worker *worker, struct http_request *request, enum wr_err err,
					const char *epoch, int64_t now_ms, const struct joined *person);
void leave_answer(struct worker *worker, struct http_request *request, enum wr_err err,
				  const struct released *person);
void session_release_answer(struct worker *worker, struct http_request *request, enum wr_err err,
							const struct released *person);

void authz_redeemed(struct worker *worker, struct http_request *request, enum wr_err err,
					const struct redeemed *person);

extern const struct route public_routes[];
extern const size_t public_route_count;

#endif
