/* Reason: the library's own words where it has some. */
#include "reason.h"

const char *reason_of(natsStatus status)
{
	const char *reason = nats_GetLastError(NULL);
	return reason && reason[0] ? reason : natsStatus_GetText(status);
}
