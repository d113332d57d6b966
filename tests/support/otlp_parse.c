/* OTLP, read strictly: tables of opentelemetry-proto's messages (trace/v1, common/v1, resource/v1),
 * as far as a span reaches, with the JSON form that the protocol lays down.
 */
#include "support/otlp_receiver.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __thread char trouble[256];

enum form {
	FORM_TEXT,
	FORM_BOOL,
	FORM_DOUBLE,
	FORM_UINT32, /* a number */
	FORM_ENUM,	 /* a number, never a name */
	FORM_INT64,	 /* a string */
	FORM_FIXED64,
	FORM_TRACE_ID, /* hex, not base64 */
	FORM_SPAN_ID,
	FORM_PARENT_ID, /* may be "" */
	FORM_MESSAGE,
	FORM_MESSAGES, /* repeated */
};

struct message;
struct field {
	const char *name;
	enum form form;
	const struct message *message;
	bool required;
};
struct message {
	const char *name;
	bool exactly_one; /* a oneof */
	const struct field *fields;
};

#define MAY(name_, form_)                                                                          \
	{                                                                                              \
		.name = name_, .form = form_                                                               \
	}
#define MUST(name_, form_)                                                                         \
	{                                                                                              \
		.name = name_, .form = form_, .required = true                                             \
	}
#define HAS(name_, form_, message_)                                                                \
	{                                                                                              \
		.name = name_, .form = form_, .message = &(message_)                                       \
	}
#define NEEDS(name_, form_, message_)                                                              \
	{                                                                                              \
		.name = name_, .form = form_, .message = &(message_), .required = true                     \
	}
#define END                                                                                        \
	{                                                                                              \
		.name = NULL                                                                               \
	}

static const struct message any_value, key_value, key_value_list, array_value;

static const struct message any_value = {
	.name = "AnyValue",
	.exactly_one = true,
	.fields = (const struct field[]){
		MAY("stringValue", FORM_TEXT), MAY("boolValue", FORM_BOOL), MAY("intValue", FORM_INT64),
		MAY("doubleValue", FORM_DOUBLE), HAS("arrayValue", FORM_MESSAGE, array_value),
		HAS("kvlistValue", FORM_MESSAGE, key_value_list), MAY("bytesValue", FORM_TEXT), END}};
static const struct message array_value = {
	.name = "ArrayValue",
	.fields = (const struct field[]){HAS("values", FORM_MESSAGES, any_value), END}};
static const struct message key_value_list = {
	.name = "KeyValueList",
	.fields = (const struct field[]){HAS("values", FORM_MESSAGES, key_value), END}};
static const struct message key_value = {
	.name = "KeyValue",
	.fields = (const struct field[]){MUST("key", FORM_TEXT),
									 NEEDS("value", FORM_MESSAGE, any_value), END}};
#define ATTRIBUTES                                                                                 \
	HAS("attributes", FORM_MESSAGES, key_value), MAY("droppedAttributesCount", FORM_UINT32)
static const struct message link_message = {
	.name = "Span.Link",
	.fields = (const struct field[]){MUST("traceId", FORM_TRACE_ID), MUST("spanId", FORM_SPAN_ID),
									 MAY("traceState", FORM_TEXT), ATTRIBUTES,
									 MAY("flags", FORM_UINT32), END}};
static const struct message event_message = {
	.name = "Span.Event",
	.fields = (const struct field[]){MUST("timeUnixNano", FORM_FIXED64), MUST("name", FORM_TEXT),
									 ATTRIBUTES, END}};
static const struct message status_message = {
	.name = "Status",
	.fields = (const struct field[]){MAY("message", FORM_TEXT), MAY("code", FORM_ENUM), END}};
static const struct message span_message = {
	.name = "Span",
	.fields = (const struct field[]){
		MUST("traceId", FORM_TRACE_ID), MUST("spanId", FORM_SPAN_ID), MAY("traceState", FORM_TEXT),
		MAY("parentSpanId", FORM_PARENT_ID), MAY("flags", FORM_UINT32), MUST("name", FORM_TEXT),
		MUST("kind", FORM_ENUM), MUST("startTimeUnixNano", FORM_FIXED64),
		MUST("endTimeUnixNano", FORM_FIXED64), ATTRIBUTES,
		HAS("events", FORM_MESSAGES, event_message), MAY("droppedEventsCount", FORM_UINT32),
		HAS("links", FORM_MESSAGES, link_message), MAY("droppedLinksCount", FORM_UINT32),
		HAS("status", FORM_MESSAGE, status_message), END}};
static const struct message scope_message = {
	.name = "InstrumentationScope",
	.fields = (const struct field[]){MUST("name", FORM_TEXT), MAY("version", FORM_TEXT), ATTRIBUTES,
									 END}};
static const struct message scope_spans_message = {
	.name = "ScopeSpans",
	.fields = (const struct field[]){HAS("scope", FORM_MESSAGE, scope_message),
									 NEEDS("spans", FORM_MESSAGES, span_message),
									 MAY("schemaUrl", FORM_TEXT), END}};
static const struct message resource_message = {.name = "Resource",
												.fields = (const struct field[]){ATTRIBUTES, END}};
static const struct message resource_spans_message = {
	.name = "ResourceSpans",
	.fields = (const struct field[]){NEEDS("resource", FORM_MESSAGE, resource_message),
									 NEEDS("scopeSpans", FORM_MESSAGES, scope_spans_message),
									 MAY("schemaUrl", FORM_TEXT), END}};
static const struct message request_message = {
	.name = "ExportTraceServiceRequest",
	.fields =
		(const struct field[]){NEEDS("resourceSpans", FORM_MESSAGES, resource_spans_message), END}};

static bool is_hex(const cJSON *value, size_t chars)
{
	return cJSON_IsString(value) && strlen(value->valuestring) == chars &&
		   strspn(value->valuestring, "0123456789abcdef") == chars &&
		   strspn(value->valuestring, "0") != chars;
}

static bool is_digits(const cJSON *value, bool may_be_negative)
{
	if (!cJSON_IsString(value))
		return false;
	const char *text = value->valuestring;
	text += may_be_negative && *text == '-';
	return *text != '\0' && strlen(text) <= 20 && strspn(text, "0123456789") == strlen(text);
}

static bool is_small(const cJSON *value, double max)
{
	return cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble <= max &&
		   value->valuedouble == (double)(int64_t)value->valuedouble;
}

static bool message_is_fine(const struct message *message, const cJSON *value);

static bool value_is_fine(const struct field *field, const cJSON *value)
{
	switch (field->form) {
	case FORM_TEXT:
		return cJSON_IsString(value);
	case FORM_BOOL:
		return cJSON_IsBool(value);
	case FORM_DOUBLE:
		return cJSON_IsNumber(value);
	case FORM_UINT32:
		return is_small(value, 4294967295.0);
	case FORM_ENUM:
		return is_small(value, 5);
	case FORM_INT64:
		return is_digits(value, true);
	case FORM_FIXED64:
		return is_digits(value, false);
	case FORM_TRACE_ID:
		return is_hex(value, 32);
	case FORM_SPAN_ID:
		return is_hex(value, 16);
	case FORM_PARENT_ID:
		return is_hex(value, 16) || (cJSON_IsString(value) && value->valuestring[0] == '\0');
	case FORM_MESSAGE:
		return message_is_fine(field->message, value);
	case FORM_MESSAGES:
		if (!cJSON_IsArray(value))
			return false;
		for (const cJSON *item = value->child; item != NULL; item = item->next)
			if (!message_is_fine(field->message, item))
				return false;
		return true;
	}
	return false;
}

static bool complain(const struct message *message, const char *what, const char *name)
{
	if (trouble[0] == '\0') /* the innermost says it best */
		snprintf(trouble, sizeof(trouble), "%s: %s %s", message->name, what, name);
	return false;
}

static bool message_is_fine(const struct message *message, const cJSON *value)
{
	int members = 0;
	if (!cJSON_IsObject(value))
		return complain(message, "is not", "an object");
	for (const cJSON *member = value->child; member != NULL; member = member->next, members++) {
		const struct field *field = message->fields;
		while (field->name != NULL && strcmp(field->name, member->string) != 0)
			field++;
		if (field->name == NULL)
			return complain(message, "there is no member", member->string);
		if (cJSON_GetObjectItemCaseSensitive(value, member->string) != member)
			return complain(message, "twice", member->string);
		if (!value_is_fine(field, member))
			return complain(message, "wrong", member->string);
	}
	for (const struct field *field = message->fields; field->name != NULL; field++)
		if (field->required && cJSON_GetObjectItemCaseSensitive(value, field->name) == NULL)
			return complain(message, "missing", field->name);
	if (message->exactly_one && members != 1)
		return complain(message, "not exactly one", "value");
	return true;
}

const char *otlp_request_trouble(const char *json, size_t len)
{
	const char *end = NULL;
	trouble[0] = '\0';
	cJSON *document = cJSON_ParseWithLengthOpts(json, len, &end, 0);
	if (document == NULL)
		return "it is not JSON";
	if (end != json + len)
		complain(&request_message, "more behind", "it");
	else
		message_is_fine(&request_message, document);
	cJSON_Delete(document);
	return trouble[0] != '\0' ? trouble : NULL;
}
