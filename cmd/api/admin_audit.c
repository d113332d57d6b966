/* Admin audit: entries are made. They are read by admin_audit_list.c.
 *
 * Of a change of settings only the members that differ are told, so that an entry says what was
 * done and stays small; a template, a logo or a list of a hundred targets is told by its hash. If
 * all of it is still too much for an entry, before and after as a whole are.
 */
#include "admin_audit.h"

#include "admin_shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"
#include "waitingroom/token.h"

#define VALUE_MAX_BYTES 400
#define NAMES_BYTES 2048 /* everything but before and after, escaped */

/* ---- the entry ---- */

struct audit_names { /* borrows */
	const char *key_id, *name, *action, *object, *tenant, *queue, *request_id, *address;
};

static void put_names(struct json_out *out, const struct audit_names *names)
{
	char id[POSITION_ID_CHARS + 1];
	position_id_random(id);
	json_out_string(out, "id", id);
	json_out_object(out, "who");
	json_out_string(out, "key_id", names->key_id);
	json_out_string(out, "name", names->name);
	json_out_object_end(out);
	json_out_string(out, "action", names->action);
	json_out_string(out, "object", names->object);
	json_out_string(out, "tenant", names->tenant);
	if (names->queue != NULL)
		json_out_string(out, "queue", names->queue);
	else
		json_out_null(out, "queue");
	json_out_string(out, "request_id", names->request_id);
	json_out_string(out, "address", names->address);
}

static void print_entry(const struct audit_names *names, const char *before, const char *after,
						char *ret_entry, size_t room)
{
	struct json_out out;
	size_t each = (room - NAMES_BYTES) / 2;
	json_out_init(&out, ret_entry, room - 1);
	json_out_object(&out, NULL);
	put_names(&out, names);
	admin_shown_put(&out, "before", before, each);
	admin_shown_put(&out, "after", after, each);
	json_out_object_end(&out);
	if (out.overflow)
		abort(); /* names are bounded by where they come from */
	ret_entry[out.len] = '\0';
}

void admin_audit_object(const struct admin_notes *notes, const char *action, const char *object,
						const char *tenant, const char *before, const char *after, char *ret_entry,
						size_t room)
{
	struct audit_names names = {.key_id = notes->caller.id,
								.name = notes->caller.name,
								.action = action != NULL ? action : notes->route->action,
								.object = object,
								.tenant = tenant,
								.request_id = notes->request_id,
								.address = notes->address};
	print_entry(&names, before, after, ret_entry, room);
}

static void print_about_queue(struct audit_names *names, const struct queue_name *queue,
							  const char *before, const char *after, char *ret_entry, size_t room)
{
	char name[QUEUE_NAME_TEXT_BYTES], object[QUEUE_NAME_TEXT_BYTES + sizeof("queues/")];
	queue_name_print(queue, name);
	snprintf(object, sizeof(object), "queues/%s", name);
	names->object = object;
	names->tenant = queue->tenant;
	names->queue = name;
	print_entry(names, before, after, ret_entry, room);
}

void admin_audit_json(const struct admin_notes *notes, const char *before, const char *after,
					  char *ret_entry, size_t room)
{
	struct audit_names names = {.key_id = notes->caller.id,
								.name = notes->caller.name,
								.action = notes->route->action,
								.request_id = notes->request_id,
								.address = notes->address};
	if (notes->name.queue[0] != '\0') {
		print_about_queue(&names, &notes->name, before, after, ret_entry, room);
		return;
	}
	char object[NAME_MAX_CHARS + sizeof("tenants/")];
	snprintf(object, sizeof(object), "tenants/%s", notes->name.tenant);
	admin_audit_object(notes, NULL, object, notes->name.tenant, before, after, ret_entry, room);
}

void admin_audit_file(const struct queue_name *queue, const char *before, const char *after,
					  char *ret_entry, size_t room)
{
	struct audit_names names = {.key_id = "-",
								.name = "WR_QUEUES_FILE",
								.action = "queue.put",
								.request_id = "",
								.address = ""};
	print_about_queue(&names, queue, before, after, ret_entry, room);
}

struct store_audit admin_audit_of(const struct admin_notes *notes, const char *entry)
{
	const struct config *config = &notes->internal->app->config;
	return (struct store_audit){.entry = entry,
								.keep = (uint64_t)config->audit_keep,
								.keep_s = config->audit_keep_days * 86400};
}

/* ---- what differs between settings ---- */

/* The members of 'these' that 'others' lacks or has otherwise. */
static void put_different(struct json_out *out, const struct json_value *these,
						  const struct json_value *others)
{
	for (size_t i = 0; i < json_count(these); i++) {
		const struct json_value *member = json_at(these, i);
		const struct json_value *other =
			others != NULL ? json_member(others, json_key(member)) : NULL;
		WR_AUTO(mem_free_at) char *value = json_print(member);
		WR_AUTO(mem_free_at) char *other_value = other != NULL ? json_print(other) : NULL;
		if (other_value == NULL || strcmp(value, other_value) != 0)
			admin_shown_put(out, json_key(member), value, VALUE_MAX_BYTES);
	}
}

static const char *field_value(const struct queue_fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (strcmp(fields->list[i].name, name) == 0)
			return fields->list[i].value;
	return "";
}

/* A setting that looks the same and is not: something secret in it has changed. */
static void put_secrets(struct json_out *out, const struct queue_settings *before,
						const struct queue_settings *after)
{
	static const char *const secret[] = {"captcha_secret", "entry_keys"};
	WR_AUTO(queue_fields_clear) struct queue_fields old;
	WR_AUTO(queue_fields_clear) struct queue_fields new;
	queue_settings_to_fields(before, &old);
	queue_settings_to_fields(after, &new);
	json_out_array(out, "secrets_changed");
	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
		if (strcmp(field_value(&old, secret[i]), field_value(&new, secret[i])) != 0)
			json_out_string(out, NULL, secret[i]);
	json_out_array_end(out);
}

/* gives */
static char *print_different(const struct queue_settings *settings, const struct json_value *these,
							 const struct json_value *others, const struct queue_settings *before)
{
	if (these == NULL)
		return mem_copy_string("null");
	struct json_out out;
	char *text = mem_alloc_zero(1, QUEUE_SETTINGS_JSON_BYTES);
	json_out_init(&out, text, QUEUE_SETTINGS_JSON_BYTES - 1);
	json_out_object(&out, NULL);
	put_different(&out, these, others);
	if (before != NULL)
		put_secrets(&out, before, settings);
	json_out_object_end(&out);
	if (out.overflow)
		abort();
	text[out.len] = '\0';
	return text;
}

void admin_audit_settings(const struct queue_settings *before, const struct queue_settings *after,
						  char **ret_before, char **ret_after)
{
	WR_AUTO(json_free_at) struct json_value *old = admin_shown(before);
	WR_AUTO(json_free_at) struct json_value *new = admin_shown(after);
	*ret_before = print_different(before, old, new, NULL);
	*ret_after = print_different(after, new, old, before);
}
