/* Broker URL: looked at before anything connects, so that a typing error ends the start with a
 * sentence instead of a relay that retries for ever.
 */
#include "broker.h"

#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <stdlib.h>
#include <string.h>

/* One server of the list; what stands before '@' is not shown: it may be a password. */
static enum wr_err check_server(const char *text, size_t len, struct err_detail *ret_detail)
{
	static const char scheme[] = "nats://";
	size_t scheme_len = sizeof(scheme) - 1;
	if (len < scheme_len || strncmp(text, scheme, scheme_len) != 0)
		return err_say(ret_detail, WR_BAD_CONFIG, "nats url: must begin with nats://");
	const char *host = text + scheme_len, *end = text + len;
	const char *at = memrchr(host, '@', (size_t)(end - host));
	if (at)
		host = at + 1;
	const char *colon = memrchr(host, ':', (size_t)(end - host));
	if (colon && memchr(colon, ']', (size_t)(end - colon)))
		colon = NULL; /* inside [::1] */
	uint64_t port;
	if (colon && (!text_to_u64(colon + 1, (size_t)(end - colon - 1), 65535, &port) || !port))
		return err_say(ret_detail, WR_BAD_CONFIG, "nats url: the port must be 1..65535");
	if (host == (colon ? colon : end))
		return err_say(ret_detail, WR_BAD_CONFIG, "nats url: names no host");
	return WR_OK;
}

enum wr_err broker_check_url(const char *url, struct err_detail *ret_detail)
{
	if (!url)
		url = "";
	for (int count = 1;; count++) {
		size_t len = strcspn(url, ",");
		enum wr_err err = check_server(url, len, ret_detail);
		if (err)
			return err;
		if (!url[len])
			return WR_OK;
		if (count == BROKER_SERVERS_MAX)
			return err_say(ret_detail, WR_BAD_CONFIG, "nats url: at most %d servers",
						   BROKER_SERVERS_MAX);
		url += len + 1;
	}
}

natsStatus broker_set_servers(natsOptions *options, const char *url)
{
	char *list = mem_copy_string(url), *rest = list, *server;
	const char *servers[BROKER_SERVERS_MAX];
	int count = 0;
	while ((server = strsep(&rest, ",")))
		servers[count++] = server;
	natsStatus status = natsOptions_SetServers(options, servers, count);
	free(list);
	return status;
}
