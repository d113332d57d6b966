/* http_floor: the least that an answer over libmicrohttpd can cost on this machine.
 *
 *     http_floor [--prebuilt] 127.0.0.1:0 body.json 'Content-Type: application/json' …
 *
 * It answers every request with the bytes of the file and the given headers, from one thread that
 * drives the daemon through its epoll descriptor, as lib/http does, with the same memory pool and
 * time-out per connection, and does nothing else: no guard, no routes, no ids. The benchmark runs
 * it beside the real server and divides; only that ratio means something, the machine cancels out.
 *
 * By default a response object is made for every request, as any answer that differs from request
 * to request needs. With --prebuilt one object serves all: the floor for constant answers.
 * Prints "ready <address>" on standard output when it listens. Ends with its parent.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX_BYTES 65536
#define HEADERS_MAX 16

static char body[BODY_MAX_BYTES];
static size_t body_bytes;
static struct {
	char *name, *value;
} headers[HEADERS_MAX];
static int header_count;
static struct MHD_Response *prebuilt;

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static struct MHD_Response *make_response(void)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(body_bytes, body, MHD_RESPMEM_PERSISTENT);
	for (int i = 0; i < header_count; i++)
		MHD_add_response_header(response, headers[i].name, headers[i].value);
	return response;
}

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url,
							  const char *method, const char *version, const char *upload,
							  size_t *upload_bytes, void **request)
{
	(void)cls, (void)url, (void)method, (void)version, (void)upload;
	if (!*request) { /* a reply on the first call would close the connection */
		*request = body;
		return MHD_YES;
	}
	if (*upload_bytes) {
		*upload_bytes = 0;
		return MHD_YES;
	}
	if (prebuilt)
		return MHD_queue_response(connection, MHD_HTTP_OK, prebuilt);
	struct MHD_Response *response = make_response();
	enum MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return queued;
}

static int listen_on(char *address)
{
	char *colon = strrchr(address, ':');
	struct sockaddr_in at = {.sin_family = AF_INET};
	if (colon) {
		*colon = '\0';
		at.sin_port = htons((uint16_t)atoi(colon + 1));
	}
	if (!colon || inet_pton(AF_INET, address, &at.sin_addr) != 1) {
		fputs("http_floor: the address must be like 127.0.0.1:0\n", stderr);
		exit(2);
	}
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(at);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) ||
		bind(fd, (struct sockaddr *)&at, len) || listen(fd, 4096) ||
		getsockname(fd, (struct sockaddr *)&at, &len))
		fail("listen");
	printf("ready %s:%d\n", address, ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}

static void read_body(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		fail(path);
	body_bytes = fread(body, 1, sizeof(body), file);
	fclose(file);
}

static void read_header(char *text)
{
	char *colon = strchr(text, ':');
	if (!colon || header_count == HEADERS_MAX) {
		fputs("http_floor: headers look like 'Name: value', at most 16\n", stderr);
		exit(2);
	}
	*colon = '\0';
	headers[header_count].name = text;
	headers[header_count++].value = colon + 1 + strspn(colon + 1, " ");
}

static _Noreturn void serve(struct MHD_Daemon *daemon)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd epoll = {.fd = info->epoll_fd, .events = POLLIN};
	for (;;) {
		MHD_UNSIGNED_LONG_LONG wait_ms = 1000;
		if (MHD_get_timeout(daemon, &wait_ms) != MHD_YES || wait_ms > 1000)
			wait_ms = 1000;
		if (wait_ms)
			poll(&epoll, 1, (int)wait_ms);
		MHD_run(daemon);
	}
}

int main(int argc, char **argv)
{
	bool keep_one = argc > 1 && !strcmp(argv[1], "--prebuilt");
	char **args = argv + 1 + keep_one;
	if (argc - keep_one < 3) {
		fputs("http_floor [--prebuilt] <address:port> <file with body> ['Name: value']...\n",
			  stderr);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	read_body(args[1]);
	for (char **arg = args + 2; *arg; arg++)
		read_header(*arg);
	if (keep_one)
		prebuilt = make_response();
	struct MHD_Daemon *daemon =
		MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, NULL, MHD_OPTION_LISTEN_SOCKET,
						 listen_on(args[0]), MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)7168,
						 MHD_OPTION_CONNECTION_TIMEOUT, 30u, MHD_OPTION_END);
	if (!daemon)
		fail("MHD_start_daemon");
	serve(daemon);
}
