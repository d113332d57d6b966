/* A blocking client: hiredis' own, and a table of scripts that were loaded. */
#include "support/redis.h"

#include "lib/store/script_texts.h"
#include "support/cmocka.h"
#include "support/process.h"
#include "support/script_host.h"
#include "support/servers.h"
#include "waitingroom/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 4096
#define TIME_OF_STORE "call('TIME')"
#define TIME_OF_TEST "{ string.sub(KEYS[2], 1, -4), string.sub(KEYS[2], -3) .. '000' }"
#define SHA_CHARS 40

struct redis_client {
	redisContext *context;
	struct script_host *host;		  /* NULL: the server's own Lua */
	bool is_cut;					  /* the next script is */
	char (*loaded)[2][SHA_CHARS + 1]; /* of each script: by the store's clock, by the test's */
};

struct redis_client *redis_client_new(const struct redis_server *server)
{
	return redis_client_new_hosted(server, getenv("WR_SCRIPT_HOST"));
}

struct redis_client *redis_client_new_hosted(const struct redis_server *server,
											 const char *interpreter)
{
	struct redis_client *client = mem_alloc_zero(1, sizeof(*client));
	client->context = redisConnectUnix(redis_socket(server));
	if (!client->context || client->context->err)
		fail_msg("no connection to %s", redis_socket(server));
	client->loaded = mem_alloc_zero(store_script_text_count, sizeof(*client->loaded));
	if (interpreter && *interpreter)
		client->host = script_host_start(interpreter);
	return client;
}

void redis_client_free(struct redis_client *client)
{
	if (!client)
		return;
	script_host_stop(client->host);
	redisFree(client->context);
	free(client->loaded);
	free(client);
}

static redisReply *checked(struct redis_client *client, void *answer, const char *what)
{
	redisReply *reply = answer;
	if (!reply) {
		process_show_logs();
		fail_msg("%s: %s", what, client->context->errstr);
	}
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", what, reply->str);
	return reply;
}

redisReply *redis_run(struct redis_client *client, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	void *answer = redisvCommand(client->context, format, args);
	va_end(args);
	return checked(client, answer, format);
}

redisReply *redis_run_argv(struct redis_client *client, size_t argc, const char *const argv[])
{
	void *answer = redisCommandArgv(client->context, (int)argc, (const char **)argv, NULL);
	return checked(client, answer, argv[0]);
}

int64_t redis_number(struct redis_client *client, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	redisReply *reply = checked(client, redisvCommand(client->context, format, args), format);
	va_end(args);
	int64_t number = reply->type == REDIS_REPLY_INTEGER	 ? reply->integer
					 : reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10)
														 : 0;
	freeReplyObject(reply);
	return number;
}

char *redis_text(struct redis_client *client, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	redisReply *reply = checked(client, redisvCommand(client->context, format, args), format);
	va_end(args);
	char *text = reply->str ? strdup(reply->str) : NULL;
	freeReplyObject(reply);
	return text;
}

/* ---- scripts ---- */

void redis_cut_after(struct redis_client *client, int writes)
{
	script_host_cut_after(client->host, writes);
	client->is_cut = true;
}

static size_t find_script(const char *name)
{
	for (size_t i = 0; i < store_script_text_count; i++)
		if (strcmp(store_script_texts[i].name, name) == 0)
			return i;
	fail_msg("no script %s", name);
	return 0;
}

/* gives the text with the time taken from the second key, when it needs the time at all */
static char *with_time_of_test(const char *text)
{
	const char *at = strstr(text, TIME_OF_STORE);
	char *changed;
	if (!at)
		return mem_copy_string(text);
	if (strstr(at + 1, TIME_OF_STORE))
		fail_msg("the scripts must read the time at exactly one place");
	if (asprintf(&changed, "%.*s%s%s", (int)(at - text), text, TIME_OF_TEST,
				 at + strlen(TIME_OF_STORE)) < 0)
		abort();
	return changed;
}

static const char *load(struct redis_client *client, size_t script, bool time_of_test)
{
	char *sha = client->loaded[script][time_of_test];
	if (*sha)
		return sha;
	const char *text = store_script_texts[script].text;
	WR_AUTO(mem_free_at) char *changed = time_of_test ? with_time_of_test(text) : NULL;
	const char *argv[] = {"SCRIPT", "LOAD", time_of_test ? changed : text};
	redisReply *reply = checked(client, redisCommandArgv(client->context, 3, argv, NULL),
								store_script_texts[script].name);
	snprintf(sha, SHA_CHARS + 1, "%s", reply->str);
	freeReplyObject(reply);
	return sha;
}

redisReply *redis_script(struct redis_client *client, const char *name, const char *settings_key,
						 int64_t now_ms, size_t argc, const char *const argv[])
{
	size_t script = find_script(name);
	if (client->host) {
		redisReply *reply =
			script_host_run(client->host, client->context, name, store_script_texts[script].text,
							settings_key, now_ms, argc, argv);
		bool may_fail = client->is_cut;
		client->is_cut = false;
		return may_fail ? reply : checked(client, reply, name);
	}
	if (argc > ARGUMENTS_MAX)
		fail_msg("%zu arguments", argc);
	char now[24];
	snprintf(now, sizeof(now), "%" PRId64, now_ms);
	const char *words[ARGUMENTS_MAX + 5] = {"EVALSHA", load(client, script, now_ms != 0), "2",
											settings_key, now};
	for (size_t i = 0; i < argc; i++)
		words[5 + i] = argv[i];
	return checked(client, redisCommandArgv(client->context, (int)argc + 5, words, NULL), name);
}
