/* Actions: the functions of the commands, one for each row of the table. */
#ifndef WRCTL_ACTIONS_H
#define WRCTL_ACTIONS_H

#include "terminal.h"
#include "wrctl.h"

int wrctl_context_list(struct wrctl *w, int argc, char **argv);
int wrctl_context_show(struct wrctl *w, int argc, char **argv);
int wrctl_context_use(struct wrctl *w, int argc, char **argv);
int wrctl_help(struct wrctl *w, int argc, char **argv);
int wrctl_queue_get(struct wrctl *w, int argc, char **argv);
int wrctl_queue_list(struct wrctl *w, int argc, char **argv);
int wrctl_version(struct wrctl *w, int argc, char **argv);

/* The colour of a queue's state. */
enum paint state_paint(const char *state);

#endif
