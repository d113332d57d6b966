/* Contexts: which servers a command speaks to, and with which key.
 *
 * What     A file of several clusters ($WRCTL_CONFIG, or ~/.config/wrctl/contexts.json), one of them
 *          the current one:
 *            {"current":"prod","contexts":[{"name":"prod","urls":["https://a:9090","https://b:9090"],
 *             "key_file":"prod.key","ca_file":"ca.pem","nats_url":"nats://…","output":"table"}]}
 *          The environment wins over it. Files are relative to the contexts file; ~/ is one's home.
 * Threads  any; plain data.
 */
#ifndef WRCTL_CONTEXT_H
#define WRCTL_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "waitingroom/err.h"

#define CONTEXT_URL_DEFAULT "http://127.0.0.1:9090"
#define CONTEXT_URLS_MAX 16
#define CONTEXT_KEY_BYTES 512

struct context {
	char *name;					  /* "" when it comes from the environment alone */
	char *urls[CONTEXT_URLS_MAX]; /* without a slash at the end */
	size_t url_count;
	char *key_file, *ca_file, *nats_url; /* NULL: none */
	bool json;							 /* output of this context unless --output says otherwise */
};

struct contexts {
	char *path;	   /* of the file, which may not exist */
	char *current; /* a name; NULL: none */
	struct context *list;
	size_t count;
};

/* Reads the contexts file; a file that does not exist has no contexts.
 * ret  fills, only on WR_OK; end it with contexts_clear.
 * WR_BAD_CONFIG  the file is not as it should be; WR_IO: it cannot be read. */
WR_MUST_USE enum wr_err contexts_load(struct contexts *ret, struct err_detail *ret_detail);
void contexts_clear(struct contexts *contexts);
const struct context *contexts_find(const struct contexts *contexts, const char *name);
/* Writes the file with another current context, whole or not at all. WR_NOT_FOUND: no such one. */
WR_MUST_USE enum wr_err contexts_use(const struct contexts *contexts, const char *name,
									 struct err_detail *ret_detail);

/* The context that a command works in: 'name' (NULL: WRCTL_CONTEXT, then the current one), changed
 * by WRCTL_URL (several with commas), WRCTL_KEY_FILE, WRCTL_NATS_URL.
 * ret  fills, only on WR_OK; end it with context_clear.
 * WR_NOT_FOUND  there is no context of that name. */
WR_MUST_USE enum wr_err context_choose(const struct contexts *contexts, const char *name,
									   struct context *ret, struct err_detail *ret_detail);
void context_clear(struct context *context);

/* The key: standard input when asked for, WRCTL_KEY, or the first line of the key file, which
 * nobody else may be able to read. WR_FORBIDDEN: there is none, or others could read it; with the
 * remedy. */
WR_MUST_USE enum wr_err context_key(const struct context *context, bool from_stdin,
									char ret_key[CONTEXT_KEY_BYTES], struct err_detail *ret_detail);

#endif
