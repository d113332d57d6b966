/* The parent's end of script_host.lua: hands commands on to Redis until the script has ended. */
#include "support/script_host.h"

#include "support/cmocka.h"
#include "waitingroom/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "tests/support/script_host.lua"
#define READ_BYTES 65536

struct script_host {
	pid_t pid;
	FILE *to;
	int from;
	redisReader *reader;
	int writes_left; /* negative: no end */
};

struct script_host *script_host_start(const char *interpreter)
{
	int requests[2], answers[2];
	/* Not for the next child: a host ends when nobody holds its input any more. */
	if (pipe2(requests, O_CLOEXEC) || pipe2(answers, O_CLOEXEC))
		fail_msg("no pipes");
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(requests[0], STDIN_FILENO);
		dup2(answers[1], STDOUT_FILENO);
		execlp(interpreter, interpreter, PROGRAM, NULL);
		fprintf(stderr, "%s: %s\n", interpreter, strerror(errno));
		_exit(127);
	}
	close(requests[0]);
	close(answers[1]);
	struct script_host *host = mem_alloc_zero(1, sizeof(*host));
	*host = (struct script_host){.pid = pid,
								 .to = fdopen(requests[1], "w"),
								 .from = answers[0],
								 .reader = redisReaderCreate(),
								 .writes_left = -1};
	signal(SIGPIPE, SIG_IGN);
	return host;
}

void script_host_stop(struct script_host *host)
{
	if (!host)
		return;
	fclose(host->to);
	int status = 0;
	waitpid(host->pid, &status, 0);
	close(host->from);
	redisReaderFree(host->reader);
	free(host);
	if (status)
		fail_msg("the script host ended with status %d", status);
}

void script_host_cut_after(struct script_host *host, int writes)
{
	host->writes_left = writes;
}

/* ---- speaking RESP ---- */

static void write_bulk(FILE *to, const char *text, size_t len)
{
	fprintf(to, "$%zu\r\n", len);
	fwrite(text, 1, len, to);
	fputs("\r\n", to);
}

static void write_reply(FILE *to, const redisReply *reply)
{
	switch (reply->type) {
	case REDIS_REPLY_INTEGER:
		fprintf(to, ":%lld\r\n", reply->integer);
		break;
	case REDIS_REPLY_NIL:
		fputs("$-1\r\n", to);
		break;
	case REDIS_REPLY_STATUS:
		fprintf(to, "+%s\r\n", reply->str);
		break;
	case REDIS_REPLY_ERROR:
		fprintf(to, "-%s\r\n", reply->str);
		break;
	case REDIS_REPLY_ARRAY:
		fprintf(to, "*%zu\r\n", reply->elements);
		for (size_t i = 0; i < reply->elements; i++)
			write_reply(to, reply->element[i]);
		break;
	default:
		write_bulk(to, reply->str, (size_t)reply->len);
	}
}

/* What the script says next: an array of words. */
static redisReply *hear(struct script_host *host)
{
	void *said = NULL;
	char bytes[READ_BYTES];
	for (;;) {
		if (redisReaderGetReply(host->reader, &said) != REDIS_OK)
			fail_msg("the script host speaks nonsense: %s", host->reader->errstr);
		if (said)
			return said;
		ssize_t len = read(host->from, bytes, sizeof(bytes));
		if (len <= 0)
			fail_msg("the script host has died");
		redisReaderFeed(host->reader, bytes, (size_t)len);
	}
}

static void send_run(struct script_host *host, const char *name, const char *text,
					 const char *settings_key, int64_t now_ms, size_t argc,
					 const char *const argv[])
{
	char now[24];
	snprintf(now, sizeof(now), "%" PRId64, now_ms);
	const char *const words[] = {"RUN", name, text, settings_key, now};
	fprintf(host->to, "*%zu\r\n", argc + 5);
	for (size_t i = 0; i < 5; i++)
		write_bulk(host->to, words[i], strlen(words[i]));
	for (size_t i = 0; i < argc; i++)
		write_bulk(host->to, argv[i], strlen(argv[i]));
	fflush(host->to);
}

/* ---- running ---- */

static bool is_write(const char *command)
{
	static const char *const writes[] = {"SET",	 "INCRBY", "UNLINK",		  "DEL",	"RENAME",
										 "HSET", "HDEL",   "HINCRBY",		  "LPUSH",	"LTRIM",
										 "ZADD", "ZREM",   "ZREMRANGEBYRANK", "SETBIT", "SETRANGE",
										 "XADD", "PEXPIRE"};
	for (size_t i = 0; i < sizeof(writes) / sizeof(*writes); i++)
		if (strcasecmp(command, writes[i]) == 0)
			return true;
	return false;
}

static void hand_on(struct script_host *host, redisContext *context, const redisReply *said)
{
	if (host->writes_left >= 0 && is_write(said->element[0]->str) && host->writes_left-- == 0) {
		host->writes_left = 0;
		fputs("-cut\r\n", host->to);
		fflush(host->to);
		return;
	}
	const char **words = mem_alloc_zero(said->elements, sizeof(*words));
	size_t *lens = mem_alloc_zero(said->elements, sizeof(*lens));
	for (size_t i = 0; i < said->elements; i++) {
		words[i] = said->element[i]->str;
		lens[i] = (size_t)said->element[i]->len;
	}
	redisReply *reply = redisCommandArgv(context, (int)said->elements, words, lens);
	free(words);
	free(lens);
	if (!reply)
		fail_msg("no answer to the script host: %s", context->errstr);
	write_reply(host->to, reply);
	fflush(host->to);
	freeReplyObject(reply);
}

redisReply *script_host_run(struct script_host *host, redisContext *context, const char *name,
							const char *text, const char *settings_key, int64_t now_ms, size_t argc,
							const char *const argv[])
{
	send_run(host, name, text, settings_key, now_ms, argc, argv);
	for (;;) {
		redisReply *said = hear(host);
		const char *first = said->element[0]->str;
		bool has_result = strcmp(first, "=RESULT") == 0, has_failed = strcmp(first, "=ERROR") == 0;
		if (has_result || has_failed) {
			redisReply *result = said->element[1];
			said->element[1] = NULL;
			freeReplyObject(said);
			if (has_failed)
				result->type = REDIS_REPLY_ERROR;
			host->writes_left = -1;
			return result;
		}
		hand_on(host, context, said);
		freeReplyObject(said);
	}
}
