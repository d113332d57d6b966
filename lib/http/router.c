/* Router: from a method and a path to the function that serves them.
 *
 * The table is small and read in order. Most patterns have no variable segment, and those are
 * compared as a whole, length first, so that a look-up is a few comparisons of numbers and one of
 * bytes. Paths are compared raw: a percent-encoded letter is another path, and "%2e%2e" or a
 * doubled slash never means anything.
 */
#include "chain.h"

#include "waitingroom/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct compiled_route {
	const struct route *route;
	size_t literal_len; /* of the pattern when it has no variable segment, otherwise 0 */
};

struct router {
	size_t count;
	struct compiled_route routes[];
};

struct router *router_new(const struct route *routes, size_t count)
{
	struct router *router = mem_alloc_zero(1, sizeof(*router) + count * sizeof(router->routes[0]));
	router->count = count;
	for (size_t i = 0; i < count; i++) {
		assert(routes[i].pattern[0] == '/' && routes[i].serve);
		router->routes[i].route = &routes[i];
		if (!strchr(routes[i].pattern, '{'))
			router->routes[i].literal_len = strlen(routes[i].pattern);
	}
	return router;
}

void router_free(struct router *router)
{
	free(router);
}

static void capture(struct route_match *match, const char *segment, size_t len)
{
	assert(match->count < ROUTE_SEGMENTS_MAX);
	match->segment[match->count] = segment;
	match->len[match->count++] = len;
}

static bool pattern_fits(const char *pattern, const char *path, struct route_match *ret_match)
{
	ret_match->count = 0;
	while (*pattern) {
		if (!strcmp(pattern, "/{...}") && (*path == '/' || !*path)) {
			capture(ret_match, path, strlen(path));
			return true;
		}
		if (!strncmp(pattern, "{}", 2)) {
			size_t len = strcspn(path, "/");
			if (!len)
				return false;
			capture(ret_match, path, len);
			path += len;
			pattern += 2;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return !*path;
}

static bool route_fits(const struct compiled_route *compiled, const char *path, size_t path_len,
					   struct route_match *ret_match)
{
	if (!compiled->literal_len)
		return pattern_fits(compiled->route->pattern, path, ret_match);
	ret_match->count = 0;
	return compiled->literal_len == path_len && !memcmp(compiled->route->pattern, path, path_len);
}

static bool names_method(const struct route *route, enum http_method method)
{
	return route->method == method || (route->method == HTTP_GET && method == HTTP_HEAD);
}

static unsigned methods_of(const struct route *route)
{
	if (route->method == ROUTE_ANY_METHOD)
		return (1u << HTTP_METHOD_COUNT) - 1;
	return 1u << route->method | (route->method == HTTP_GET ? 1u << HTTP_HEAD : 0);
}

void router_find(const struct router *router, enum http_method method, const char *path,
				 struct router_find *ret_find)
{
	size_t path_len = strlen(path);
	struct route_match match;
	*ret_find = (struct router_find){.route = NULL};
	for (size_t i = 0; i < router->count; i++) {
		const struct route *route = router->routes[i].route;
		if (!route_fits(&router->routes[i], path, path_len, &match))
			continue;
		ret_find->methods |= methods_of(route);
		ret_find->cross_origin |= route->cross_origin;
		bool is_named = names_method(route, method);
		if (is_named || (route->method == ROUTE_ANY_METHOD && !ret_find->route)) {
			ret_find->route = route;
			ret_find->match = match;
			ret_find->match.route = route;
		}
		if (is_named)
			return;
	}
}

void methods_print(unsigned methods, char ret_text[METHODS_TEXT_BYTES])
{
	char *at = ret_text;
	methods |= 1u << HTTP_OPTIONS;
	for (int i = 0; i < HTTP_METHOD_COUNT; i++) {
		if (methods & 1u << i) {
			at = stpcpy(at, at == ret_text ? "" : ", ");
			at = stpcpy(at, http_method_word((enum http_method)i));
		}
	}
}
