/* Is this text a CloudEvent 1.0 in JSON, as this project writes them?
 *
 * Fails the running test (cmocka) when it is not.
 */
#ifndef SUPPORT_CLOUDEVENT_H
#define SUPPORT_CLOUDEVENT_H

#include <stddef.h>

void expect_cloudevent(const char *body, size_t len);

#endif
