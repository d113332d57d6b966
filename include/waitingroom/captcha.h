/* Captcha: asks a provider whether it vouches for a visitor (Turnstile, hCaptcha, Friendly
 * Captcha).
 *
 * The asking is done by one thread of its own, over connections that are kept; whoever asks gets a
 * callback from that thread and must not block there. Where the provider is asked is fixed by the
 * settings of the process, never by a visitor.
 *
 * A provider that is away must not become everybody's wait: after some failures in a row it is not
 * asked for a while (a circuit breaker), and captcha_is_up says no, so that visitors get a proof of
 * work instead. Then one question is let through, and its answer decides.
 *
 * What     The only module that knows libcurl.
 * Used by  cmd/api.
 * Threads  any thread may ask; the thread starts with the first question.
 */
#ifndef WAITINGROOM_CAPTCHA_H
#define WAITINGROOM_CAPTCHA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waitingroom/err.h"

/* name, word, where it is asked */
#define CAPTCHA_PROVIDER_TABLE(X)                                                                  \
	X(CAPTCHA_TURNSTILE, "turnstile", "https://challenges.cloudflare.com/turnstile/v0/siteverify") \
	X(CAPTCHA_HCAPTCHA, "hcaptcha", "https://api.hcaptcha.com/siteverify")                         \
	X(CAPTCHA_FRIENDLY, "friendly", "https://global.frcapi.com/api/v2/captcha/siteverify")

#define CAPTCHA_PROVIDER_ENUM(name, word, url) name,
enum captcha_provider { CAPTCHA_PROVIDER_TABLE(CAPTCHA_PROVIDER_ENUM) CAPTCHA_PROVIDERS };
#undef CAPTCHA_PROVIDER_ENUM
const char *captcha_provider_word(enum captcha_provider provider);

enum captcha_verdict {
	CAPTCHA_ACCEPTED,
	CAPTCHA_REFUSED,   /* not a human, or nonsense, or too old */
	CAPTCHA_DUPLICATE, /* asked about before: perhaps a repeated join */
	CAPTCHA_AWAY,	   /* no answer that means anything */
	CAPTCHA_MISUSED,   /* the provider does not know our keys: ours to mend */
	CAPTCHA_VERDICTS
};
const char *captcha_verdict_word(enum captcha_verdict verdict);

#define CAPTCHA_RESPONSE_MAX_BYTES 4096
struct captcha_question { /* texts are borrowed during the call */
	enum captcha_provider provider;
	const char *secret, *site_key;
	const char *response;	 /* what the visitor's browser got from the provider */
	const char *challenge;	 /* ours, which the widget may have been given to bind the verdict to */
	const char *traceparent; /* of the join that waits for the answer; NULL: it is not traced */
};
/* Could 'response' be one at all? Visible ASCII, of a length that the providers give. */
bool captcha_response_is_fine(const char *response);

struct captcha_options {
	const char *url[CAPTCHA_PROVIDERS]; /* kept; http:// or https:// */
	uint32_t timeout_ms;				/* of one question, waiting for a connection included */
};
struct captcha;
/* gives; WR_BAD_CONFIG names what is wrong. No thread yet. */
WR_MUST_USE enum wr_err captcha_new(const struct captcha_options *options,
									struct captcha **ret_captcha, struct err_detail *ret_detail);
/* What is under way is answered with CAPTCHA_AWAY before this returns. NULL is fine. */
void captcha_free(struct captcha *captcha);

/* In the captcha's thread. */
typedef void (*captcha_fn)(void *ctx, enum captcha_verdict verdict);
/* false: not asked, the provider is away or too many are waiting; 'fn' is not called. */
WR_MUST_USE bool captcha_ask(struct captcha *captcha, const struct captcha_question *question,
							 captcha_fn fn, void *ctx);

bool captcha_is_up(struct captcha *captcha, enum captcha_provider provider);

struct captcha_counts {
	uint64_t verdicts[CAPTCHA_PROVIDERS][CAPTCHA_VERDICTS];
	uint64_t not_asked[CAPTCHA_PROVIDERS]; /* away, or too many waiting */
	uint64_t opened[CAPTCHA_PROVIDERS];	   /* how often the breaker gave up */
	bool up[CAPTCHA_PROVIDERS];
};
void captcha_counts(struct captcha *captcha, struct captcha_counts *ret_counts);

#endif
