/* A server that is not one: whatever it answers, each call ends once and the process lives.
 *
 * The server is part of the test and lives on the client's loop. It greets as Redis does and then
 * gives the same canned answer to every command, in pieces if told to. */
#include "support/cmocka.h"
#include "support/store_ask.h"
#include "support/temp.h"
#include "support/wait.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READY_MS 10000

static const struct queue_name demo = {"default", "demo"};

struct strange_server {
	struct loop *loop;
	char *path;
	int listen_fd, fd;
	struct loop_watch *listen_watch, *watch;
	redisReader *reader;
	const char *info, *answer;
	bool closes; /* after the answer */
	int accepted;
};

/* ---- the server ---- */

static void server_hang_up(struct strange_server *server)
{
	if (server->fd < 0)
		return;
	loop_unwatch(server->watch);
	close(server->fd);
	redisReaderFree(server->reader);
	server->fd = -1;
}

static void server_say(struct strange_server *server, const char *text)
{
	ssize_t sent = send(server->fd, text, strlen(text), MSG_NOSIGNAL);
	(void)sent; /* the client may have gone already */
}

static void server_answer(struct strange_server *server, const redisReply *command)
{
	const char *word = command->element[0]->str;
	if (strcmp(word, "INFO") == 0) {
		char reply[256];
		snprintf(reply, sizeof(reply), "$%zu\r\n%s\r\n", strlen(server->info), server->info);
		server_say(server, reply);
	} else if (strcmp(word, "SCRIPT") == 0) {
		server_say(server, "$40\r\n0123456789012345678901234567890123456789\r\n");
	} else {
		server_say(server, server->answer);
		if (server->closes)
			server_hang_up(server);
	}
}

static void server_on_bytes(void *ctx, unsigned events)
{
	(void)events;
	struct strange_server *server = ctx;
	char bytes[16384];
	ssize_t got = recv(server->fd, bytes, sizeof(bytes), 0);
	if (got <= 0) {
		server_hang_up(server);
		return;
	}
	redisReaderFeed(server->reader, bytes, (size_t)got);
	void *command = NULL;
	while (server->fd >= 0 && redisReaderGetReply(server->reader, &command) == REDIS_OK &&
		   command) {
		server_answer(server, command);
		freeReplyObject(command);
	}
}

static void server_on_client(void *ctx, unsigned events)
{
	(void)events;
	struct strange_server *server = ctx;
	server_hang_up(server);
	server->fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(server->fd >= 0);
	server->accepted++;
	server->reader = redisReaderCreate();
	server->watch = loop_watch(server->loop, server->fd, LOOP_READ, server_on_bytes, server);
}

static struct sockaddr_un server_address(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	assert_true(strlen(path) < sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	return address;
}

/* ---- a client of it ---- */

static struct strange_server server;
static struct ask *ask;

static int start(void **state)
{
	(void)state;
	static int number;
	server = (struct strange_server){.fd = -1, .info = "run_id:strange\r\nrole:master\r\n"};
	server.path = temp_path("strange%d.sock", ++number);
	server.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = server_address(server.path);
	assert_int_equal(bind(server.listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server.listen_fd, 5), 0);
	char url[256];
	snprintf(url, sizeof(url), "unix://%s", server.path);
	ask = ask_open_later(url, NULL);
	server.loop = ask->loop;
	server.listen_watch =
		loop_watch(server.loop, server.listen_fd, LOOP_READ, server_on_client, &server);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	server_hang_up(&server);
	loop_unwatch(server.listen_watch);
	close(server.listen_fd);
	free(server.path);
	ask_close(ask);
	return 0;
}

static struct store_counts counts(void)
{
	struct store_counts now;
	store_counts(ask->store, &now);
	return now;
}

static void await_ready(void)
{
	assert_true(store_wait_ready(ask->store, wait_left_ms(wait_deadline(READY_MS))));
}

/* Every kind of step gets 'answer'; gives how many of them took it for an answer. */
static int ask_everything(const char *answer)
{
	server.answer = answer;
	store_id id = "person0000000001";
	struct join person = {.position_id = id, .lane = "main"};
	struct lost_place lost = {.position_id = "person0000000001", .lane = "main", .ticket = 1};
	struct queue_settings settings;
	queue_settings_default(&settings);
	int taken = 0;
#define TAKEN(call) (await_ready(), taken += (call)->err == WR_OK)
	TAKEN(ask_join(ask, &demo, &person, 1));
	TAKEN(ask_heartbeat(ask, &demo, &id, 1));
	TAKEN(ask_visit(ask, &demo, true, &id, 1));
	TAKEN(ask_release(ask, &demo, STORE_LEAVE, &id, 1));
	TAKEN(ask_restore(ask, &demo, &lost, 1));
	TAKEN(ask_admit(ask, &demo, 10, 0));
	TAKEN(ask_reap(ask, &demo, 10));
	TAKEN(ask_sync(ask, &demo, "", 0, 10));
	TAKEN(ask_patch(ask, &demo, "state", "open"));
	TAKEN(ask_put(ask, &demo, &settings, 0, NULL));
	TAKEN(ask_delete(ask, &demo, 10));
	TAKEN(ask_lease(ask, &demo, "relay", "me", 1000));
#undef TAKEN
	return taken;
}

#define STEPS 12

/* ---- whole replies of the wrong shape ---- */

static void no_step_takes_an_answer_of_the_wrong_shape(void **state)
{
	(void)state;
	static const char *const answers[] = {
		"+OK\r\n",
		":7\r\n",
		"$-1\r\n",
		"*-1\r\n",
		"*0\r\n",
		"-ERR no\r\n",
		"*1\r\n$2\r\nok\r\n",
		"*1\r\n:1\r\n",
		"*1\r\n*1\r\n$2\r\nok\r\n",
		"*2\r\n$2\r\nok\r\n$3\r\nnow\r\n",
		"*3\r\n$2\r\nok\r\n:1\r\n:2\r\n",
		"*4\r\n$2\r\nok\r\n:1\r\n$1\r\nw\r\n$-1\r\n",
		"*9\r\n$2\r\nok\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n",
		"*2\r\n$7\r\ncreated\r\n:-1\r\n",
		"*2\r\n$6\r\nsomed\xff\r\n:1\r\n",
	};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		uint64_t failures = counts().failures;
		int taken = ask_everything(answers[i]);
		if (taken)
			fail_msg("answer %zu was taken by %d steps", i, taken);
		assert_true(counts().failures >= failures + STEPS);
		assert_true(store_is_ready(ask->store)); /* the stream is in step */
	}
	assert_int_equal(server.accepted, 1);
}

/* The right number of elements, one of them impossible. */
static void no_step_takes_impossible_values(void **state)
{
	(void)state;
	static const char *const answers[] = {
		"*3\r\n$2\r\nok\r\n:1\r\n:9\r\n",		/* heartbeat: the ninth of one person */
		"*3\r\n$2\r\nok\r\n:1\r\n:0\r\n",		/* heartbeat: Lua counts from 1 */
		"*3\r\n$2\r\nok\r\n:1\r\n$2\r\nww\r\n", /* restore: no state has two letters */
		"*6\r\n$2\r\nok\r\n:1\r\n:-1\r\n:0\r\n:0\r\n:0\r\n",	   /* reap: fewer than none */
		"*7\r\n$2\r\nok\r\n:1\r\n:1\r\n:-1\r\n:0\r\n:0\r\n:0\r\n", /* admit */
	};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_int_equal(ask_everything(answers[i]), 0);
}

static void numbers_may_come_as_text(void **state)
{
	(void)state;
	await_ready();
	server.answer = "*6\r\n$2\r\nok\r\n$2\r\n99\r\n$1\r\n3\r\n$1\r\n2\r\n$1\r\n1\r\n$1\r\n0\r\n";
	const struct ask_queue *answer = ask_reap(ask, &demo, 10);
	assert_int_equal(answer->err, WR_OK);
	assert_int_equal(answer->reaped.expired, 3);
	assert_int_equal(answer->reaped.ended, 1);
}

/* ---- a broken stream ---- */

/* One good answer, so that the next attempt to connect is not put off for long. */
static void recover(void)
{
	await_ready();
	server.answer = "+fine\r\n";
	server.closes = false;
	assert_string_equal(ask_do(ask, "PING")->text, "fine");
}

static void assert_join_breaks_the_connection(const char *answer, bool closes)
{
	recover();
	int accepted = server.accepted;
	server.answer = answer;
	server.closes = closes;
	struct join person = {.position_id = "person0000000001", .lane = "main"};
	assert_int_equal(ask_join(ask, &demo, &person, 1)->err, WR_STORE_AWAY);
	assert_false(store_is_ready(ask->store));
	recover();
	assert_int_equal(server.accepted, accepted + 1);
}

static void a_broken_stream_costs_the_connection_only(void **state)
{
	(void)state;
	static const char *const answers[] = {
		"?what\r\n",
		"HTTP/1.1 400 Bad Request\r\n\r\n",
#if HIREDIS_MAJOR < 1 /* later versions go as deep as it takes */
		"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", /* too deep */
#endif
		"$-2\r\n",
		":abc\r\n",
		"*2\r\n$2\r\nok\r\n?\r\n",
	};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_join_breaks_the_connection(answers[i], false);
}

static void a_reply_that_breaks_off_fails_the_call(void **state)
{
	(void)state;
	static const char *const answers[] = {"", "*", "*6\r\n$2\r\nok\r\n:1", "$1000\r\nabc",
										  "*3\r\n"};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_join_breaks_the_connection(answers[i], true);
}

/* hiredis asserts that somebody waits for each reply, and would end the process. */
static void replies_that_nobody_asked_for_cost_the_connection_only(void **state)
{
	(void)state;
	static const char *const extra[] = {
		"$1\r\na\r\n+and\r\n",
		"$1\r\na\r\n:1\r\n",
		"$1\r\na\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n",
		"$1\r\na\r\n-ERR max number of clients reached\r\n",
		"$1\r\na\r\n$-1\r\n",
	};
	for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
		await_ready();
		server.answer = extra[i];
		const struct ask_raw *raw = ask_do(ask, "ECHO a");
		assert_int_equal(raw->err, WR_OK);
		assert_string_equal(raw->text, "a");
		struct mono_time end = wait_deadline(READY_MS);
		while (store_is_ready(ask->store) && wait_left_ms(end))
			loop_turn(ask->loop, 5);
		assert_false(store_is_ready(ask->store));
	}
}

/* ---- greetings ---- */

static void a_server_without_a_run_id_has_an_empty_life(void **state)
{
	(void)state;
	server.info = "dragonfly_version:df-v1.40.0\r\nrole:master\r\n";
	await_ready();
	assert_string_equal(store_life(ask->store), "");
}

static void a_long_run_id_is_cut(void **state)
{
	(void)state;
	server.info = "run_id:0123456789012345678901234567890123456789012345678901234567890123456789";
	await_ready();
	assert_int_equal(strlen(store_life(ask->store)), 47);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_step_takes_an_answer_of_the_wrong_shape),
		TEST(no_step_takes_impossible_values),
		TEST(numbers_may_come_as_text),
		TEST(a_broken_stream_costs_the_connection_only),
		TEST(a_reply_that_breaks_off_fails_the_call),
		TEST(replies_that_nobody_asked_for_cost_the_connection_only),
		TEST(a_server_without_a_run_id_has_an_empty_life),
		TEST(a_long_run_id_is_cut),
	};
	return cmocka_run_group_tests_name("store_strange_replies", tests, NULL, NULL);
}
