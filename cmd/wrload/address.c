/* Address: a URL of the command line as a socket address.
 *
 * Only plain HTTP: the crowd measures our servers, and TLS ends at the gateway before them. Names
 * are resolved once, at the start; of several addresses the first is taken.
 */
#include "address.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static enum wr_err address_of_path(const char *path, struct address *ret_address,
								   struct err_detail *ret_detail)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(un.sun_path))
		return err_say(ret_detail, WR_BAD_CONFIG, "unix:%s: the path is too long", path);
	memcpy(un.sun_path, path, strlen(path));
	memcpy(&ret_address->sa, &un, sizeof(un));
	ret_address->len = sizeof(un);
	snprintf(ret_address->host, sizeof(ret_address->host), "localhost");
	return WR_OK;
}

/* "host:port" → host without brackets, port; the port is 80 when there is none. */
static void split_host(const char *text, char host[ADDRESS_HOST_BYTES], const char **ret_port)
{
	size_t len = strlen(text);
	const char *colon = strrchr(text, ':');
	const char *bracket = strrchr(text, ']');
	*ret_port = "80";
	if (colon && (!bracket || colon > bracket)) {
		*ret_port = colon + 1;
		len = (size_t)(colon - text);
	}
	if (text[0] == '[' && len >= 2 && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	memcpy(host, text, len);
	host[len] = '\0';
}

/* "/_wr/" → "/_wr"; what could end a request line is no path. */
static bool read_prefix(const char *path, char prefix[ADDRESS_PREFIX_BYTES])
{
	size_t len = strlen(path);
	if (len && path[len - 1] == '/')
		len--;
	if (len >= ADDRESS_PREFIX_BYTES || strcspn(path, " ?#\r\n") < len)
		return false;
	memcpy(prefix, path, len);
	prefix[len] = '\0';
	return true;
}

enum wr_err address_resolve(const char *url, struct address *ret_address,
							struct err_detail *ret_detail)
{
	static const char http[] = "http://";
	if (!strncmp(url, "unix:", 5))
		return address_of_path(url + 5, ret_address, ret_detail);
	if (strncmp(url, http, sizeof(http) - 1))
		return err_say(ret_detail, WR_BAD_CONFIG, "%.100s: must begin with http:// or unix:", url);
	const char *authority = url + sizeof(http) - 1;
	size_t len = strcspn(authority, "/");
	struct address address = {0};
	if (!len || len >= ADDRESS_HOST_BYTES || !read_prefix(authority + len, address.prefix))
		return err_say(ret_detail, WR_BAD_CONFIG, "%.100s: must be http://host:port or …/prefix",
					   url);
	memcpy(address.host, authority, len);
	char host[ADDRESS_HOST_BYTES];
	const char *port;
	split_host(address.host, host, &port);
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
	int failed = getaddrinfo(host, port, &hints, &found);
	if (failed)
		return err_say(ret_detail, WR_BAD_CONFIG, "%.100s: %s", url, gai_strerror(failed));
	memcpy(&address.sa, found->ai_addr, found->ai_addrlen);
	address.len = found->ai_addrlen;
	freeaddrinfo(found);
	*ret_address = address;
	return WR_OK;
}
