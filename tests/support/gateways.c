/* Gateways: copies of the files in deploy/ with this test's addresses, and a process each.
 *
 * The copy is made in one pass over the text, so that an address that was put in is never taken for
 * one that is to be replaced.
 */
#include "support/gateways.h"

#include "support/cmocka.h"
#include "support/http.h"
#include "support/process.h"
#include "support/servers.h"
#include "support/temp.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_DEADLINE_MS 10000
#define STOP_DEADLINE_MS 10000
#define CHANGES_MAX 8

struct change {
	const char *from;
	char to[256];
	bool made;
};

struct gateway {
	enum gateway_kind kind;
	int number, port;
	bool fail_open;
	char url[40], directory[512];
	struct change changes[CHANGES_MAX];
	int change_count;
	struct process *process;
};

/* ---- files ---- */

static void add_change(struct gateway *gateway, const char *from, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void add_change(struct gateway *gateway, const char *from, const char *format, ...)
{
	assert_in_range(gateway->change_count, 0, CHANGES_MAX - 1);
	struct change *change = &gateway->changes[gateway->change_count++];
	change->from = from;
	va_list args;
	va_start(args, format);
	vsnprintf(change->to, sizeof(change->to), format, args);
	va_end(args);
}

static struct change *change_at(struct gateway *gateway, const char *text)
{
	for (int i = 0; i < gateway->change_count; i++) {
		if (strncmp(text, gateway->changes[i].from, strlen(gateway->changes[i].from)) == 0)
			return &gateway->changes[i];
	}
	return NULL;
}

static void install(struct gateway *gateway, const char *source)
{
	WR_AUTO(mem_free_at) char *text = temp_read(source, NULL);
	if (!text)
		fail_msg("cannot read %s: tests run in the project's directory", source);
	WR_AUTO(mem_free_at) char *path = NULL;
	if (asprintf(&path, "%s/%s", gateway->directory, strrchr(source, '/') + 1) < 0)
		abort();
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	for (const char *at = text; *at;) {
		struct change *change = change_at(gateway, at);
		if (change) {
			fputs(change->to, file);
			at += strlen(change->from);
			change->made = true;
		} else {
			fputc(*at++, file);
		}
	}
	assert_int_equal(fclose(file), 0);
}

static void check_changes(const struct gateway *gateway)
{
	for (int i = 0; i < gateway->change_count; i++) {
		if (!gateway->changes[i].made)
			fail_msg("\"%s\" is not in the gateway's files", gateway->changes[i].from);
	}
}

/* ---- one kind each: what is changed, which files, how it is started ---- */

static void start_process(struct gateway *gateway, const char *const argv[],
						  const char *const env[])
{
	char name[48];
	snprintf(name, sizeof(name), "%s%d", argv[0], gateway->number);
	gateway->process = process_start(name, argv, env);
}

static void start_nginx(struct gateway *gateway)
{
	char *shop = realpath("deploy/shop", NULL);
	add_change(gateway, "listen 8080;", "listen 127.0.0.1:%d;", gateway->port);
	add_change(gateway, "root /usr/share/waitingroom/shop;", "root %s;", shop);
	add_change(gateway, "listen 127.0.0.1:8085;", "listen 127.0.0.1:%d;", free_port());
	free(shop);
	if (gateway->fail_open)
		add_change(gateway, "include gate-down-closed.conf; #", "include gate-down-open.conf; #");
	install(gateway, "deploy/nginx/nginx.conf");
	install(gateway, "deploy/nginx/shop.conf");
	install(gateway, "deploy/nginx/waitingroom.conf");
	install(gateway, "deploy/nginx/gate-down-closed.conf");
	install(gateway, "deploy/nginx/gate-down-open.conf");
	/* root's workers would belong to nobody, who cannot read here */
	const char *user = getuid() == 0 ? "user root;" : "";
	const char *const argv[] = {"nginx", "-e",		   "stderr", "-p", gateway->directory,
								"-c",	 "nginx.conf", "-g",	 user, NULL};
	start_process(gateway, argv, NULL);
}

static void start_caddy(struct gateway *gateway)
{
	add_change(gateway, "http://:8080 {", "http://127.0.0.1:%d {", gateway->port);
	if (gateway->fail_open)
		add_change(gateway, "import gate-down-closed #", "import gate-down-open #");
	install(gateway, "deploy/caddy/Caddyfile");
	char config[600], home[600], data[600];
	snprintf(config, sizeof(config), "%s/Caddyfile", gateway->directory);
	snprintf(home, sizeof(home), "HOME=%s", gateway->directory);
	snprintf(data, sizeof(data), "XDG_DATA_HOME=%s", gateway->directory);
	const char *const argv[] = {"caddy", "run", "--config", config, "--adapter", "caddyfile", NULL};
	start_process(gateway, argv, (const char *const[]){home, data, NULL});
}

/* session-key.pem, by the script that the guide names */
static void make_session_key(const struct gateway *gateway, const char *keys)
{
	WR_AUTO(mem_free_at) char *jwks = temp_file("jwks.json", keys);
	WR_AUTO(mem_free_at) char *command = NULL;
	if (asprintf(&command, "deploy/haproxy/jwks-to-pem file://%s >%s/session-key.pem", jwks,
				 gateway->directory) < 0)
		abort();
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void start_haproxy(struct gateway *gateway, const char *file)
{
	add_change(gateway, "bind :8080", "bind 127.0.0.1:%d", gateway->port);
	if (gateway->kind == GATEWAY_HAPROXY)
		add_change(gateway, "127.0.0.1:8087", "127.0.0.1:%d", free_port());
	if (gateway->fail_open)
		add_change(gateway, "presetenv WR_GATE_DOWN closed", "presetenv WR_GATE_DOWN open");
	char source[64], config[600];
	snprintf(source, sizeof(source), "deploy/haproxy/%s", file);
	snprintf(config, sizeof(config), "%s/%s", gateway->directory, file);
	install(gateway, source);
	install(gateway, "deploy/haproxy/waitingroom.lua");
	install(gateway, "deploy/haproxy/one-moment.html");
	start_process(gateway, (const char *const[]){"haproxy", "-f", config, NULL}, NULL);
}

/* ---- starting and ending ---- */

static bool listens(const struct gateway *gateway)
{
	struct http_client *client = http_client_try_open(gateway->url);
	http_client_close(client);
	return client != NULL;
}

struct gateway *gateway_start(enum gateway_kind kind, const struct gateway_options *options)
{
	static int gateways;
	struct gateway *gateway = mem_alloc_zero(1, sizeof(*gateway));
	gateway->kind = kind;
	gateway->number = ++gateways;
	gateway->port = options->port ? options->port : free_port();
	gateway->fail_open = options->fail_open;
	snprintf(gateway->url, sizeof(gateway->url), "http://127.0.0.1:%d", gateway->port);
	WR_AUTO(mem_free_at) char *directory = temp_path("gateway%d", gateway->number);
	snprintf(gateway->directory, sizeof(gateway->directory), "%s", directory);
	if (mkdir(gateway->directory, 0700))
		fail_msg("cannot make %s", gateway->directory);
	add_change(gateway, "127.0.0.1:8081", "%s", options->pods[0]);
	add_change(gateway, "127.0.0.1:8082", "%s", options->pods[1]);
	add_change(gateway, "127.0.0.1:8085", "%s", options->site);
	switch (kind) {
	case GATEWAY_NGINX:
		start_nginx(gateway);
		break;
	case GATEWAY_CADDY:
		start_caddy(gateway);
		break;
	case GATEWAY_HAPROXY:
		make_session_key(gateway, options->keys);
		start_haproxy(gateway, "haproxy.cfg");
		break;
	case GATEWAY_HAPROXY_OFFLINE:
		make_session_key(gateway, options->keys);
		start_haproxy(gateway, "haproxy-offline.cfg");
		break;
	}
	check_changes(gateway);
	WAIT_UNTIL(START_DEADLINE_MS, listens(gateway), "the gateway listens");
	return gateway;
}

void gateway_free(struct gateway *gateway)
{
	if (!gateway)
		return;
	if (process_is_running(gateway->process)) {
		process_signal(gateway->process, SIGTERM);
		int code = process_wait(gateway->process, STOP_DEADLINE_MS);
		if (code != 0 && code != 128 + SIGTERM) /* HAProxy says the latter */
			fail_msg("the gateway ended with %d", code);
	}
	process_free(gateway->process);
	free(gateway);
}

const char *gateway_url(const struct gateway *gateway)
{
	return gateway->url;
}

int gateway_port(const struct gateway *gateway)
{
	return gateway->port;
}
