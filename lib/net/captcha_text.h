/* What is sent to a captcha provider, and what its answer means. Pure.
 *
 * Used by  captcha, tests.
 */
#ifndef NET_CAPTCHA_TEXT_H
#define NET_CAPTCHA_TEXT_H

#include <stddef.h>

#include "waitingroom/captcha.h"

/* Body of the question; gives. Turnstile and hCaptcha take a form, Friendly Captcha JSON. */
char *captcha_body(const struct captcha_question *question);

/* status 0: there was no answer. body: what came, at most so much that it was kept whole. */
enum captcha_verdict captcha_read(enum captcha_provider provider, long status, const char *body,
								  size_t len, const char *challenge);

#endif
