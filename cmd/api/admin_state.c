/* Admin state: one order, one state: pause, resume, hold, open, close, drain.
 *
 * Each may say something to those who wait, in their languages. What was said about the former
 * state is not left standing: an order without a message takes the messages away.
 */
#include "admin_queue.h"

#include <stdlib.h>
#include <string.h>

#include "admin_audit.h"
#include "admin_version.h"
#include "waitingroom/json_in.h"
#include "waitingroom/memory.h"

/* The body is optional; it has "message" and "messages", with the rules of the settings. */
static enum wr_err read_messages(const struct http_request *request,
								 struct queue_settings *ret_settings, struct err_detail *ret_detail)
{
	WR_AUTO(json_free_at) struct json_value *document = NULL;
	size_t len = 0;
	const char *body = http_request_body(request, &len);
	if (len == 0)
		return WR_OK;
	enum wr_err err = json_parse(body, len, &document, ret_detail);
	if (err != WR_OK)
		return err;
	size_t known =
		(json_member(document, "message") != NULL) + (json_member(document, "messages") != NULL);
	if (!json_is_object(document) || json_count(document) > known)
		return err_say(ret_detail, WR_INVALID,
					   "message: the body is {\"message\":\"…\",\"messages\":{\"de\":\"…\"}}");
	return queue_settings_from_put(body, len, NULL, ret_settings, ret_detail);
}

static const char *field_value(const struct queue_fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (strcmp(fields->list[i].name, name) == 0)
			return fields->list[i].value;
	abort(); /* every setting has its field */
}

#define ORDER_FIELDS 3

struct order { /* the settings that were read, in another state */
	struct queue_settings settings;
	struct queue_field changed[ORDER_FIELDS]; /* lent by 'fields' */
	struct queue_fields fields;
};

/* ret_order  fills; end with order_clear */
static void order_make(enum queue_state state, const struct queue_settings *read,
					   const struct queue_settings *said, struct order *ret_order)
{
	queue_settings_to_fields(said, &ret_order->fields);
	const struct queue_field changed[ORDER_FIELDS] = {
		{"state", queue_state_word(state)},
		{"message", field_value(&ret_order->fields, "message")},
		{"messages", field_value(&ret_order->fields, "messages")}};
	memcpy(ret_order->changed, changed, sizeof(changed));
	queue_settings_copy(read, &ret_order->settings);
	for (size_t i = 0; i < ORDER_FIELDS; i++)
		if (queue_settings_set_field(&ret_order->settings, changed[i].name, changed[i].value,
									 strlen(changed[i].value)) != WR_OK)
			abort(); /* printed by queue_settings_to_fields a moment ago */
}

static void order_clear(struct order *order)
{
	queue_settings_clear(&order->settings);
	queue_fields_clear(&order->fields);
}

static void put_order(struct http_request *request, const struct synced *read,
					  const struct order *order)
{
	const struct admin_notes *notes = http_request_notes(request);
	WR_AUTO(mem_free_at) char *before = NULL;
	WR_AUTO(mem_free_at) char *after = NULL;
	char data[QUEUE_MESSAGE_BYTES * 6 + 128], entry[STORE_AUDIT_BYTES];
	struct json_out out;
	json_out_init(&out, data, sizeof(data) - 1);
	json_out_object(&out, NULL);
	json_out_string(&out, "by", "admin");
	json_out_string(&out, "state", queue_state_word(order->settings.state));
	json_out_string(&out, "message", order->settings.message);
	json_out_object_end(&out);
	data[out.len] = '\0';
	admin_audit_settings(&read->settings, &order->settings, &before, &after);
	admin_audit_json(notes, before, after, entry, sizeof(entry));
	struct store_audit audit = admin_audit_of(notes, entry);
	store_patch_queue(notes->internal->store, &notes->name, order->changed, ORDER_FIELDS,
					  read->version, data, &audit, admin_on_put, request);
}

/* Reads what is there and changes it, tied to the version that was read: so the audit is right
 * about what was before. */
static void on_read(void *ctx, enum wr_err err, const struct synced *answer)
{
	struct http_request *request = ctx;
	struct admin_notes *notes = http_request_notes(request);
	struct err_detail detail = {""};
	WR_AUTO(queue_settings_clear) struct queue_settings said;
	queue_settings_default(&said);
	if (err == WR_OK)
		err = read_messages(request, &said, &detail);
	if (err == WR_OK)
		err = version_check(request, true, answer->version, &detail);
	if (err != WR_OK) {
		admin_problem(notes->internal, request, err == WR_NOT_FOUND ? WR_NO_QUEUE : err,
					  detail.text[0] != '\0' ? &detail : NULL);
		return;
	}
	WR_AUTO(order_clear) struct order order;
	order_make((enum queue_state)notes->wanted, &answer->settings, &said, &order);
	if (admin_is_dry_run(request))
		admin_reply_dry_run(request, answer, &order.settings);
	else
		put_order(request, answer, &order);
}

static void read_for_state(struct http_request *request)
{
	struct admin_notes *notes = http_request_notes(request);
	store_sync(notes->internal->store, &notes->name, "0", NULL, 0, 1, on_read, request);
}

static void change_state(struct http_request *request, enum queue_state state)
{
	struct admin_notes *notes = http_request_notes(request);
	notes->wanted = state;
	notes->again = read_for_state;
	read_for_state(request);
}

#define SERVE(order, state)                                                                        \
	void admin_##order##_serve(void *ctx, struct http_request *request,                            \
							   const struct route_match *match)                                    \
	{                                                                                              \
		(void)ctx, (void)match;                                                                    \
		change_state(request, state);                                                              \
	}
SERVE(pause, QUEUE_PAUSED)
SERVE(resume, QUEUE_OPEN)
SERVE(open, QUEUE_OPEN)
SERVE(hold, QUEUE_HOLD)
SERVE(close, QUEUE_CLOSED)
SERVE(drain, QUEUE_DRAINING)
#undef SERVE
