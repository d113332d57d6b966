/* JSON from outside: a strict scan first, then cJSON builds the tree, then a walk over the tree.
 *
 * cJSON alone would take much that is not JSON, finds members without regard to case, keeps the
 * first of two members of one name, and turns every number into a double. So:
 *
 *   1. json_scan refuses whatever is not RFC 8259 in UTF-8, NUL characters and deep nesting;
 *   2. cJSON_ParseWithLengthOpts makes the tree;
 *   3. the walk refuses duplicate names and numbers beyond all bounds, and gives numbers that a double or cJSON's printing would
 *      change their own text back (a raw node), so that what a client sent as opaque data is given
 *      out as it came.
 *
 * A document may have held keys: json_free wipes strings before it frees them.
 */
#include "waitingroom/json_in.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_scan.h"
#include "waitingroom/memory.h"
#include "waitingroom/text.h"

#define JSON_INT_MAX (INT64_C(1) << 53)
#define EXACT_DIGITS 15 /* as many decimal digits survive a double and back (DBL_DIG) */

static const cJSON *node_of(const struct json_value *value)
{
	return (const cJSON *)value;
}

static const struct json_value *value_of(const cJSON *node)
{
	return (const struct json_value *)node;
}

/* ---- the walk ---- */

/* Position in the source; the tree is walked in the order in which numbers stand there. */
struct walk {
	const char *text;
	size_t len;
	size_t at;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, so that an object of many members costs no square of their number. */
static bool has_duplicate_names(const cJSON *object)
{
	size_t count = 0;
	for (const cJSON *member = object->child; member; member = member->next)
		count++;
	WR_AUTO(mem_free_at) const char **names = mem_alloc_zero(count, sizeof(*names));
	size_t filled = 0;
	for (const cJSON *member = object->child; member; member = member->next)
		names[filled++] = member->string;
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 1; i < count; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			return true;
	return false;
}

/* Do the digits of a number token come back the same from a double? */
static bool survives_double(const char *token, size_t len, double value)
{
	unsigned digits = 0;
	for (size_t i = 0; i < len && (token[i] | 0x20) != 'e'; i++)
		if (token[i] >= '0' && token[i] <= '9' && (digits || token[i] != '0'))
			digits++;
	return digits == 0 || (digits <= EXACT_DIGITS && isnormal(value));
}

/* Returns false for a number that is beyond a double, such as 1e999: each program that reads it
 * later would make something else of it. */
static bool keep_exact(cJSON *node, struct walk *walk)
{
	size_t start, len;
	if (isinf(node->valuedouble))
		return false;
	if (!json_scan_next_number(walk->text, walk->len, &walk->at, &start, &len))
		return true;
	const char *token = walk->text + start;
	if (survives_double(token, len, node->valuedouble))
		return true;
	char *copy = cJSON_malloc(len + 1);
	if (!copy)
		abort();
	memcpy(copy, token, len);
	copy[len] = '\0';
	node->type = cJSON_Raw; /* the type alone: the low byte, no flags on a parsed node */
	node->valuestring = copy;
	return true;
}

/* Recursion is bounded by JSON_DEPTH_MAX. Returns what is wrong, NULL: nothing. */
static const char *walk_node(cJSON *node, struct walk *walk)
{
	const char *wrong = NULL;
	if (cJSON_IsNumber(node) && !keep_exact(node, walk))
		return "a number is too large";
	if (cJSON_IsObject(node) && has_duplicate_names(node))
		return "a name stands twice in one object";
	for (cJSON *child = node->child; child && !wrong; child = child->next)
		wrong = walk_node(child, walk);
	return wrong;
}

/* ---- documents ---- */

enum wr_err json_parse(const char *text, size_t len, struct json_value **ret_document,
					   struct err_detail *ret_detail)
{
	size_t wrong_at;
	const char *wrong = json_scan(text, len, &wrong_at);
	if (wrong)
		return err_say(ret_detail, WR_MALFORMED, "not JSON at byte %zu: %s", wrong_at, wrong);
	cJSON *tree = cJSON_ParseWithLengthOpts(text, len, NULL, 0);
	if (!tree)
		return err_say(ret_detail, WR_MALFORMED, "the JSON could not be taken in");
	struct walk walk = {.text = text, .len = len};
	wrong = walk_node(tree, &walk);
	if (wrong) {
		json_free((struct json_value *)tree);
		return err_say(ret_detail, WR_MALFORMED, "%s", wrong);
	}
	*ret_document = (struct json_value *)tree;
	return WR_OK;
}

static void wipe_strings(cJSON *node)
{
	if (node->valuestring)
		explicit_bzero(node->valuestring, strlen(node->valuestring));
	for (cJSON *child = node->child; child; child = child->next)
		wipe_strings(child);
}

void json_free(struct json_value *document)
{
	if (!document)
		return;
	wipe_strings((cJSON *)document);
	cJSON_Delete((cJSON *)document);
}

void json_free_at(struct json_value **document)
{
	json_free(*document);
}

/* ---- reading ---- */

bool json_is_object(const struct json_value *value)
{
	return cJSON_IsObject(node_of(value));
}

bool json_is_array(const struct json_value *value)
{
	return cJSON_IsArray(node_of(value));
}

bool json_is_null(const struct json_value *value)
{
	return cJSON_IsNull(node_of(value));
}

const struct json_value *json_member(const struct json_value *object, const char *key)
{
	if (!json_is_object(object))
		return NULL;
	return value_of(cJSON_GetObjectItemCaseSensitive(node_of(object), key));
}

static bool is_container(const struct json_value *value)
{
	return json_is_object(value) || json_is_array(value);
}

size_t json_count(const struct json_value *container)
{
	size_t count = 0;
	if (is_container(container))
		for (const cJSON *child = node_of(container)->child; child; child = child->next)
			count++;
	return count;
}

const struct json_value *json_at(const struct json_value *container, size_t position)
{
	if (!is_container(container))
		return NULL;
	const cJSON *child = node_of(container)->child;
	while (child && position--)
		child = child->next;
	return value_of(child);
}

const struct json_value *json_next(const struct json_value *element)
{
	return element ? value_of(node_of(element)->next) : NULL;
}

const char *json_key(const struct json_value *member)
{
	return member ? node_of(member)->string : NULL;
}

bool json_string(const struct json_value *value, const char **ret_text)
{
	if (!cJSON_IsString(node_of(value)))
		return false;
	*ret_text = node_of(value)->valuestring;
	return true;
}

bool json_int(const struct json_value *value, int64_t *ret_number)
{
	const cJSON *node = node_of(value);
	if (cJSON_IsRaw(node))
		return text_to_i64(node->valuestring, strlen(node->valuestring), -JSON_INT_MAX,
						   JSON_INT_MAX, ret_number);
	if (!cJSON_IsNumber(node) || fabs(node->valuedouble) > (double)JSON_INT_MAX)
		return false;
	int64_t whole = (int64_t)node->valuedouble;
	if ((double)whole != node->valuedouble)
		return false;
	*ret_number = whole;
	return true;
}

bool json_bool(const struct json_value *value, bool *ret_flag)
{
	if (!cJSON_IsBool(node_of(value)))
		return false;
	*ret_flag = cJSON_IsTrue(node_of(value));
	return true;
}

char *json_print(const struct json_value *value)
{
	char *text = cJSON_PrintUnformatted(node_of(value));
	if (!text)
		abort();
	return text;
}

char *json_print_without(const struct json_value *object, const char *key)
{
	cJSON *copy = cJSON_Duplicate(node_of(object), true);
	if (!copy)
		abort();
	cJSON_DeleteItemFromObjectCaseSensitive(copy, key);
	char *text = cJSON_PrintUnformatted(copy);
	if (!text)
		abort();
	cJSON_Delete(copy);
	return text;
}
