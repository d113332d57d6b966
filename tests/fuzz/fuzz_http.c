/* Fuzzes the HTTP server in-process: bytes into a unix socket, turns of the loop, bytes out.
 *
 * What must hold for any input:
 *
 *   - each answer can be parsed, and the server and its connections are as they were before;
 *   - no more requests are served than a strict parser finds in the input (below). Otherwise
 *     something was smuggled. Not asked of inputs with what the library hides from the guard: bare
 *     LF, NUL, folded lines and headers without a name, which the proxy in front must refuse;
 *   - what reaches a handler is what the guard promises.
 */
#include "waitingroom/http.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BODY_MAX 512
#define SERVED_MAX 1024
#define ANSWERS_BYTES (1 << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop *loop;
static struct http_server *server;
static struct http_request *parked;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static size_t served;
static bool served_is_head[SERVED_MAX];
static char answers[ANSWERS_BYTES + 1];
static size_t answers_len;

#define check(condition) check_at((condition), #condition, __LINE__)

static void check_at(bool holds, const char *condition, int line)
{
	if (holds)
		return;
	fprintf(stderr, "line %d: not true: %s\nanswers: %s\n", line, condition, answers);
	abort();
}

/* ---- the site ---- */

static void check_request(const struct http_request *request)
{
	size_t len;
	char value[64];
	const char *path = http_request_path(request), *cookie, *body;
	check(path[0] == '/' || !strcmp(path, "*"));
	for (const char *at = path; *at; at++)
		check(*at > ' ' && *at < 0x7f && *at != '?');
	check(!http_request_header(request, "transfer-encoding"));
	const char *length = http_request_header(request, "content-length");
	body = http_request_body(request, &len);
	check(len == (length ? strtoul(length, NULL, 10) : 0) && len <= BODY_MAX && !body[len]);
	if (http_request_query(request, "name", value, sizeof(value)))
		check(strlen(value) < sizeof(value));
	if (http_request_cookie(request, "place", &cookie, &len))
		check(len <= strlen(cookie) && !memchr(cookie, ';', len));
	check(strlen(http_request_id(request)) - 1 < 64);
	(void)http_request_client(request, NULL);
}

static void handle(void *ctx, struct http_request *request)
{
	(void)ctx;
	check_request(request);
	check(served < SERVED_MAX);
	served_is_head[served++] = http_request_method(request) == HTTP_HEAD;
	const char *path = http_request_path(request);
	if (!strcmp(path, "/park") && !parked) {
		http_request_park(request);
		parked = request;
	} else if (!strcmp(path, "/problem")) {
		http_reply_problem(request, WR_RATE_LIMITED, NULL, 2);
	} else {
		size_t len;
		const char *body = http_request_body(request, &len);
		http_reply(request, 200, "text/plain", body, len);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	char listen[128];
	const char *dir = getenv("TMPDIR");
	snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/fuzz_http.%d", dir ? dir : "/tmp",
			 (int)getpid());
	snprintf(listen, sizeof(listen), "unix:%s", address.sun_path);
	struct http_server_options options = {.listen = listen, .handler = handle};
	http_limits_default(&options.limits);
	options.limits.body_max_bytes = BODY_MAX;
	options.limits.connection_memory_bytes = 4096;
	loop = loop_new();
	check(http_server_open(loop, &options, &server, NULL) == WR_OK);
	return 0;
}

/* ---- a strict parser of requests, as RFC 9112 says ---- */

/* One line with its CRLF; NULL: there is no whole one. */
static const char *line_end(const char *at, const char *end)
{
	const char *found = memmem(at, (size_t)(end - at), "\r\n", 2);
	return found ? found + 2 : NULL;
}

/* Three words. More space between them than one is harmless, and the library lets it pass. */
static bool is_request_line(const char *line, const char *end)
{
	const char *space = memchr(line, ' ', (size_t)(end - line));
	const char *last = memrchr(line, ' ', (size_t)(end - line));
	if (!space || space == line || end - last != 9)
		return false;
	while (space < last && *space == ' ')
		space++;
	while (last > space && last[-1] == ' ')
		last--;
	end -= 8;
	return last > space && !memchr(space, ' ', (size_t)(last - space)) &&
		   !memcmp(end, "HTTP/1.", 7) && (end[7] == '0' || end[7] == '1');
}

/* -1: no such header; -2: not one length. */
static long read_length(const char *line, const char *end, long before)
{
	static const char name[] = "content-length:";
	if (end - line < (long)sizeof(name) - 1 || strncasecmp(line, name, sizeof(name) - 1))
		return before;
	long length = 0;
	for (line += sizeof(name) - 1; *line == ' ' || *line == '\t';)
		line++;
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	for (; line < end && isdigit((unsigned char)*line) && length < 100000; line++)
		length = length * 10 + (*line - '0');
	return line < end || before != -1 ? -2 : length;
}

/* Behind one request with a whole head; NULL: the rest is none. Its body may be incomplete. */
static const char *skip_request(const char *at, const char *end)
{
	long length = -1;
	const char *next = line_end(at, end);
	if (!next || !is_request_line(at, next - 2))
		return NULL;
	for (at = next; (next = line_end(at, end)); at = next) {
		if (next == at + 2)
			return length == -2 || length > end - next ? NULL : next + (length > 0 ? length : 0);
		if (!memchr(at, ':', (size_t)(next - at)))
			return NULL;
		length = read_length(at, next - 2, length);
	}
	return NULL;
}

static size_t count_requests(const char *at, const char *end)
{
	size_t count = 0;
	while (at) {
		while (at < end && (*at == '\r' || *at == '\n')) /* blank lines, or the end of one */
			at++;
		at = skip_request(at, end);
		count += at != NULL;
	}
	return count;
}

/* Has the input something that the library hides? */
static bool is_murky(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		bool is_lf = data[i] == '\n';
		if (!data[i] || (is_lf && (!i || data[i - 1] != '\r')))
			return true;
		if (is_lf && i + 1 < size && strchr(" \t:", data[i + 1]))
			return true;
	}
	return false;
}

/* ---- answers ---- */

static void check_answers(void)
{
	const char *at = answers, *end = answers + answers_len;
	for (size_t i = 0; at < end;) {
		int status;
		const char *head_end = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
		check(head_end && sscanf(at, "HTTP/1.1 %3d ", &status) == 1 && status >= 100);
		const char *closes = strcasestr(at, "\r\nConnection: close\r\n");
		if (closes && closes < head_end)
			return;
		const char *length = strcasestr(at, "\r\nContent-Length: ");
		at = head_end + 4;
		if (status == 100)
			continue;
		check(length && length < head_end && i < served);
		if (!served_is_head[i++])
			at += strtoul(length + strlen("\r\nContent-Length: "), NULL, 10);
	}
	check(at == end);
}

/* True when something came. */
static bool read_answers(int fd)
{
	ssize_t got = recv(fd, answers + answers_len, ANSWERS_BYTES - answers_len, MSG_DONTWAIT);
	answers_len += got > 0 ? (size_t)got : 0;
	answers[answers_len] = '\0';
	return got > 0;
}

/* ---- one input ---- */

static void turn(void)
{
	loop_turn(loop, 0);
	if (parked)
		http_reply(parked, 200, "text/plain", "p", 1);
	parked = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(!connect(fd, (struct sockaddr *)&address, sizeof(address)));
	served = answers_len = 0;
	answers[0] = '\0';
	check(send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size);
	shutdown(fd, SHUT_WR);
	for (int quiet = 0; quiet < 4; quiet++) {
		turn();
		if (read_answers(fd))
			quiet = 0;
	}
	close(fd);
	struct http_counts counts;
	for (int turns = 0; turns < 20; turns++) {
		turn();
		http_server_counts(server, &counts);
		if (!counts.connections_now)
			break;
	}
	check(!counts.connections_now && !counts.parked_now && !counts.bugs);
	check_answers();
	check(is_murky(data, size) ||
		  served <= count_requests((const char *)data, (const char *)data + size));
	return 0;
}
