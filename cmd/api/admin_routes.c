/* Admin routes: the table. admin_auth.c stands before every row. */
#include "admin_routes.h"

#include <string.h>

#include "admin_audit.h"
#include "internal.h"

#define QUEUE ADMIN_QUEUE_PATTERN
#define TENANT ADMIN_TENANT_PATTERN

const struct admin_route admin_routes[] = {
	{HTTP_GET, "/admin/v1/whoami", ADMIN_VIEWER, SCOPE_LISTING, NULL, admin_whoami_serve},
	{HTTP_GET, "/admin/v1/log-level", ADMIN_VIEWER, SCOPE_ALL, NULL, admin_log_level_get_serve},
	{HTTP_PUT, "/admin/v1/log-level", ADMIN_ADMIN, SCOPE_ALL, "log.level",
	 admin_log_level_put_serve},
	{HTTP_GET, "/admin/v1/pods", ADMIN_VIEWER, SCOPE_ALL, NULL, admin_pods_serve},
	{HTTP_GET, "/admin/v1/health", ADMIN_VIEWER, SCOPE_ALL, NULL, admin_health_serve},
	{HTTP_GET, "/admin/v1/tenants", ADMIN_VIEWER, SCOPE_LISTING, NULL, admin_tenants_serve},
	{HTTP_GET, TENANT, ADMIN_VIEWER, SCOPE_TENANT, NULL, admin_tenant_get_serve},
	{HTTP_PUT, TENANT, ADMIN_ADMIN, SCOPE_ALL, "tenant.put", admin_tenant_put_serve},
	{HTTP_DELETE, TENANT, ADMIN_ADMIN, SCOPE_ALL, "tenant.delete", admin_tenant_delete_serve},
	{HTTP_GET, "/admin/v1/keys", ADMIN_ADMIN, SCOPE_LISTING, NULL, admin_keys_serve},
	{HTTP_POST, "/admin/v1/keys", ADMIN_ADMIN, SCOPE_LISTING, "key.make", admin_key_make_serve},
	{HTTP_DELETE, "/admin/v1/keys/{}", ADMIN_ADMIN, SCOPE_LISTING, "key.delete",
	 admin_key_delete_serve},
	{HTTP_GET, "/admin/v1/audit", ADMIN_VIEWER, SCOPE_LISTING, NULL, admin_audit_serve},
	{HTTP_GET, "/admin/v1/queues", ADMIN_VIEWER, SCOPE_LISTING, NULL, admin_list_serve},
	{HTTP_GET, QUEUE, ADMIN_VIEWER, SCOPE_QUEUE, NULL, admin_get_serve},
	{HTTP_PUT, QUEUE, ADMIN_ADMIN, SCOPE_QUEUE, "queue.put", admin_put_serve},
	{HTTP_PATCH, QUEUE, ADMIN_OPERATOR, SCOPE_QUEUE, "queue.patch", admin_patch_serve},
	{HTTP_DELETE, QUEUE, ADMIN_ADMIN, SCOPE_QUEUE, "queue.delete", admin_delete_serve},
	{HTTP_POST, QUEUE "/pause", ADMIN_OPERATOR, SCOPE_QUEUE, "queue.pause", admin_pause_serve},
	{HTTP_POST, QUEUE "/resume", ADMIN_OPERATOR, SCOPE_QUEUE, "queue.resume", admin_resume_serve},
	{HTTP_POST, QUEUE "/open", ADMIN_OPERATOR, SCOPE_QUEUE, "queue.open", admin_open_serve},
	{HTTP_POST, QUEUE "/hold", ADMIN_OPERATOR, SCOPE_QUEUE, "queue.hold", admin_hold_serve},
	{HTTP_POST, QUEUE "/close", ADMIN_OPERATOR, SCOPE_QUEUE, "queue.close", admin_close_serve},
	{HTTP_POST, QUEUE "/drain", ADMIN_OPERATOR, SCOPE_QUEUE, "queue.drain", admin_drain_serve},
	{HTTP_POST, QUEUE "/empty", ADMIN_ADMIN, SCOPE_QUEUE, "queue.empty", admin_empty_serve},
	{HTTP_GET, QUEUE "/stats", ADMIN_VIEWER, SCOPE_QUEUE, NULL, admin_stats_serve},
	{HTTP_POST, QUEUE "/admit", ADMIN_OPERATOR, SCOPE_QUEUE, "queue.admit", admin_admit_serve},
	{HTTP_GET, QUEUE "/places", ADMIN_VIEWER, SCOPE_QUEUE, NULL, admin_places_serve},
	{HTTP_POST, QUEUE "/restore", ADMIN_OPERATOR, SCOPE_QUEUE, "place.restore",
	 admin_restore_serve},
	{HTTP_POST, QUEUE "/revoke", ADMIN_OPERATOR, SCOPE_QUEUE, "place.revoke", admin_revoke_serve},
	{HTTP_POST, QUEUE "/preview", ADMIN_VIEWER, SCOPE_QUEUE, NULL, admin_preview_serve},
};
const size_t admin_route_count = sizeof(admin_routes) / sizeof(admin_routes[0]);

static const char *const role_words[] = {
#define ADMIN_ROLE_WORD(id, word) [id] = word,
	ADMIN_ROLE_TABLE(ADMIN_ROLE_WORD)
#undef ADMIN_ROLE_WORD
};

const char *admin_role_word(enum admin_role role)
{
	return role_words[role];
}

bool admin_role_parse(const char *word, enum admin_role *ret_role)
{
	for (size_t i = 0; i < ADMIN_ROLE_COUNT; i++) {
		if (strcmp(role_words[i], word) == 0) {
			*ret_role = (enum admin_role)i;
			return true;
		}
	}
	return false;
}
