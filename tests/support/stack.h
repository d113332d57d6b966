/* A whole waiting room for a test: Redis, NATS, some pods of waitingroom-api, some admitters.
 *
 *     struct stack *stack = stack_start(&(struct stack_options){.pods = 2, .admitters = 1,
 *         .queues = "{\"queues\":[…]}"});
 *     struct http_answer *answer = http_call(stack_url(stack, 1), "POST", "/enqueue", …);
 *     stack_free(stack);
 *
 * The programs are those of WR_TEST_BIN_DIR. stack_free() ends them in good order and fails the
 * test when one does not exit with 0, which is also when a sanitizer tells of leaks.
 */
#ifndef SUPPORT_STACK_H
#define SUPPORT_STACK_H

#include <stdbool.h>

#include "support/servers.h"

#define STACK_PODS_MAX 8
#define STACK_ADMITTERS_MAX 4

struct stack_options {
	int pods, admitters;	/* exactly so many; others can be started later */
	const char *queues;		/* content of WR_QUEUES_FILE; NULL: none */
	const char *admin_keys; /* content of WR_ADMIN_KEYS_FILE; NULL: none */
	const char *const
		*env; /* further "WR_X=value" for all programs, ends in NULL; wins over ours */
	struct redis_options redis;
	bool without_nats; /* WR_NATS_URL names a port where nobody listens */
};

struct stack {
	struct redis_server *redis;
	struct nats_server *nats; /* NULL when without_nats */
	struct stack_program *pods[STACK_PODS_MAX];
	struct stack_program *admitters[STACK_ADMITTERS_MAX];
	int pod_count, admitter_count;
	char *keys_file; /* signing keys, made for this stack */
	/* private */
	int number;
	char **env;
	int env_count;
};

/* Everything is started and ready. gives; stack_free() */
struct stack *stack_start(const struct stack_options *options);
void stack_free(struct stack *stack); /* NULL is fine */

/* One more; its number. Ready on return. */
int stack_add_pod(struct stack *stack);
int stack_add_admitter(struct stack *stack);
/* The same, but only listening on return: to be started while its servers are away. */
int stack_launch_pod(struct stack *stack);
int stack_launch_admitter(struct stack *stack);

/* "http://127.0.0.1:port" of a pod; lends, until it is started again (the port stays). */
const char *stack_url(const struct stack *stack, int pod);
const char *stack_internal_url(const struct stack *stack, int pod);
const char *stack_admitter_url(const struct stack *stack, int admitter); /* internal port */

/* The process of a program: to pause, signal or look at; lends, until it is started again. */
struct process *stack_pod(const struct stack *stack, int pod);
struct process *stack_admitter(const struct stack *stack, int admitter);

/* Kills it if it runs, and starts it again; ready on return. To end one otherwise, use
 * process_kill() or process_stop() on its process. */
void stack_restart_pod(struct stack *stack, int pod);
void stack_restart_admitter(struct stack *stack, int admitter);

/* Value of a metric line that begins with 'name' (labels included, as written), 0 when absent. */
double stack_metric(const char *internal_url, const char *name);

#endif
