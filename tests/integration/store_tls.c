/* TLS to the store: whoever cannot prove to be the host in the URL is not talked to. Where this
 * build has no TLS, the URL is refused with a sentence; then that is all that can be shown.
 */
#include "support/cmocka.h"
#include "support/process.h"
#include "support/servers.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/store_items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world {
	bool has_tls;
	char *folder; /* of certificates */
	struct redis_server *redis;
	int port;
	struct loop *loop;
	struct store_address *address;
	struct store *store;
};

static void run(const char *const argv[])
{
	struct process *process = process_start("openssl", argv, NULL);
	assert_int_equal(process_wait(process, 10000), 0);
	process_free(process);
}

/* <name>.pem and <name>.key, self-signed for what 'names' says. */
static void make_certificate(const char *folder, const char *name, const char *names)
{
	char cert[300], key[300], subject[100];
	print_into(cert, "%s/%s.pem", folder, name);
	print_into(key, "%s/%s.key", folder, name);
	print_into(subject, "subjectAltName=%s", names);
	run((const char *[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
						 "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=x",
						 "-addext", subject, "-keyout", key, "-out", cert, NULL});
}

static bool build_has_tls(void)
{
	struct err_detail detail = {{0}};
	struct store_address *address = NULL;
	enum wr_err err = store_address_parse("rediss://127.0.0.1:1", &address, &detail);
	if (err)
		assert_non_null(strstr(detail.text, "not built in"));
	store_address_free(address);
	return err == WR_OK;
}

/* server: which certificate it shows; it asks for one of ours when 'asks'. */
static void start_server(struct world *world, const char *server, bool asks)
{
	static char port[8], cert[300], key[300], ca[300];
	world->port = free_port();
	print_into(port, "%d", world->port);
	print_into(cert, "%s/%s.pem", world->folder, server);
	print_into(key, "%s/%s.key", world->folder, server);
	print_into(ca, "%s/client.pem", world->folder);
	static const char *extra[16];
	const char *arguments[] = {"--tls-port",
							   port,
							   "--tls-cert-file",
							   cert,
							   "--tls-key-file",
							   key,
							   "--tls-ca-cert-file",
							   ca,
							   "--tls-auth-clients",
							   asks ? "yes" : "no",
							   NULL};
	memcpy(extra, arguments, sizeof(arguments));
	world->redis = redis_start(&(struct redis_options){.extra = extra});
}

static enum wr_err open_store(struct world *world, const char *host, const char *query,
							  struct err_detail *ret_detail)
{
	char url[1200];
	print_into(url, "rediss://%s:%d/%s", host, world->port, query);
	enum wr_err err = store_address_parse(url, &world->address, ret_detail);
	if (err)
		return err;
	struct store_options options;
	store_options_default(&options);
	world->loop = loop_new();
	world->store = store_new(world->loop, world->address, &options);
	return WR_OK;
}

static void close_store(struct world *world)
{
	if (world->store)
		store_free(world->store);
	if (world->loop)
		loop_free(world->loop);
	store_address_free(world->address);
	world->store = NULL;
	world->loop = NULL;
	world->address = NULL;
}

static int set_up(void **state)
{
	struct world *world = mem_alloc_zero(1, sizeof(*world));
	world->has_tls = build_has_tls();
	world->folder = mem_copy_string(temp_dir());
	*state = world;
	if (!world->has_tls)
		return 0;
	make_certificate(world->folder, "server", "IP:127.0.0.1,DNS:localhost");
	make_certificate(world->folder, "other", "IP:127.0.0.9,DNS:elsewhere.example");
	make_certificate(world->folder, "client", "DNS:client.example");
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	free(world->folder);
	free(world);
	return 0;
}

static void is_talked_to(struct world *world, const char *host, const char *query)
{
	struct err_detail detail = {{0}};
	assert_int_equal(open_store(world, host, query, &detail), WR_OK);
	assert_true(store_wait_ready(world->store, 10000));
	struct store_items items = {0};
	WR_AUTO(mem_free_at) char *large = mem_alloc_zero(1, 3000000);
	memset(large, 'x', 3000000);
	const struct store_text set[] = {STORE_TEXT("SET"), STORE_TEXT("k"), {large, 3000000}};
	assert_int_equal(store_command(world->store, set, 3, &items, &detail), WR_OK);
	store_items_clear(&items);
	const struct store_text get[] = {STORE_TEXT("GET"), STORE_TEXT("k")};
	assert_int_equal(store_command(world->store, get, 2, &items, &detail), WR_OK);
	assert_int_equal(items.list[0].text.len, 3000000);
	assert_memory_equal(items.list[0].text.bytes, large, 3000000);
	store_items_clear(&items);
	assert_int_equal(store_probe(world->store, &detail), WR_OK);
}

static void is_refused(struct world *world, const char *host, const char *query)
{
	struct err_detail detail = {{0}};
	assert_int_equal(open_store(world, host, query, &detail), WR_OK);
	assert_false(store_wait_ready(world->store, 700));
	struct store_counts counts;
	store_counts(world->store, &counts);
	assert_true(counts.refusals > 1); /* it tries again and is not let in by that */
	close_store(world);
}

static char *query_of(struct world *world, const char *format)
{
	char query[1000];
	char *with = mem_copy_string(format), *at = with;
	size_t len = 0;
	for (char *part; (part = strsep(&at, "@"));) /* '@' stands for the folder */
		len += (size_t)snprintf(query + len, sizeof(query) - len, "%s%s", part,
								at ? world->folder : "");
	free(with);
	return mem_copy_string(query);
}

#define NEEDS_TLS(world)                                                                           \
	if (!(world)->has_tls)                                                                         \
	skip()

static void the_host_of_the_url_is_talked_to_through_tls(void **state)
{
	struct world *world = *state;
	NEEDS_TLS(world);
	start_server(world, "server", false);
	WR_AUTO(mem_free_at) char *query = query_of(world, "?ca=@/server.pem");
	is_talked_to(world, "localhost", query);
	close_store(world);
	is_talked_to(world, "127.0.0.1", query);
	redis_restart(world->redis);
	WAIT_UNTIL(10000, store_wait_ready(world->store, 50), "it comes back");
	close_store(world);
	redis_free(world->redis);
}

static void a_server_with_a_strangers_certificate_is_not_talked_to(void **state)
{
	struct world *world = *state;
	NEEDS_TLS(world);
	start_server(world, "other", false);
	WR_AUTO(mem_free_at) char *trusted = query_of(world, "?ca=@/other.pem");
	WR_AUTO(mem_free_at) char *unknown = query_of(world, "?ca=@/server.pem");
	is_refused(world, "127.0.0.1", unknown); /* not by whom we trust */
	is_refused(world, "127.0.0.1", trusted); /* of somebody whom we trust, for another host */
	is_refused(world, "localhost", trusted);
	is_refused(world, "127.0.0.1", ""); /* not by the system's authorities */
	redis_free(world->redis);
}

static void a_server_that_asks_who_we_are_is_shown_our_certificate(void **state)
{
	struct world *world = *state;
	NEEDS_TLS(world);
	start_server(world, "server", true);
	WR_AUTO(mem_free_at) char *without = query_of(world, "?ca=@/server.pem");
	is_refused(world, "127.0.0.1", without);
	WR_AUTO(mem_free_at)
	char *with = query_of(world, "?ca=@/server.pem&cert=@/client.pem&key=@/client.key");
	is_talked_to(world, "127.0.0.1", with);
	close_store(world);
	redis_free(world->redis);
}

static void a_file_that_cannot_be_used_is_named_at_the_start(void **state)
{
	struct world *world = *state;
	NEEDS_TLS(world);
	static const struct {
		const char *query, *said;
	} cases[] = {
		{"?ca=@/none.pem", "none.pem"},
		{"?cert=@/client.pem", "come together"},
		{"?cert=@/client.pem&key=@/other.key", "other.key"},
		{"?ca=@/server.pem&ca=@/other.pem", "behind '?'"},
		{"?verify=no", "behind '?'"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_detail detail = {{0}};
		WR_AUTO(mem_free_at) char *query = query_of(world, cases[i].query);
		assert_int_equal(open_store(world, "127.0.0.1", query, &detail), WR_BAD_CONFIG);
		if (!strstr(detail.text, cases[i].said))
			fail_msg("%s: %s", cases[i].query, detail.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_host_of_the_url_is_talked_to_through_tls),
		cmocka_unit_test(a_server_with_a_strangers_certificate_is_not_talked_to),
		cmocka_unit_test(a_server_that_asks_who_we_are_is_shown_our_certificate),
		cmocka_unit_test(a_file_that_cannot_be_used_is_named_at_the_start),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
