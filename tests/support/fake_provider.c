/* A captcha provider for tests: a listening socket, a thread that accepts, one for each connection.
 *
 * The lock guards everything that the test reads or sets. Threads of connections are waited for at
 * the end: the sockets are shut down, which ends their reads.
 */
#include "support/fake_provider.h"

#include "support/cmocka.h"
#include "waitingroom/memory.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 512
#define QUESTION_ROOM 16384

struct fake_provider {
	char url[64];
	uint16_t port;
	int listener;
	pthread_t acceptor;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum fake_trouble trouble;
	bool ends;
	int questions, connections;
	char *last;
	int fds[CONNECTIONS_MAX];
	pthread_t threads[CONNECTIONS_MAX];
};

struct visit {
	struct fake_provider *provider;
	int fd;
};

/* ---- one connection ---- */

static void send_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		text += sent;
		len -= (size_t)sent;
	}
}

static void answer(int fd, int status, const char *type, const char *body)
{
	char text[512];
	int len = snprintf(text, sizeof(text),
					   "HTTP/1.1 %d Said\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
					   status, type, strlen(body), body);
	send_all(fd, text, (size_t)len);
}

static void answer_question(int fd, const char *question)
{
	bool is_friendly = strcasestr(question, "x-api-key:") != NULL;
	const char *json = "application/json";
	if (strstr(question, "good-secret") == NULL)
		answer(fd, is_friendly ? 401 : 200, json,
			   is_friendly ? "{\"success\":false,\"error\":{\"error_code\":\"auth_invalid\"}}"
						   : "{\"success\":false,\"error-codes\":[\"invalid-input-secret\"]}");
	else if (strstr(question, "human") != NULL)
		answer(fd, 200, json, "{\"success\":true,\"error-codes\":[]}");
	else if (strstr(question, "seen") != NULL)
		answer(fd, 200, json,
			   is_friendly ? "{\"success\":false,\"error\":{\"error_code\":\"response_duplicate\"}}"
						   : "{\"success\":false,\"error-codes\":[\"timeout-or-duplicate\"]}");
	else
		answer(fd, 200, json,
			   is_friendly ? "{\"success\":false,\"error\":{\"error_code\":\"response_invalid\"}}"
						   : "{\"success\":false,\"error-codes\":[\"invalid-input-response\"]}");
}

/* false: the connection is at its end. */
static bool behave(struct fake_provider *provider, int fd, const char *question)
{
	pthread_mutex_lock(&provider->lock);
	while (provider->trouble == FAKE_SILENT && !provider->ends)
		pthread_cond_wait(&provider->changed, &provider->lock);
	enum fake_trouble trouble = provider->ends ? FAKE_HANG_UP : provider->trouble;
	pthread_mutex_unlock(&provider->lock);
	switch (trouble) {
	case FAKE_GARBAGE:
		answer(fd, 200, "text/html", "<html>success</html>");
		return true;
	case FAKE_ERROR:
		answer(fd, 500, "application/json", "{\"success\":true}");
		return true;
	case FAKE_ENDLESS: {
		static const char head[] = "HTTP/1.1 200 Said\r\n\r\n{\"success\":true,\"more\":\"";
		char more[4096];
		memset(more, 'x', sizeof(more));
		send_all(fd, head, sizeof(head) - 1);
		for (int i = 0; i < 256; i++)
			send_all(fd, more, sizeof(more));
		return false;
	}
	case FAKE_HANG_UP:
		return false;
	default:
		answer_question(fd, question);
		return true;
	}
}

/* Reads one question whole; its length, or 0 at the end of the connection. */
static size_t read_question(int fd, char text[QUESTION_ROOM])
{
	size_t len = 0;
	for (;;) {
		text[len] = '\0';
		const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "content-length:");
		if (end != NULL && length != NULL &&
			len >= (size_t)(end + 4 - text) + strtoul(length + 15, NULL, 10))
			return len;
		ssize_t got =
			len < QUESTION_ROOM - 1 ? recv(fd, text + len, QUESTION_ROOM - 1 - len, 0) : 0;
		if (got <= 0)
			return 0;
		len += (size_t)got;
	}
}

static void *serve(void *ctx)
{
	struct visit visit = *(struct visit *)ctx;
	struct fake_provider *provider = visit.provider;
	char *text = mem_alloc_zero(1, QUESTION_ROOM);
	free(ctx);
	while (read_question(visit.fd, text) > 0) {
		pthread_mutex_lock(&provider->lock);
		provider->questions++;
		free(provider->last);
		provider->last = mem_copy_string(text);
		pthread_mutex_unlock(&provider->lock);
		if (!behave(provider, visit.fd, text))
			break;
	}
	shutdown(visit.fd, SHUT_RDWR);
	free(text);
	return NULL;
}

/* ---- listening ---- */

static void *accept_all(void *ctx)
{
	struct fake_provider *provider = ctx;
	int fd;
	while ((fd = accept(provider->listener, NULL, NULL)) >= 0) {
		struct visit *visit = mem_alloc_zero(1, sizeof(*visit));
		*visit = (struct visit){.provider = provider, .fd = fd};
		pthread_mutex_lock(&provider->lock);
		int number = provider->connections++;
		assert_true(number < CONNECTIONS_MAX);
		provider->fds[number] = fd;
		pthread_create(&provider->threads[number], NULL, serve, visit);
		pthread_mutex_unlock(&provider->lock);
	}
	return NULL;
}

void fake_provider_come_back(struct fake_provider *provider)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
								  .sin_port = htons(provider->port),
								  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int yes = 1;
	provider->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(provider->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	assert_int_equal(bind(provider->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(provider->listener, 128), 0);
	assert_int_equal(getsockname(provider->listener, (struct sockaddr *)&address, &len), 0);
	provider->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&provider->acceptor, NULL, accept_all, provider), 0);
}

void fake_provider_go(struct fake_provider *provider)
{
	shutdown(provider->listener, SHUT_RDWR);
	pthread_join(provider->acceptor, NULL);
	close(provider->listener);
	for (int i = 0; i < provider->connections; i++)
		shutdown(provider->fds[i], SHUT_RDWR);
}

struct fake_provider *fake_provider_start(void)
{
	struct fake_provider *provider = mem_alloc_zero(1, sizeof(*provider));
	pthread_mutex_init(&provider->lock, NULL);
	pthread_cond_init(&provider->changed, NULL);
	fake_provider_come_back(provider);
	snprintf(provider->url, sizeof(provider->url), "http://127.0.0.1:%d/siteverify",
			 provider->port);
	return provider;
}

void fake_provider_free(struct fake_provider *provider)
{
	pthread_mutex_lock(&provider->lock);
	provider->ends = true;
	pthread_cond_broadcast(&provider->changed);
	pthread_mutex_unlock(&provider->lock);
	fake_provider_go(provider);
	for (int i = 0; i < provider->connections; i++) {
		pthread_join(provider->threads[i], NULL);
		close(provider->fds[i]);
	}
	pthread_cond_destroy(&provider->changed);
	pthread_mutex_destroy(&provider->lock);
	free(provider->last);
	free(provider);
}

/* ---- for the test ---- */

const char *fake_provider_url(const struct fake_provider *provider)
{
	return provider->url;
}

void fake_provider_set(struct fake_provider *provider, enum fake_trouble trouble)
{
	pthread_mutex_lock(&provider->lock);
	provider->trouble = trouble;
	pthread_cond_broadcast(&provider->changed);
	pthread_mutex_unlock(&provider->lock);
}

int fake_provider_questions(struct fake_provider *provider)
{
	pthread_mutex_lock(&provider->lock);
	int questions = provider->questions;
	pthread_mutex_unlock(&provider->lock);
	return questions;
}

int fake_provider_connections(struct fake_provider *provider)
{
	pthread_mutex_lock(&provider->lock);
	int connections = provider->connections;
	pthread_mutex_unlock(&provider->lock);
	return connections;
}

char *fake_provider_last(struct fake_provider *provider)
{
	pthread_mutex_lock(&provider->lock);
	char *last = mem_copy_string(provider->last ? provider->last : "");
	pthread_mutex_unlock(&provider->lock);
	return last;
}
