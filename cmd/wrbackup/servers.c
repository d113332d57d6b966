/* Servers: the store and the broker, as the settings of all our programs name them. */
#include "backup.h"

#include <string.h>

#define READY_MS 5000

static enum wr_err open_store(struct servers *servers, struct err_detail *ret_detail)
{
	enum wr_err err = store_address_parse(servers->config.store_url, &servers->address, ret_detail);
	if (err)
		return config_blame(err, "WR_STORE_URL", ret_detail);
	struct store_options options;
	store_options_default(&options);
	options.timeout_ms = 30000; /* the keys of a backup may be large */
	servers->loop = loop_new();
	servers->store = store_new(servers->loop, servers->address, &options);
	if (!store_wait_ready(servers->store, READY_MS))
		return err_say(ret_detail, WR_STORE_AWAY, "WR_STORE_URL: the store cannot be reached");
	return WR_OK;
}

enum wr_err servers_open(const struct options *options, struct servers *ret_servers,
						 struct err_detail *ret_detail)
{
	*ret_servers = (struct servers){0};
	enum wr_err err = config_read(&ret_servers->config, ret_detail);
	if (!err && options->store)
		err = open_store(ret_servers, ret_detail);
	if (!err && options->events)
		err = config_blame(
			stream_copy_open(ret_servers->config.nats_url, &ret_servers->streams, ret_detail),
			"WR_NATS_URL", ret_detail);
	return err;
}

void servers_close(struct servers *servers)
{
	stream_copy_close(servers->streams);
	if (servers->store)
		store_free(servers->store);
	if (servers->loop)
		loop_free(servers->loop);
	store_address_free(servers->address);
}
