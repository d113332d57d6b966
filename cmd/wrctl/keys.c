/* wrctl key create|list|delete, whoami: who may do what. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "actions.h"
#include "client.h"
#include "look.h"
#include "table.h"
#include "waitingroom/clock.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

static void print_me(const struct wrctl *w, const struct json_value *answer)
{
	const char *tenant = look_text(answer, "tenant");
	printf("Key %s (%s) at %s: role %s, %s%s.\n", look_text(answer, "id"),
		   look_text(answer, "name"), client_url(w->client), look_text(answer, "role"),
		   strcmp(tenant, "*") == 0 ? "all tenants" : "tenant ",
		   strcmp(tenant, "*") == 0 ? "" : tenant);
}

int wrctl_whoami(struct wrctl *w, int argc, char **argv)
{
	(void)argc, (void)argv;
	return wrctl_show(w, "/admin/v1/whoami", print_me);
}

/* ---- create ---- */

/* "90m", "12h", "30d" from now, as milliseconds since 1970. */
static bool read_expiry(const char *text, int64_t *ret_ms)
{
	static const char units[] = "mhd";
	static const int64_t lengths[] = {60000, 3600000, 86400000};
	size_t len = strlen(text);
	const char *unit = len > 1 ? strchr(units, text[len - 1]) : NULL;
	uint64_t number = 0;
	if (unit == NULL || !text_to_u64(text, len - 1, 100000, &number) || number == 0)
		return false;
	*ret_ms = clock_wall().ms + (int64_t)number * lengths[unit - units];
	return true;
}

/* Before the key is made, so that none is made that cannot be kept. -1: said. */
static int open_key_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		wrctl_say("%s: %s", path, strerror(errno));
	return fd;
}

static int hand_over(const struct wrctl *w, const struct reply *reply, const char *path, int fd)
{
	const char *key = look_text(reply->json, "key");
	if (path != NULL) {
		bool written = dprintf(fd, "%s\n", key) > 0 && fsync(fd) == 0;
		if (!written) {
			wrctl_say("%s could not be written; delete key %s and make another", path,
					  look_text(reply->json, "id"));
			return WRCTL_REFUSED;
		}
		printf("Key %s is in %s.\n", look_text(reply->json, "id"), path);
		return WRCTL_DONE;
	}
	if (w->json) {
		reply_print(reply);
		return WRCTL_DONE;
	}
	fprintf(stderr, "Key %s; it is shown this once:\n", look_text(reply->json, "id"));
	puts(key);
	return WRCTL_DONE;
}

static int create(struct wrctl *w, const char *name, const char *path, int fd)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	char body[2048];
	int64_t expires_ms = 0;
	const char *expires = wrctl_option(w, "expires"), *tenant = wrctl_option(w, "tenant");
	struct json_out out;
	if (expires != NULL && !read_expiry(expires, &expires_ms))
		return wrctl_misuse(w, "--expires: must be like 90m, 12h or 30d");
	json_out_init(&out, body, sizeof(body) - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "name", name);
	json_out_string(&out, "role", wrctl_option(w, "role"));
	json_out_string(&out, "tenant", tenant);
	if (expires != NULL)
		json_out_int(&out, "expires_ms", expires_ms);
	json_out_object_end(&out);
	if (out.overflow)
		return wrctl_misuse(w, "NAME: is too long");
	body[out.len] = '\0';
	struct request request = {.method = "POST", .path = "/admin/v1/keys", .body = body};
	int code = wrctl_ask(w, &request, &reply);
	return code == WRCTL_DONE ? hand_over(w, &reply, path, fd) : code;
}

int wrctl_key_create(struct wrctl *w, int argc, char **argv)
{
	const char *path = wrctl_option(w, "save");
	(void)argc;
	if (wrctl_option(w, "role") == NULL || wrctl_option(w, "tenant") == NULL)
		return wrctl_misuse(w, "--role and --tenant are needed (--tenant '*' for all)");
	int fd = path != NULL ? open_key_file(path) : -1;
	if (path != NULL && fd < 0)
		return WRCTL_USAGE;
	int code = create(w, argv[0], path, fd);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && code != WRCTL_DONE)
		unlink(path); /* ours, and empty */
	return code;
}

/* ---- list, delete ---- */

static void print_keys(const struct wrctl *w, const struct json_value *answer)
{
	const struct json_value *keys = look(answer, "keys");
	if (wrctl_flag(w, "names")) {
		look_print_texts(keys, "id");
		return;
	}
	WR_AUTO(table_free_at)
	struct table *table = table_new("id", "name…", "role", "tenant", "expires", "last used");
	char when[NUMBER_TEXT_BYTES];
	for (size_t i = 0; keys != NULL && i < json_count(keys); i++) {
		const struct json_value *key = json_at(keys, i);
		table_cell(table, PAINT_BOLD, "%s", look_text(key, "id"));
		table_cell(table, PAINT_PLAIN, "%s", look_text(key, "name"));
		table_cell(table, PAINT_PLAIN, "%s", look_text(key, "role"));
		table_cell(table, PAINT_PLAIN, "%s", look_text(key, "tenant"));
		table_cell(table, PAINT_PLAIN, "%s", moment_text(look_int(key, "expires_ms", 0), when));
		table_cell(table, PAINT_PLAIN, "%s", moment_text(look_int(key, "last_used_ms", 0), when));
	}
	table_print(table, &w->terminal);
}

int wrctl_key_list(struct wrctl *w, int argc, char **argv)
{
	(void)argc, (void)argv;
	return wrctl_show(w, "/admin/v1/keys", print_keys);
}

int wrctl_key_delete(struct wrctl *w, int argc, char **argv)
{
	WR_AUTO(mem_free_at) char *id = url_escape(argv[0]);
	WR_AUTO(reply_clear) struct reply reply = {0};
	char path[512];
	(void)argc;
	if (!wrctl_confirm(w, "yes", "Whoever uses key %s is locked out at once.", argv[0]))
		return WRCTL_CONFLICT;
	snprintf(path, sizeof(path), "/admin/v1/keys/%.200s", id);
	int code = wrctl_ask(w, &(struct request){.method = "DELETE", .path = path}, &reply);
	if (code == WRCTL_DONE && !w->json)
		printf("Key %s is deleted.\n", argv[0]);
	return code;
}
