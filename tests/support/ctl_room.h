/* The room of shared_stack.h with wrctl pointed at it. */
#ifndef SUPPORT_CTL_ROOM_H
#define SUPPORT_CTL_ROOM_H

#include "support/ctl.h"
#include "support/shared_stack.h"

/* For cmocka: one pod, one held queue "demo", no NATS. */
int ctl_room_open(void **state);

/* wrctl with the key of an administrator. */
struct ctl at_the_pod(void);

#endif
