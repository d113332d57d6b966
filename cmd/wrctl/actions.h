/* Actions: the functions of the commands, one for each row of the table. */
#ifndef WRCTL_ACTIONS_H
#define WRCTL_ACTIONS_H

#include "terminal.h"
#include "wrctl.h"

#define WRCTL_ACTION(name) int wrctl_##name(struct wrctl *w, int argc, char **argv)

WRCTL_ACTION(audit);
WRCTL_ACTION(completion);
WRCTL_ACTION(context_list);
WRCTL_ACTION(context_show);
WRCTL_ACTION(context_use);
WRCTL_ACTION(doctor);
WRCTL_ACTION(help);
WRCTL_ACTION(key_create);
WRCTL_ACTION(key_delete);
WRCTL_ACTION(key_list);
WRCTL_ACTION(log_level);
WRCTL_ACTION(place_find);
WRCTL_ACTION(place_restore);
WRCTL_ACTION(pods);
WRCTL_ACTION(preview);
WRCTL_ACTION(queue_admit);
WRCTL_ACTION(queue_apply);
WRCTL_ACTION(queue_close);
WRCTL_ACTION(queue_create);
WRCTL_ACTION(queue_delete);
WRCTL_ACTION(queue_diff);
WRCTL_ACTION(queue_drain);
WRCTL_ACTION(queue_empty);
WRCTL_ACTION(queue_export);
WRCTL_ACTION(queue_get);
WRCTL_ACTION(queue_hold);
WRCTL_ACTION(queue_list);
WRCTL_ACTION(queue_open);
WRCTL_ACTION(queue_pause);
WRCTL_ACTION(queue_resume);
WRCTL_ACTION(queue_set);
WRCTL_ACTION(queue_stats);
WRCTL_ACTION(session_revoke);
WRCTL_ACTION(tenant_delete);
WRCTL_ACTION(tenant_list);
WRCTL_ACTION(tenant_set);
WRCTL_ACTION(top);
WRCTL_ACTION(version);
WRCTL_ACTION(watch);
WRCTL_ACTION(whoami);

/* The colour of a queue's state. */
enum paint state_paint(const char *state);

#endif
