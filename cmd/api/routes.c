/* The public routes. */
#include "endpoints.h"

const struct route public_routes[] = {
	{HTTP_POST, "/heartbeat", heartbeat_serve, ROUTE_NOT_LIMITED, true},
	{HTTP_GET, "/authz/nginx", authz_nginx_serve, ROUTE_NOT_LIMITED, true},
	{HTTP_GET, "/authz/forward", authz_forward_serve, ROUTE_NOT_LIMITED, true},
	{ROUTE_ANY_METHOD, "/authz/envoy/{...}", authz_envoy_serve, ROUTE_NOT_LIMITED, true},
	{HTTP_GET, "/challenge", challenge_serve, ROUTE_LIMITED, true},
	{HTTP_POST, "/enqueue", enqueue_serve, ROUTE_LIMITED, true},
	{HTTP_GET, "/status", status_serve, ROUTE_LIMITED, true},
	{HTTP_POST, "/leave", leave_serve, ROUTE_LIMITED, true},
	{HTTP_GET, "/queues/{}/{}", queue_info_serve, ROUTE_NOT_LIMITED, true},
	{HTTP_POST, "/session/release", session_release_serve, ROUTE_LIMITED, true},
	{HTTP_GET, "/q/{}/{}", page_serve, ROUTE_NOT_LIMITED, false},
	{HTTP_POST, "/q/{}/{}", noscript_post_serve, ROUTE_LIMITED, false},
	{HTTP_GET, "/room-worker.js", page_worker_serve, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/.well-known/jwks.json", jwks_serve, ROUTE_NOT_LIMITED, true},
	{HTTP_GET, "/openapi.yaml", contract_serve, ROUTE_NOT_LIMITED, true},
};
const size_t public_route_count = sizeof(public_routes) / sizeof(public_routes[0]);
