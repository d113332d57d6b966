/* Record of a test program's exchanges with pods; see record.h.
 *
 * The file is opened at the first exchange and what an earlier run left in it is thrown away. A
 * line is one write, so a program that dies leaves whole lines only. Pods are started again on the
 * same ports, so an address stays known; a test program has few. A later stack may get a port that
 * an earlier one had for something else: the last word counts.
 */
#include "support/record.h"

#include "support/cmocka.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVERS_MAX 256

static struct {
	const char *kind;
	char *address; /* "127.0.0.1:8080" */
} servers[SERVERS_MAX];
static size_t server_count;

static const char *without_scheme(const char *address)
{
	return strncmp(address, "http://", 7) == 0 ? address + 7 : address;
}

/* Of those known, or the first free one. */
static size_t server_at(const char *address)
{
	size_t at = 0;
	while (at < server_count && strcmp(servers[at].address, without_scheme(address)) != 0)
		at++;
	return at;
}

const char *record_kind(const char *address)
{
	size_t at = server_at(address);
	return at < server_count ? servers[at].kind : NULL;
}

void record_server(const char *kind, const char *address)
{
	if (!getenv("WR_TEST_RECORD"))
		return;
	size_t at = server_at(address);
	if (at == SERVERS_MAX)
		fail_msg("more than %d servers in one test program", SERVERS_MAX);
	if (at == server_count)
		servers[server_count++].address = mem_copy_string(without_scheme(address));
	servers[at].kind = kind;
}

struct record *record_request(const char *head, const char *body)
{
	struct record *record = mem_alloc_zero(1, sizeof(*record));
	record->head = mem_copy_string(head);
	record->body = mem_copy_string(body ? body : "");
	return record;
}

void record_free(struct record *record)
{
	if (!record)
		return;
	free(record->head);
	free(record->body);
	free(record);
}

static int open_file(void)
{
	const char *directory = getenv("WR_TEST_RECORD");
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s.jsonl", directory, program_invocation_short_name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		fail_msg("cannot write %s: %s", path, strerror(errno));
	return fd;
}

static char *encode(const void *bytes, size_t len)
{
	char *text = mem_alloc_zero(BASE64URL_LEN(len) + 1, 1);
	base64url_encode(bytes, len, text);
	return text;
}

void record_answer(const char *kind, const struct record *record, const char *answer_head,
				   const void *answer_body, size_t answer_body_len)
{
	static int fd = -1;
	if (fd < 0)
		fd = open_file();
	WR_AUTO(mem_free_at) char *head = encode(record->head, strlen(record->head));
	WR_AUTO(mem_free_at) char *body = encode(record->body, strlen(record->body));
	WR_AUTO(mem_free_at) char *answer = encode(answer_head, strlen(answer_head));
	WR_AUTO(mem_free_at) char *answer_body_text = encode(answer_body, answer_body_len);
	WR_AUTO(mem_free_at) char *line = NULL;
	int len = asprintf(&line,
					   "{\"test\":\"%s\",\"server\":\"%s\",\"request\":\"%s\",\"body\":\"%s\","
					   "\"answer\":\"%s\",\"answer_body\":\"%s\"}\n",
					   program_invocation_short_name, kind, head, body, answer, answer_body_text);
	if (len < 0)
		abort();
	if (write(fd, line, (size_t)len) != len)
		fail_msg("cannot write the record: %s", strerror(errno));
}
