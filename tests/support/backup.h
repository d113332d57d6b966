/* wrbackup against the servers of a stack, and what these servers hold, told without its help.
 *
 * Functions fail the running test (cmocka) instead of returning errors.
 */
#ifndef SUPPORT_BACKUP_H
#define SUPPORT_BACKUP_H

#include "support/process.h"
#include "support/stack.h"

/* Arguments end in NULL. */
struct process *backup_start(struct stack *stack, const char *first, ...); /* gives */
void backup_expect(struct stack *stack, int exit_code, const char *first, ...);
char *backup_expect_said(struct stack *stack, int exit_code, const char *first, ...); /* gives */

/* Path of the newest backup in a folder; gives */
char *backup_newest(const char *folder);
enum backup_damage { BACKUP_FLIP, BACKUP_CUT, BACKUP_REMOVE };
void backup_damage(const char *path, const char *file, enum backup_damage damage);

/* Messages that are not ours: bytes that are no text, a header twice, one without an id in the
 * DLQ. */
void backup_plant_messages(struct stack *stack);
void backup_plant_many(struct stack *stack, int count);
void backup_lose_streams(struct stack *stack);

/* Settings of all queues, admin keys, tenants and audit, a line each; gives */
char *backup_describe_store(struct stack *stack);
/* Every message: stream, number, subject, headers but the one of restored messages and ids that a
 * restore has given, payload; gives */
char *backup_describe_streams(struct stack *stack);

#endif
