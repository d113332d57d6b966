/* Greeting: what is said and asked when a socket has connected, before any call.
 *
 * It goes out in one piece: AUTH, SELECT, INFO (which life of the server is it, and is it the
 * primary?), and SCRIPT LOAD for every step. Ready when all answers are good; a replica, a server
 * that is still loading its data, and one that refuses the password are left again.
 *
 * Valkey answers like Redis. DragonflyDB has no run_id: then the life is "", for ever.
 */
#include "lib/store/client.h"
#include "lib/store/script_texts.h"

#include <ctype.h>
#include <string.h>

/* What is asked, in this order; scripts are GREET_SCRIPT + their number. */
enum greeting { GREET_AUTH, GREET_SELECT, GREET_SERVER, GREET_ROLE, GREET_SCRIPT };

/* "run_id:abc\r\n" among the lines of INFO; fills "" when there is none. */
static void info_field(const char *info, const char *name, char *ret_text, size_t room)
{
	size_t name_len = strlen(name), len = 0;
	for (const char *line = info; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, name_len) == 0 && line[name_len] == ':') {
			line += name_len + 1;
			len = strcspn(line, "\r\n");
			if (len >= room)
				len = room - 1;
			memcpy(ret_text, line, len);
			break;
		}
	}
	ret_text[len] = '\0';
}

static const char *take_role(const struct reply *reply)
{
	char role[16];
	info_field(reply_text(reply), "role", role, sizeof(role));
	return role[0] == '\0' || strcmp(role, "master") == 0 ? NULL : "the server is a replica";
}

static const char *take_digest(struct store *store, const struct reply *reply, int script)
{
	const char *digest = reply_text(reply);
	size_t len = strlen(digest);
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)digest[i]))
			len = 0;
	if (len != SCRIPT_DIGEST_CHARS)
		return "the server does not load scripts";
	memcpy(store->digests[script], digest, SCRIPT_DIGEST_CHARS + 1);
	return NULL;
}

/* Why this server will not do, or NULL. */
static const char *take_greeting(struct store *store, const struct reply *reply, int step)
{
	if (reply_is_error(reply))
		return reply_text(reply);
	if (step == GREET_SERVER)
		info_field(reply_text(reply), "run_id", store->life, sizeof(store->life));
	if (step == GREET_ROLE)
		return take_role(reply);
	if (step >= GREET_SCRIPT)
		return take_digest(store, reply, step - GREET_SCRIPT);
	return NULL;
}

static void on_greeting(redisAsyncContext *connection, void *object, void *ctx)
{
	struct store *store = connection->data;
	const struct reply *reply = object;
	if (!reply || !store)
		return;
	const char *trouble = take_greeting(store, reply, (int)(intptr_t)ctx);
	if (trouble)
		link_drop(store, trouble);
	else if (--store->greetings_left == 0)
		link_ready(store);
}

static void greet(struct store *store, int step, int argc, const char **argv, const size_t *lens)
{
	char *command = NULL;
	long long len = redisFormatCommandArgv(&command, argc, argv, lens);
	if (len > 0 && link_send(store, on_greeting, (void *)(intptr_t)step, command, (size_t)len))
		store->greetings_left++;
	redisFreeCommand(command);
}

static void greet_words(struct store *store, int step, const char *a, const char *b, const char *c)
{
	greet(store, step, c ? 3 : 2, (const char *[]){a, b, c}, NULL);
}

void greeting_send(struct store *store)
{
	const char *user = store_address_user(store->address);
	const char *password = store_address_password(store->address);
	int database = store_address_database(store->address);
	char number[21];
	number[text_from_u64((uint64_t)database, number)] = '\0';

	if (user[0])
		greet_words(store, GREET_AUTH, "AUTH", user, password);
	else if (password[0])
		greet_words(store, GREET_AUTH, "AUTH", password, NULL);
	if (database > 0)
		greet_words(store, GREET_SELECT, "SELECT", number, NULL);
	greet_words(store, GREET_SERVER, "INFO", "server", NULL);
	greet_words(store, GREET_ROLE, "INFO", "replication", NULL);
	for (int i = 0; i < SCRIPT_COUNT; i++) {
		const struct store_script_text *text = script_text((enum script)i);
		greet(store, GREET_SCRIPT + i, 3, (const char *[]){"SCRIPT", "LOAD", text->text},
			  (const size_t[]){6, 4, text->len});
	}
}
