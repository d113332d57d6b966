/* Problem documents: how errors look to a client (RFC 9457).
 *
 *     {"type":"urn:waitingroom:problem:bad_token","title":"Unauthorized","status":401,
 *      "detail":"The token is missing or not valid here.","code":"bad_token",
 *      "request_id":"…","retry_after_ms":3000}
 *
 * A limit and an overload have types that IANA has registered; clients may know those.
 */
#include "internal.h"

#include "waitingroom/text.h"

#include <stdio.h>

#define TYPE_BYTES 96

const char problem_content_type[] = "application/problem+json";

static void print_type(char text[TYPE_BYTES], enum wr_err err)
{
	const char *prefix = "urn:waitingroom:problem:", *name = err_code(err);
	if (err == WR_RATE_LIMITED) {
		prefix = "https://iana.org/assignments/http-problem-types#";
		name = "quota-exceeded";
	} else if (err_http_status(err) == 503) {
		prefix = "https://iana.org/assignments/http-problem-types#";
		name = "temporary-reduced-capacity";
	}
	snprintf(text, TYPE_BYTES, "%s%s", prefix, name);
}

size_t problem_print(char *text, size_t room, enum wr_err err, const struct err_detail *detail,
					 const char *request_id, int64_t retry_after_s,
					 const struct problem_member *member)
{
	char type[TYPE_BYTES];
	int status = err_http_status(err);
	struct json_out out;
	print_type(type, err);
	json_out_init(&out, text, room);
	json_out_object(&out, NULL);
	json_out_string(&out, "type", type);
	json_out_string(&out, "title", MHD_get_reason_phrase_for((unsigned)status));
	json_out_int(&out, "status", status);
	json_out_string(&out, "detail", detail && detail->text[0] ? detail->text : err_sentence(err));
	json_out_string(&out, "code", err_code(err));
	json_out_string(&out, "request_id", request_id);
	if (retry_after_s > 0)
		json_out_int(&out, "retry_after_ms", retry_after_s * 1000);
	if (member)
		json_out_raw(&out, member->name, member->json, member->len);
	json_out_object_end(&out);
	return out.len;
}
