/* Head of an HTTP/1.1 answer (RFC 9112), read line by line.
 *
 * An answer is usually whole in the first read, so nothing is remembered between reads: the head is
 * parsed anew when more bytes come. Answers of unknown length (chunked, until close) are
 * not what our API gives; they are called bad instead of guessed at.
 */
#include "http_head.h"

#include "waitingroom/text.h"

#include <string.h>
#include <strings.h>

#define BODY_MAX (1u << 20)

/* The value of a line "name: value", without the blanks around it; false: another header. */
static bool header_value(const char *line, size_t len, const char *name, const char **ret_value,
						 size_t *ret_len)
{
	size_t name_len = strlen(name);
	if (len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len))
		return false;
	const char *value = line + name_len + 1, *end = line + len;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*ret_value = value;
	*ret_len = (size_t)(end - value);
	return true;
}

struct head_parts {
	struct http_head head;
	bool has_length;
};

static bool take_header(const char *line, size_t len, struct head_parts *parts)
{
	const char *value;
	size_t value_len;
	uint64_t number;
	if (header_value(line, len, "Content-Length", &value, &value_len)) {
		if (parts->has_length || !text_to_u64(value, value_len, BODY_MAX, &number))
			return false;
		parts->head.body_len = number;
		parts->has_length = true;
	} else if (header_value(line, len, "Transfer-Encoding", &value, &value_len)) {
		return false;
	} else if (header_value(line, len, "Connection", &value, &value_len)) {
		parts->head.must_close = value_len == 5 && !strncasecmp(value, "close", 5);
	} else if (header_value(line, len, "Retry-After", &value, &value_len)) {
		if (text_to_u64(value, value_len, 86400, &number))
			parts->head.retry_after_s = (int64_t)number;
	}
	return true;
}

static bool take_status_line(const char *line, size_t len, struct http_head *head)
{
	uint64_t status;
	if (len < 12 || memcmp(line, "HTTP/1.", 7) || line[8] != ' ' ||
		!text_to_u64(line + 9, 3, 599, &status) || status < 200)
		return false;
	head->status = (int)status;
	head->must_close = line[7] == '0';
	return true;
}

enum http_head_result http_head_read(const char *text, size_t len, struct http_head *ret_head)
{
	const char *end = memmem(text, len, "\r\n\r\n", 4);
	if (!end)
		return HTTP_HEAD_PART;
	struct head_parts parts = {.head = {.head_len = (size_t)(end - text) + 4, .retry_after_s = -1}};
	const char *line = text;
	while (line < end + 2) {
		const char *line_end = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
		size_t line_len = (size_t)(line_end - line);
		if (line == text ? !take_status_line(line, line_len, &parts.head)
						 : !take_header(line, line_len, &parts))
			return HTTP_HEAD_BAD;
		line = line_end + 2;
	}
	if (!parts.has_length && parts.head.status != 204)
		return HTTP_HEAD_BAD;
	if (len < parts.head.head_len + parts.head.body_len)
		return HTTP_HEAD_PART;
	*ret_head = parts.head;
	return HTTP_HEAD_WHOLE;
}
