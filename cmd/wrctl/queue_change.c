/* wrctl queue create|set|pause|resume|hold|open|close|drain|admit: what is changed in the middle of
 * an evening. */
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "body.h"
#include "client.h"
#include "diff.h"
#include "look.h"
#include "table.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"
#include "watching.h"

/* ---- set ---- */

static void print_set(const struct wrctl *w, const char *name, const struct reply *reply, bool dry)
{
	if (w->json) {
		reply_print(reply);
		return;
	}
	if (!dry) {
		printf("%s is at version %lld now.\n", name,
			   (long long)look_int(reply->json, "version", 0));
		return;
	}
	if (diff_count(reply->json) == 0)
		printf("%s would stay as it is.\n", name);
	else
		printf("%s would change:\n", name);
	diff_print(reply->json, false, &w->terminal);
	diff_print_effect(reply->json, &w->terminal);
}

/* The names that shall have their defaults again; ends in NULL, lends. */
static size_t defaults_given(const struct wrctl *w, const char *ret_names[GIVEN_MAX + 1])
{
	size_t count = 0;
	for (size_t i = 0; i < w->given_count; i++)
		if (strcmp(w->given[i].name, "default") == 0)
			ret_names[count++] = w->given[i].value;
	ret_names[count] = NULL;
	return count;
}

int wrctl_queue_set(struct wrctl *w, int argc, char **argv)
{
	bool dry = wrctl_flag(w, "dry-run");
	WR_AUTO(mem_free_at) char *path = queue_path(w, argv[0], dry ? "?dry_run=1" : "");
	WR_AUTO(mem_free_at) char *body = NULL;
	WR_AUTO(reply_clear) struct reply reply = {0};
	struct err_detail detail = {""};
	const char *version = wrctl_option(w, "if-version");
	const char *defaults[GIVEN_MAX + 1];
	uint64_t number;
	if (path == NULL)
		return WRCTL_USAGE;
	if (defaults_given(w, defaults) == 0 && argc < 2)
		return wrctl_misuse(w, "NAME=VALUE or --default NAME: which setting?");
	if (version != NULL && !text_to_u64(version, strlen(version), UINT64_MAX - 1, &number))
		return wrctl_misuse(w, "--if-version: must be a number, as wrctl queue get shows it");
	if (body_of_settings(argc - 1, argv + 1, defaults, &body, &detail) != WR_OK)
		return wrctl_misuse(w, "%s", detail.text);
	struct request request = {.method = "PATCH", .path = path, .body = body, .if_match = version};
	int code = wrctl_ask(w, &request, &reply);
	if (code == WRCTL_DONE)
		print_set(w, argv[0], &reply, dry);
	else if (code == WRCTL_REFUSED)
		body_say_unknown(body);
	return code;
}

int wrctl_queue_create(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, argv[0], "");
	WR_AUTO(mem_free_at) char *body = NULL;
	WR_AUTO(reply_clear) struct reply reply = {0};
	struct err_detail detail = {""};
	if (path == NULL)
		return WRCTL_USAGE;
	if (body_of_settings(argc - 1, argv + 1, NULL, &body, &detail) != WR_OK)
		return wrctl_misuse(w, "%s", detail.text);
	struct request request = {.method = "PUT", .path = path, .body = body, .only_new = true};
	int code = wrctl_ask(w, &request, &reply);
	if (code == WRCTL_DONE && w->json)
		reply_print(&reply);
	else if (code == WRCTL_DONE)
		printf("%s is made.\n", argv[0]);
	else if (code == WRCTL_REFUSED)
		body_say_unknown(body);
	else if (code == WRCTL_CONFLICT)
		wrctl_say("is %s there already? wrctl queue set changes it", argv[0]);
	return code;
}

/* ---- the state ---- */

/* {"message":"…","messages":{"de":"…"}} of --message and --message-in de=…; gives; NULL: none
 * given. false: said. */
static bool message_body(const struct wrctl *w, char **ret)
{
	const char *message = wrctl_option(w, "message");
	size_t room = 256;
	for (size_t i = 0; i < w->given_count; i++)
		room += 6 * strlen(w->given[i].value) + 16;
	WR_AUTO(mem_free_at) char *text = mem_alloc_zero(1, room);
	struct json_out out;
	json_out_init(&out, text, room - 1);
	json_out_object(&out, NULL);
	if (message != NULL)
		json_out_string(&out, "message", message);
	json_out_object(&out, "messages");
	for (size_t i = 0; i < w->given_count; i++) {
		const char *value = w->given[i].value, *equals = strchr(value, '=');
		char language[16];
		if (strcmp(w->given[i].name, "message-in") != 0)
			continue;
		if (equals == NULL || equals == value || equals - value >= (ptrdiff_t)sizeof(language)) {
			(void)wrctl_misuse(w, "--message-in: must be LANGUAGE=TEXT, de=\"Kurze Pause\"");
			return false;
		}
		snprintf(language, sizeof(language), "%.*s", (int)(equals - value), value);
		if (strspn(language, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") !=
			strlen(language)) {
			(void)wrctl_misuse(w, "--message-in: \"%s\" is no language", language);
			return false;
		}
		json_out_string(&out, language, equals + 1);
	}
	json_out_object_end(&out);
	json_out_object_end(&out);
	if (message != NULL || wrctl_flag(w, "message-in"))
		*ret = WR_TAKE(text);
	return true;
}

static int change_state(struct wrctl *w, const char *name, const char *verb, const char *said)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, name, verb);
	WR_AUTO(mem_free_at) char *body = NULL;
	WR_AUTO(reply_clear) struct reply reply = {0};
	if (path == NULL || !message_body(w, &body))
		return WRCTL_USAGE;
	struct request request = {.method = "POST", .path = path, .body = body};
	int code = wrctl_ask(w, &request, &reply);
	if (code != WRCTL_DONE)
		return code;
	if (w->json)
		reply_print(&reply);
	else
		printf("%s %s (version %lld).\n", name, said,
			   (long long)look_int(reply.json, "version", 0));
	fflush(stdout);
	return WRCTL_DONE;
}

int wrctl_queue_pause(struct wrctl *w, int argc, char **argv)
{
	(void)argc;
	return change_state(w, argv[0], "/pause", "is paused: people may join, nobody is let in");
}

int wrctl_queue_resume(struct wrctl *w, int argc, char **argv)
{
	(void)argc;
	return change_state(w, argv[0], "/resume", "goes on: people are let in");
}

int wrctl_queue_hold(struct wrctl *w, int argc, char **argv)
{
	(void)argc;
	return change_state(w, argv[0], "/hold", "is held: people may join, nobody is let in yet");
}

int wrctl_queue_open(struct wrctl *w, int argc, char **argv)
{
	(void)argc;
	return change_state(w, argv[0], "/open", "is open: people join and are let in");
}

int wrctl_queue_close(struct wrctl *w, int argc, char **argv)
{
	(void)argc;
	return change_state(w, argv[0], "/close", "is closed: nobody may join, the line is let in");
}

int wrctl_queue_drain(struct wrctl *w, int argc, char **argv)
{
	(void)argc;
	/* Before anything is said: who reads it may press Ctrl-C at once. */
	if (wrctl_flag(w, "wait"))
		interrupt_watch();
	int code =
		change_state(w, argv[0], "/drain",
					 "drains: nobody may join, the line is let in as fast as the capacity allows");
	return code == WRCTL_DONE && wrctl_flag(w, "wait") ? watching_until_empty(w, argv[0]) : code;
}

/* ---- admit ---- */

int wrctl_queue_admit(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, argv[0], "/admit");
	WR_AUTO(reply_clear) struct reply reply = {0};
	char body[64];
	uint64_t count = 0;
	(void)argc;
	if (path == NULL)
		return WRCTL_USAGE;
	if (!text_to_u64(argv[1], strlen(argv[1]), 1000000, &count) || count == 0)
		return wrctl_misuse(w, "COUNT: must be 1..1000000, is \"%.40s\"", argv[1]);
	snprintf(body, sizeof(body), "{\"count\":%llu}", (unsigned long long)count);
	struct request request = {.method = "POST", .path = path, .body = body};
	struct watching watching;
	watching_begin(&watching, w, "letting in", NULL, 0);
	int code = wrctl_ask(w, &request, &reply);
	watching_end(&watching);
	if (code != WRCTL_DONE)
		return code;
	if (w->json)
		reply_print(&reply);
	else
		printf("%lld of %llu let in, %lld slots are free.\n",
			   (long long)look_int(reply.json, "admitted", 0), (unsigned long long)count,
			   (long long)look_int(reply.json, "free", 0));
	return WRCTL_DONE;
}
