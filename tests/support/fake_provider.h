/* A captcha provider for tests: answers POST over HTTP as it is told to.
 *
 * It vouches for the response "human", has seen "seen" before, knows no secret but "good-secret",
 * and refuses everybody else. Trouble is switched on and off. A thread for each connection.
 */
#ifndef SUPPORT_FAKE_PROVIDER_H
#define SUPPORT_FAKE_PROVIDER_H

#include <stdbool.h>

enum fake_trouble {
	FAKE_FINE,
	FAKE_SILENT,  /* takes the question and does not answer until told otherwise */
	FAKE_GARBAGE, /* 200 with HTML */
	FAKE_ENDLESS, /* 200 and a body that never ends */
	FAKE_ERROR,	  /* 500 */
	FAKE_HANG_UP, /* closes without an answer */
};

struct fake_provider;
struct fake_provider *fake_provider_start(void); /* gives */
void fake_provider_free(struct fake_provider *provider);
const char *fake_provider_url(const struct fake_provider *provider); /* with a path; lends */
void fake_provider_set(struct fake_provider *provider, enum fake_trouble trouble);
/* Nobody listens any more on that port; and again. */
void fake_provider_go(struct fake_provider *provider);
void fake_provider_come_back(struct fake_provider *provider);

int fake_provider_questions(struct fake_provider *provider);
int fake_provider_connections(struct fake_provider *provider); /* accepted so far */
/* Head and body of the last question; gives. */
char *fake_provider_last(struct fake_provider *provider);

#endif
