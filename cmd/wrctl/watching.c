/* Watching: the client ticks while it waits, and a second client asks about the queue in
 * between. */
#include "watching.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "client.h"
#include "look.h"
#include "waitingroom/memory.h"

#define ASK_MS 1000
#define ASK_DEADLINE_MS 2000

int64_t waiting_of(const struct json_value *queue)
{
	const struct json_value *lanes = look(queue, "now.lanes");
	int64_t waiting = 0;
	for (size_t i = 0; lanes != NULL && i < json_count(lanes); i++)
		waiting += look_int(json_at(lanes, i), "waiting", 0);
	return waiting;
}

/* -1: no answer this time. */
static int64_t ask_waiting(struct watching *watching)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	struct err_detail detail;
	struct request request = {.method = "GET", .path = watching->path};
	if (client_ask(watching->other, &request, &reply, &detail) != WR_OK || reply.status != 200)
		return -1;
	return waiting_of(reply.json);
}

static void tick(void *ctx)
{
	struct watching *watching = ctx;
	struct mono_time now = clock_mono();
	if (watching->other != NULL && mono_diff_ms(watching->asked, now) >= ASK_MS) {
		int64_t waiting = ask_waiting(watching);
		watching->asked = now;
		if (waiting >= 0)
			watching->progress.done = watching->waiting - waiting;
	}
	progress_draw(&watching->progress);
}

void watching_begin(struct watching *watching, struct wrctl *w, const char *label,
					const char *queue, int64_t waiting)
{
	*watching = (struct watching){.w = w, .waiting = waiting, .asked = clock_mono()};
	progress_begin(&watching->progress, &w->terminal, label, queue ? waiting : 0);
	if (!w->terminal.err)
		return;
	if (queue != NULL && waiting > 0) {
		watching->path = queue_path(w, queue, "");
		watching->other = client_twin(w->client);
		client_set_deadline(watching->other, ASK_DEADLINE_MS);
	}
	client_set_tick(w->client, tick, watching);
}

void watching_end(struct watching *watching)
{
	client_set_tick(watching->w->client, NULL, NULL);
	progress_end(&watching->progress);
	client_free(watching->other);
	free(watching->path);
}

int watching_until_empty(struct wrctl *w, const char *queue)
{
	WR_AUTO(mem_free_at) char *path = queue_path(w, queue, "");
	struct progress progress;
	int64_t first = -1, waiting = 1;
	int code = WRCTL_DONE;
	progress_begin(&progress, &w->terminal, "people let in", 0);
	while (code == WRCTL_DONE && !interrupt_seen()) {
		WR_AUTO(reply_clear) struct reply reply = {0};
		code = wrctl_get(w, path, &reply);
		waiting = code == WRCTL_DONE ? waiting_of(reply.json) : waiting;
		if (waiting == 0)
			break;
		if (first < 0)
			progress.total = first = waiting;
		progress_set(&progress, first - waiting);
		poll(NULL, 0, ASK_MS);
	}
	progress_end(&progress);
	if (code != WRCTL_DONE)
		return code;
	if (waiting > 0) {
		wrctl_say("%lld people are still in line; it goes on draining", (long long)waiting);
		return WRCTL_REFUSED;
	}
	if (!w->json)
		printf("Nobody waits in %s any more.\n", queue);
	return WRCTL_DONE;
}

/* ---- Ctrl-C ---- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

void interrupt_watch(void)
{
	/* Once: a second Ctrl-C ends the program as usual. */
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool interrupt_seen(void)
{
	return interrupted != 0;
}
