/* A collector of traces for tests: one thread that accepts, reads a request, and answers as it is
 * told.
 *
 * The lock guards everything that the test reads or sets. Connections are kept open between
 * requests of one client; two clients (a pod and an admitter) are served in turns by poll.
 */
#include "support/otlp_receiver.h"

#include "support/cmocka.h"
#include "waitingroom/memory.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 16
#define REQUEST_MAX_BYTES (16 * 1024 * 1024)

struct client {
	int fd;
	char *text;
	size_t len;
};

struct otlp_receiver {
	char url[64];
	int listener, wake[2];
	pthread_t thread;
	pthread_mutex_t lock;
	bool ends, hangs;
	int status, retry_after, requests;
	char body[256], trouble[512];
	struct received_span *spans;
	size_t span_count;
	struct client clients[CLIENTS_MAX]; /* the thread's */
	size_t client_count;
};

/* ---- spans ---- */

static const char *text_of(const cJSON *object, const char *name)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsString(value) ? value->valuestring : "";
}

static const cJSON *attribute(const cJSON *owner, const char *key)
{
	const cJSON *all = cJSON_GetObjectItemCaseSensitive(owner, "attributes");
	for (const cJSON *one = all ? all->child : NULL; one != NULL; one = one->next)
		if (strcmp(text_of(one, "key"), key) == 0)
			return cJSON_GetObjectItemCaseSensitive(one, "value");
	return NULL;
}

#define COPY(to, text) snprintf((to), sizeof(to), "%s", (text))

static void keep_span(struct otlp_receiver *receiver, const cJSON *span, const char *service)
{
	receiver->spans = mem_grow(receiver->spans, receiver->span_count + 1, sizeof(*receiver->spans));
	struct received_span *kept = &receiver->spans[receiver->span_count++];
	*kept = (struct received_span){.kind = cJSON_GetObjectItem(span, "kind")->valueint};
	COPY(kept->trace_id, text_of(span, "traceId"));
	COPY(kept->span_id, text_of(span, "spanId"));
	COPY(kept->parent_id, text_of(span, "parentSpanId"));
	COPY(kept->trace_state, text_of(span, "traceState"));
	COPY(kept->name, text_of(span, "name"));
	COPY(kept->service, service);
	COPY(kept->queue, text_of(attribute(span, "wr.queue"), "stringValue"));
	kept->http_status =
		strtoll(text_of(attribute(span, "http.response.status_code"), "intValue"), NULL, 10);
	kept->start_ns = strtoll(text_of(span, "startTimeUnixNano"), NULL, 10);
	kept->end_ns = strtoll(text_of(span, "endTimeUnixNano"), NULL, 10);
	const cJSON *status = cJSON_GetObjectItemCaseSensitive(span, "status");
	kept->failed = status != NULL && cJSON_GetObjectItem(status, "code")->valueint == 2;
	const cJSON *links = cJSON_GetObjectItemCaseSensitive(span, "links");
	if (links != NULL && links->child != NULL)
		COPY(kept->linked_span_id, text_of(links->child, "spanId"));
	if (kept->start_ns > kept->end_ns)
		snprintf(receiver->trouble, sizeof(receiver->trouble), "%s ends before it starts",
				 kept->name);
}

static void keep_spans(struct otlp_receiver *receiver, const char *json, size_t len)
{
	cJSON *document = cJSON_ParseWithLength(json, len);
	const cJSON *resources = cJSON_GetObjectItem(document, "resourceSpans");
	for (const cJSON *one = resources->child; one != NULL; one = one->next) {
		const cJSON *resource = cJSON_GetObjectItem(one, "resource");
		const char *service = text_of(attribute(resource, "service.name"), "stringValue");
		for (const cJSON *scope = cJSON_GetObjectItem(one, "scopeSpans")->child; scope != NULL;
			 scope = scope->next)
			for (const cJSON *span = cJSON_GetObjectItem(scope, "spans")->child; span != NULL;
				 span = span->next)
				keep_span(receiver, span, service);
	}
	cJSON_Delete(document);
}

/* ---- requests ---- */

static void judge(struct otlp_receiver *receiver, const char *head, const char *json, size_t len)
{
	const char *wrong = otlp_request_trouble(json, len);
	if (wrong == NULL && strncmp(head, "POST /v1/traces HTTP/1.1\r\n", 26) != 0)
		wrong = "not POST /v1/traces";
	if (wrong == NULL && strcasestr(head, "\r\ncontent-type: application/json\r\n") == NULL)
		wrong = "not application/json";
	if (wrong != NULL)
		snprintf(receiver->trouble, sizeof(receiver->trouble), "%s in %.300s", wrong, json);
	else if (receiver->status == 200)
		keep_spans(receiver, json, len);
}

static void answer(struct otlp_receiver *receiver, int fd)
{
	char text[640], retry[48] = "";
	if (receiver->retry_after > 0)
		snprintf(retry, sizeof(retry), "Retry-After: %d\r\n", receiver->retry_after);
	int len = snprintf(text, sizeof(text),
					   "HTTP/1.1 %d Said\r\nContent-Type: application/json\r\n%s"
					   "Content-Length: %zu\r\n\r\n%s",
					   receiver->status, retry, strlen(receiver->body), receiver->body);
	if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		shutdown(fd, SHUT_RDWR);
}

/* Answers the request at the front, when all of it is there. */
static void look(struct otlp_receiver *receiver, struct client *client)
{
	const char *end = strstr(client->text, "\r\n\r\n"),
			   *length = strcasestr(client->text, "content-length:");
	if (end == NULL || length == NULL || length > end)
		return;
	const char *body = end + 4;
	size_t body_len = strtoul(length + 15, NULL, 10),
		   whole = (size_t)(body - client->text) + body_len;
	if (client->len < whole)
		return;
	pthread_mutex_lock(&receiver->lock);
	bool hangs = receiver->hangs;
	receiver->requests++;
	judge(receiver, client->text, body, body_len);
	if (!hangs)
		answer(receiver, client->fd);
	pthread_mutex_unlock(&receiver->lock);
	client->len -= whole;
	memmove(client->text, client->text + whole, client->len + 1);
}

/* False: it has gone. */
static bool read_client(struct otlp_receiver *receiver, struct client *client)
{
	client->text = mem_grow(client->text, client->len + 65537, 1);
	ssize_t got = recv(client->fd, client->text + client->len, 65536, 0);
	if (got <= 0 || client->len > REQUEST_MAX_BYTES)
		return false;
	client->len += (size_t)got;
	client->text[client->len] = '\0';
	look(receiver, client);
	return true;
}

static void drop_client(struct otlp_receiver *receiver, size_t i)
{
	close(receiver->clients[i].fd);
	free(receiver->clients[i].text);
	receiver->clients[i] = receiver->clients[--receiver->client_count];
}

static void *serve(void *ctx)
{
	struct otlp_receiver *receiver = ctx;
	for (;;) {
		struct pollfd fds[CLIENTS_MAX + 2] = {{.fd = receiver->wake[0], .events = POLLIN},
											  {.fd = receiver->listener, .events = POLLIN}};
		size_t count = receiver->client_count;
		for (size_t i = 0; i < count; i++)
			fds[i + 2] = (struct pollfd){.fd = receiver->clients[i].fd, .events = POLLIN};
		poll(fds, count + 2, -1);
		if (fds[0].revents)
			return NULL;
		for (size_t i = count; i-- > 0;)
			if (fds[i + 2].revents && !read_client(receiver, &receiver->clients[i]))
				drop_client(receiver, i);
		if (fds[1].revents && receiver->client_count < CLIENTS_MAX)
			receiver->clients[receiver->client_count++] =
				(struct client){.fd = accept4(receiver->listener, NULL, NULL, SOCK_CLOEXEC)};
	}
}

/* ---- life ---- */

struct otlp_receiver *otlp_receiver_start(void)
{
	struct otlp_receiver *receiver = mem_alloc_zero(1, sizeof(*receiver));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	pthread_mutex_init(&receiver->lock, NULL);
	otlp_receiver_say(receiver, 200, 0, NULL);
	receiver->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(receiver->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(receiver->listener, 16), 0);
	assert_int_equal(getsockname(receiver->listener, (struct sockaddr *)&address, &len), 0);
	snprintf(receiver->url, sizeof(receiver->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
	assert_int_equal(pipe2(receiver->wake, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&receiver->thread, NULL, serve, receiver), 0);
	return receiver;
}

void otlp_receiver_free(struct otlp_receiver *receiver)
{
	close(receiver->wake[1]);
	pthread_join(receiver->thread, NULL);
	while (receiver->client_count > 0)
		drop_client(receiver, 0);
	close(receiver->wake[0]);
	close(receiver->listener);
	pthread_mutex_destroy(&receiver->lock);
	free(receiver->spans);
	free(receiver);
}

const char *otlp_receiver_url(const struct otlp_receiver *receiver)
{
	return receiver->url;
}

void otlp_receiver_say(struct otlp_receiver *receiver, int status, int retry_after,
					   const char *body)
{
	pthread_mutex_lock(&receiver->lock);
	receiver->status = status;
	receiver->retry_after = retry_after;
	snprintf(receiver->body, sizeof(receiver->body), "%s", body ? body : "{}");
	pthread_mutex_unlock(&receiver->lock);
}

void otlp_receiver_hang(struct otlp_receiver *receiver, bool hang)
{
	pthread_mutex_lock(&receiver->lock);
	receiver->hangs = hang;
	pthread_mutex_unlock(&receiver->lock);
}

/* ---- what came ---- */

int otlp_receiver_requests(struct otlp_receiver *receiver)
{
	pthread_mutex_lock(&receiver->lock);
	int requests = receiver->requests;
	pthread_mutex_unlock(&receiver->lock);
	return requests;
}

size_t otlp_receiver_spans(struct otlp_receiver *receiver, struct received_span *ret_spans,
						   size_t room)
{
	pthread_mutex_lock(&receiver->lock);
	size_t count = receiver->span_count < room ? receiver->span_count : room;
	memcpy(ret_spans, receiver->spans, count * sizeof(*ret_spans));
	pthread_mutex_unlock(&receiver->lock);
	return count;
}

bool otlp_receiver_find(struct otlp_receiver *receiver, const char *name, const char *parent_id,
						const char *trace_id, struct received_span *ret_span)
{
	bool found = false;
	pthread_mutex_lock(&receiver->lock);
	for (size_t i = receiver->span_count; i-- > 0 && !found;) {
		const struct received_span *span = &receiver->spans[i];
		found = strcmp(span->name, name) == 0 &&
				(parent_id == NULL || strcmp(span->parent_id, parent_id) == 0) &&
				(trace_id == NULL || strcmp(span->trace_id, trace_id) == 0);
		if (found)
			*ret_span = *span;
	}
	pthread_mutex_unlock(&receiver->lock);
	return found;
}

void otlp_receiver_check(struct otlp_receiver *receiver)
{
	char trouble[sizeof(receiver->trouble)];
	pthread_mutex_lock(&receiver->lock);
	memcpy(trouble, receiver->trouble, sizeof(trouble));
	pthread_mutex_unlock(&receiver->lock);
	if (trouble[0] != '\0')
		fail_msg("OTLP: %s", trouble);
}
