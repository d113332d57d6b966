/* Watch: the parts that are pure. */
#ifndef WRCTL_WATCH_H
#define WRCTL_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "terminal.h"

/* "90s", "5m", "2h", "1d"; false: it is none of them */
bool watch_since(const char *text, int64_t *ret_ms);
/* A CloudEvent as a line. false: it is none, and nothing was printed. */
bool watch_print(const char *body, size_t len, const struct terminal *terminal, FILE *out);

#endif
