/* Errors: the table of include/waitingroom/err.h as data.
 *
 * A number that is not in the table comes from a bug of ours (an error cast from something else),
 * so it is answered as WR_BUG rather than read out of bounds.
 */
#include "waitingroom/err.h"

#include <stdarg.h>
#include <stdio.h>

struct err_row {
	int http_status;
	const char *code;
	bool retryable;
	const char *sentence;
};

#define ERR_ROW(name, status, code_, retry, text)                                                  \
	[name] = {.http_status = (status), .code = (code_), .retryable = (retry), .sentence = (text)},
static const struct err_row err_rows[WR_ERR_COUNT] = {WR_ERR_TABLE(ERR_ROW)};
#undef ERR_ROW

static const struct err_row *err_row(enum wr_err err)
{
	return (unsigned)err < WR_ERR_COUNT ? &err_rows[err] : &err_rows[WR_BUG];
}

int err_http_status(enum wr_err err)
{
	return err_row(err)->http_status;
}

const char *err_code(enum wr_err err)
{
	return err_row(err)->code;
}

const char *err_sentence(enum wr_err err)
{
	return err_row(err)->sentence;
}

bool err_is_retryable(enum wr_err err)
{
	return err_row(err)->retryable;
}

enum wr_err err_say(struct err_detail *detail, enum wr_err err, const char *format, ...)
{
	if (detail) {
		va_list args;
		va_start(args, format);
		vsnprintf(detail->text, sizeof(detail->text), format, args);
		va_end(args);
	}
	return err;
}
