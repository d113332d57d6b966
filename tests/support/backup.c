/* wrbackup as a child, and a view of the servers by clients of the test's own. */
#include "support/backup.h"

#include "support/cmocka.h"
#include "support/redis.h"
#include "support/wait.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#include <dirent.h>
#include <nats/nats.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_MAX 12
#define DEADLINE_MS 30000

/* ---- the program ---- */

static struct process *start(struct stack *stack, const char *first, va_list rest)
{
	WR_AUTO(mem_free_at) char *program = process_binary("wrbackup");
	const char *argv[ARGUMENTS_MAX] = {program, first};
	for (size_t i = 2; i < ARGUMENTS_MAX && argv[i - 1]; i++)
		argv[i] = va_arg(rest, const char *);
	char store[300], nats[100];
	print_into(store, "WR_STORE_URL=%s", redis_url(stack->redis));
	print_into(nats, "WR_NATS_URL=%s", nats_url(stack->nats));
	static int number;
	char name[40]; /* of its own log */
	print_into(name, "wrbackup-%d", ++number);
	return process_start(name, argv, (const char *[]){store, nats, NULL});
}

struct process *backup_start(struct stack *stack, const char *first, ...)
{
	va_list rest;
	va_start(rest, first);
	struct process *process = start(stack, first, rest);
	va_end(rest);
	return process;
}

static char *run(struct stack *stack, int exit_code, const char *first, va_list rest)
{
	struct process *process = start(stack, first, rest);
	int code = process_wait(process, DEADLINE_MS);
	char *said = process_log(process);
	if (code != exit_code)
		fail_msg("wrbackup %s: exit code %d, not %d: %s", first, code, exit_code, said);
	process_free(process);
	return said;
}

void backup_expect(struct stack *stack, int exit_code, const char *first, ...)
{
	va_list rest;
	va_start(rest, first);
	free(run(stack, exit_code, first, rest));
	va_end(rest);
}

char *backup_expect_said(struct stack *stack, int exit_code, const char *first, ...)
{
	va_list rest;
	va_start(rest, first);
	char *said = run(stack, exit_code, first, rest);
	va_end(rest);
	return said;
}

/* ---- its files ---- */

char *backup_newest(const char *folder)
{
	struct dirent **names = NULL;
	int count = scandir(folder, &names, NULL, alphasort);
	char path[400] = "";
	for (int i = 0; i < count; i++) {
		if (strncmp(names[i]->d_name, "waitingroom-", 12) == 0)
			print_into(path, "%s/%s", folder, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	assert_true(path[0]);
	return mem_copy_string(path);
}

void backup_damage(const char *path, const char *file, enum backup_damage damage)
{
	char name[500];
	print_into(name, "%s/%s", path, file);
	if (damage == BACKUP_REMOVE) {
		assert_int_equal(unlink(name), 0);
		return;
	}
	FILE *bytes = fopen(name, "r+e");
	assert_non_null(bytes);
	fseek(bytes, 0, SEEK_END);
	long middle = ftell(bytes) / 2;
	assert_true(middle > 0);
	if (damage == BACKUP_CUT) {
		assert_int_equal(ftruncate(fileno(bytes), middle), 0);
	} else {
		fseek(bytes, middle, SEEK_SET);
		int byte = fgetc(bytes);
		fseek(bytes, middle, SEEK_SET);
		fputc(byte ^ 1, bytes);
	}
	fclose(bytes);
}

/* ---- the streams ---- */

struct broker_client {
	natsConnection *connection;
	jsCtx *js;
};

static struct broker_client broker_open(struct stack *stack)
{
	struct broker_client client = {0};
	assert_int_equal(natsConnection_ConnectTo(&client.connection, nats_url(stack->nats)), NATS_OK);
	assert_int_equal(natsConnection_JetStream(&client.js, client.connection, NULL), NATS_OK);
	return client;
}

static void broker_close(struct broker_client *client)
{
	natsConnection_Close(client->connection);
	jsCtx_Destroy(client->js);
	natsConnection_Destroy(client->connection);
}

void backup_lose_streams(struct stack *stack)
{
	struct broker_client client = broker_open(stack);
	assert_int_equal(js_DeleteStream(client.js, "WAITINGROOM", NULL, NULL), NATS_OK);
	assert_int_equal(js_DeleteStream(client.js, "WAITINGROOM_DLQ", NULL, NULL), NATS_OK);
	broker_close(&client);
}

static void publish(struct broker_client *client, natsMsg *message)
{
	assert_int_equal(js_PublishMsg(NULL, client->js, message, NULL, NULL), NATS_OK);
	natsMsg_Destroy(message);
}

void backup_plant_messages(struct stack *stack)
{
	struct broker_client client = broker_open(stack);
	natsMsg *message = NULL;
	natsMsg_Create(&message, "wr.default.demo.other", NULL, "\0\xff\"\\\n{", 6);
	natsMsgHeader_Add(message, "Twice", "one");
	natsMsgHeader_Add(message, "Twice", "two");
	natsMsgHeader_Add(message, "Nats-Msg-Id", "a-\"quoted\"-id");
	publish(&client, message);
	natsMsg_Create(&message, "wr.default.demo.empty", NULL, "", 0);
	publish(&client, message);
	natsMsg_Create(&message, "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.WAITINGROOM.someone", NULL,
				   "{}", 2);
	publish(&client, message);
	broker_close(&client);
}

void backup_plant_many(struct stack *stack, int count)
{
	struct broker_client client = broker_open(stack);
	char body[512];
	memset(body, 'x', sizeof(body));
	for (int i = 0; i < count; i++)
		assert_int_equal(
			js_PublishAsync(client.js, "wr.default.demo.many", body, sizeof(body), NULL), NATS_OK);
	assert_int_equal(js_PublishAsyncComplete(client.js, NULL), NATS_OK);
	broker_close(&client);
}

/* ---- telling ---- */

struct told {
	char *text;
	size_t len;
	FILE *out;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_bytes(FILE *out, const char *bytes, size_t len)
{
	char *encoded = mem_alloc_zero(BASE64URL_LEN(len) + 1, 1);
	base64url_encode(bytes, len, encoded);
	fputs(utf8_is_valid(bytes, len) ? bytes : encoded, out);
	free(encoded);
}

static bool is_given_by_restore(const char *name, const char *value)
{
	return strcmp(name, "Wr-Stored-Ns") == 0 ||
		   (strcmp(name, "Nats-Msg-Id") == 0 && strncmp(value, "backup:", 7) == 0);
}

static void print_headers(FILE *out, natsMsg *message)
{
	const char **names = NULL;
	int name_count = 0;
	if (natsMsgHeader_Keys(message, &names, &name_count) != NATS_OK)
		return;
	qsort(names, (size_t)name_count, sizeof(*names), by_text);
	for (int i = 0; i < name_count; i++) {
		const char **values = NULL;
		int count = 0;
		assert_int_equal(natsMsgHeader_Values(message, names[i], &values, &count), NATS_OK);
		for (int k = 0; k < count; k++)
			if (!is_given_by_restore(names[i], values[k]))
				fprintf(out, " %s=%s", names[i], values[k]);
		free(values);
	}
	free(names);
}

static void print_stream(FILE *out, struct broker_client *client, const char *stream)
{
	jsStreamInfo *info = NULL;
	assert_int_equal(js_GetStreamInfo(&info, client->js, stream, NULL, NULL), NATS_OK);
	for (uint64_t i = 1; i <= info->State.LastSeq; i++) {
		natsMsg *message = NULL;
		assert_int_equal(js_GetMsg(&message, client->js, stream, i, NULL, NULL), NATS_OK);
		fprintf(out, "%s %d %s", stream, (int)i, natsMsg_GetSubject(message));
		print_headers(out, message);
		fputs(" : ", out);
		print_bytes(out, natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message));
		fputc('\n', out);
		natsMsg_Destroy(message);
	}
	jsStreamInfo_Destroy(info);
}

char *backup_describe_streams(struct stack *stack)
{
	struct told told = {0};
	told.out = open_memstream(&told.text, &told.len);
	struct broker_client client = broker_open(stack);
	print_stream(told.out, &client, "WAITINGROOM");
	print_stream(told.out, &client, "WAITINGROOM_DLQ");
	broker_close(&client);
	fclose(told.out);
	return told.text;
}

static void print_reply(FILE *out, const redisReply *reply)
{
	for (size_t i = 0; i < reply->elements; i++)
		print_reply(out, reply->element[i]);
	if (reply->type == REDIS_REPLY_STRING) {
		fputc(' ', out);
		print_bytes(out, reply->str, reply->len);
	}
}

static int by_field(const void *a, const void *b)
{
	return strcmp((*(redisReply *const *)a)->str, (*(redisReply *const *)b)->str);
}

/* The fields of a hash in the order of their names: the store has none. */
static void print_hash(FILE *out, struct redis_client *client, const char *key)
{
	redisReply *fields = redis_run(client, "HKEYS %s", key);
	qsort(fields->element, fields->elements, sizeof(redisReply *), by_field);
	fputs(key, out);
	for (size_t i = 0; i < fields->elements; i++) {
		redisReply *value = redis_run(client, "HGET %s %s", key, fields->element[i]->str);
		fprintf(out, " %s=", fields->element[i]->str);
		print_bytes(out, value->str, value->len);
		freeReplyObject(value);
	}
	fputc('\n', out);
	freeReplyObject(fields);
}

char *backup_describe_store(struct stack *stack)
{
	struct told told = {0};
	told.out = open_memstream(&told.text, &told.len);
	struct redis_client *client = redis_client_new(stack->redis);
	redisReply *queues = redis_run(client, "SORT wr:queues ALPHA");
	for (size_t i = 0; i < queues->elements; i++) {
		char key[200];
		print_into(key, "wr:{%s}:settings", queues->element[i]->str);
		print_hash(told.out, client, key);
		redisReply *audit = redis_run(client, "XRANGE wr:{%s}:audit - +", queues->element[i]->str);
		print_reply(told.out, audit);
		freeReplyObject(audit);
	}
	freeReplyObject(queues);
	print_hash(told.out, client, "wr:{system/admin}:keys");
	print_hash(told.out, client, "wr:{system/admin}:tenants");
	redisReply *audit = redis_run(client, "XRANGE wr:{system/admin}:audit - +");
	print_reply(told.out, audit);
	freeReplyObject(audit);
	redis_client_free(client);
	fclose(told.out);
	return told.text;
}
