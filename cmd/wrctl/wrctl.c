/* wrctl: options as commands ask for them, and what is said to people. */
#include "wrctl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "waitingroom/text.h"

const char *wrctl_option(const struct wrctl *w, const char *name)
{
	for (size_t i = w->given_count; i > 0; i--)
		if (strcmp(w->given[i - 1].name, name) == 0)
			return w->given[i - 1].value;
	return NULL;
}

bool wrctl_flag(const struct wrctl *w, const char *name)
{
	return wrctl_option(w, name) != NULL;
}

bool wrctl_number(const struct wrctl *w, const char *name, int64_t low, int64_t high, int64_t *ret)
{
	const char *text = wrctl_option(w, name);
	if (text == NULL || text_to_i64(text, strlen(text), low, high, ret))
		return true;
	(void)wrctl_misuse(w, "--%s: must be a whole number %lld..%lld", name, (long long)low,
					   (long long)high);
	return false;
}

static void say(const char *format, va_list arguments)
{
	fflush(stdout); /* in the order in which it happened */
	fputs("wrctl: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

void wrctl_say(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
}

int wrctl_misuse(const struct wrctl *w, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	fprintf(stderr, "Try wrctl %s%s--help.\n", w->command ? w->command->words : "",
			w->command ? " " : "");
	return WRCTL_USAGE;
}

bool wrctl_confirm(const struct wrctl *w, const char *word, const char *format, ...)
{
	char line[256] = "";
	va_list arguments;
	if (wrctl_flag(w, "yes"))
		return true;
	fflush(stdout);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	if (!w->terminal.in || !w->terminal.err) {
		fputc('\n', stderr);
		wrctl_say("nobody can be asked here: give --yes to go on");
		return false;
	}
	fprintf(stderr, "\nType %s to go on: ", word);
	if (fgets(line, sizeof(line), stdin) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (strcmp(line, word) == 0)
		return true;
	wrctl_say("nothing was done");
	return false;
}
