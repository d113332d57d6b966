/* The router: which route a method and a path lead to, and what it cuts out of the path. */
#include "waitingroom/router.h"
#include "support/cmocka.h"

#include <string.h>

static void serve(void *ctx, struct http_request *request, const struct route_match *match)
{
	(void)ctx, (void)request, (void)match;
}

static const struct route routes[] = {
	{HTTP_POST, "/enqueue", serve, ROUTE_LIMITED, true},
	{HTTP_GET, "/queues/{}/{}", serve, ROUTE_NOT_LIMITED, true},
	{HTTP_GET, "/admin/queues/{}", serve, ROUTE_NOT_LIMITED, false},
	{HTTP_PUT, "/admin/queues/{}", serve, ROUTE_NOT_LIMITED, false},
	{HTTP_DELETE, "/admin/queues/{}", serve, ROUTE_NOT_LIMITED, false},
	{HTTP_POST, "/admin/queues/{}/pause", serve, ROUTE_NOT_LIMITED, false},
	{ROUTE_ANY_METHOD, "/authz/envoy/{...}", serve, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/authz/envoy/named", serve, ROUTE_NOT_LIMITED, false},
	{HTTP_GET, "/", serve, ROUTE_NOT_LIMITED, false},
};
#define ROUTE_COUNT (sizeof(routes) / sizeof(routes[0]))

static int start(void **state)
{
	*state = router_new(routes, ROUTE_COUNT);
	return 0;
}

static int stop(void **state)
{
	router_free(*state);
	return 0;
}

static struct router_find find(void **state, enum http_method method, const char *path)
{
	struct router_find found;
	router_find(*state, method, path, &found);
	return found;
}

static void expect_segment(const struct router_find *found, int i, const char *text)
{
	assert_true(i < found->match.count);
	assert_int_equal(found->match.len[i], strlen(text));
	assert_memory_equal(found->match.segment[i], text, strlen(text));
}

static void every_route_is_found_by_its_own_path(void **state)
{
	static const char *const paths[ROUTE_COUNT] = {
		"/enqueue",			"/queues/a/b",		  "/admin/queues/a",
		"/admin/queues/a",	"/admin/queues/a",	  "/admin/queues/a/pause",
		"/authz/envoy/x/y", "/authz/envoy/named", "/"};
	for (size_t i = 0; i < ROUTE_COUNT; i++) {
		enum http_method method =
			routes[i].method == ROUTE_ANY_METHOD ? HTTP_PATCH : routes[i].method;
		struct router_find found = find(state, method, paths[i]);
		assert_ptr_equal(found.route, &routes[i]);
	}
}

static void segments_are_cut_out_of_the_path(void **state)
{
	struct router_find found = find(state, HTTP_GET, "/queues/shop/spring-sale");
	assert_int_equal(found.match.count, 2);
	expect_segment(&found, 0, "shop");
	expect_segment(&found, 1, "spring-sale");
	found = find(state, HTTP_POST, "/admin/queues/demo/pause");
	assert_int_equal(found.match.count, 1);
	expect_segment(&found, 0, "demo");
}

static void the_rest_of_a_path_keeps_its_slash(void **state)
{
	struct router_find found = find(state, HTTP_POST, "/authz/envoy/shop/cart");
	expect_segment(&found, 0, "/shop/cart");
	found = find(state, HTTP_POST, "/authz/envoy/");
	expect_segment(&found, 0, "/");
	found = find(state, HTTP_POST, "/authz/envoy");
	expect_segment(&found, 0, "");
	assert_null(find(state, HTTP_POST, "/authz/envoys").route);
}

static void other_paths_are_not_found(void **state)
{
	static const char *const paths[] = {"/enqueu",
										"/enqueuee",
										"/enqueue/",
										"/Enqueue",
										"//enqueue",
										"/%65nqueue",
										"/queues",
										"/queues/a",
										"/queues/a/",
										"/queues//b",
										"/queues/a/b/",
										"/queues/a/b/c",
										"/admin/queues/",
										"/admin/queues/a/paus",
										"",
										"x"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct router_find found = find(state, HTTP_GET, paths[i]);
		if (found.route || found.methods)
			fail_msg("%s was found", paths[i]);
	}
}

static void another_method_learns_which_ones_there_are(void **state)
{
	struct router_find found = find(state, HTTP_POST, "/admin/queues/a");
	assert_null(found.route);
	assert_int_equal(found.methods,
					 1u << HTTP_GET | 1u << HTTP_HEAD | 1u << HTTP_PUT | 1u << HTTP_DELETE);
	assert_false(found.cross_origin);
	found = find(state, HTTP_OPTIONS, "/enqueue");
	assert_null(found.route);
	assert_int_equal(found.methods, 1u << HTTP_POST);
	assert_true(found.cross_origin);
}

static void head_goes_where_get_goes(void **state)
{
	assert_ptr_equal(find(state, HTTP_HEAD, "/").route, find(state, HTTP_GET, "/").route);
}

static void a_route_that_names_the_method_is_preferred(void **state)
{
	assert_ptr_equal(find(state, HTTP_GET, "/authz/envoy/named").route, &routes[7]);
	assert_ptr_equal(find(state, HTTP_POST, "/authz/envoy/named").route, &routes[6]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_route_is_found_by_its_own_path),		  TEST(segments_are_cut_out_of_the_path),
		TEST(the_rest_of_a_path_keeps_its_slash),		  TEST(other_paths_are_not_found),
		TEST(another_method_learns_which_ones_there_are), TEST(head_goes_where_get_goes),
		TEST(a_route_that_names_the_method_is_preferred),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
