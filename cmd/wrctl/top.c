/* wrctl top: the room on one screen, once a second.
 *
 *     poll: a key │ a signal │ news from the fetching thread │ a second has passed ─► draw ─► show
 *
 * Signals come as descriptors (signalfd), so that the terminal is put back in one place however the
 * program ends. SIGTSTP too: Ctrl-Z gives the terminal back and takes it again afterwards.
 */
#include "top.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "actions.h"
#include "client.h"
#include "waitingroom/memory.h"

#define EVERY_S_DEFAULT 1
#define SETTLE_MS 1100 /* between the two looks of --once that give the rates */

enum source { SOURCE_KEYS, SOURCE_SIGNALS, SOURCE_NEWS, SOURCE_COUNT };

struct top {
	struct wrctl *w;
	struct top_view view;
	struct top_facts facts;
	struct top_fetch *fetch;
	struct pollfd sources[SOURCE_COUNT];
	int news[2]; /* a pipe: the thread writes */
	sigset_t before;
	int ended_by; /* a signal; 0: a key */
	bool quit;
};

/* ---- keys ---- */

static void press(struct top *top, char key)
{
	size_t page = top->view.height > 8 ? (size_t)top->view.height - 6 : 1;
	switch (key) {
	case 'q':
	case 'Q':
		top->quit = true;
		break;
	case 'p':
		top->view.only_pods = !top->view.only_pods;
		top->view.scroll = 0;
		break;
	case 'A': /* behind ESC [ */
	case 'k':
		top->view.scroll -= top->view.scroll > 0;
		break;
	case 'B':
	case 'j':
		top->view.scroll++; /* top_draw knows where the end is */
		break;
	case '5': /* page up: ESC [ 5 ~ */
		top->view.scroll -= top->view.scroll < page ? top->view.scroll : page;
		break;
	case '6':
	case ' ':
		top->view.scroll += page;
		break;
	default:
		break;
	}
}

static void read_keys(struct top *top)
{
	char keys[64];
	ssize_t got = read(STDIN_FILENO, keys, sizeof(keys));
	if (got < 0 || (got == 0 && (top->sources[SOURCE_KEYS].revents & POLLHUP) != 0))
		top->quit = true; /* the terminal is gone */
	for (ssize_t i = 0; i < got; i++) {
		bool is_sequence = keys[i] == '\033' && i + 2 < got && keys[i + 1] == '[';
		if (is_sequence)
			i += 2;
		press(top, keys[i]);
	}
}

/* ---- signals ---- */

static void pause_for_the_shell(void)
{
	screen_close();
	raise(SIGSTOP);
	screen_open();
}

static void read_signal(struct top *top)
{
	struct signalfd_siginfo info;
	if (read(top->sources[SOURCE_SIGNALS].fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	switch ((int)info.ssi_signo) {
	case SIGWINCH:
		screen_forget();
		break;
	case SIGTSTP:
		pause_for_the_shell();
		break;
	default:
		top->ended_by = (int)info.ssi_signo;
		top->quit = true;
	}
}

static void take_signals(struct top *top)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP};
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i]);
	pthread_sigmask(SIG_BLOCK, &set, &top->before);
	top->sources[SOURCE_SIGNALS].fd = signalfd(-1, &set, SFD_CLOEXEC);
}

/* ---- life ---- */

static void paint_now(struct top *top)
{
	struct frame frame;
	int width = 80, height = 24;
	screen_size(&width, &height);
	if (width != top->view.width || height != top->view.height)
		screen_forget();
	top->view.width = width;
	top->view.height = height;
	top->view.now = clock_wall();
	top_draw(&top->facts, &top->view, &frame);
	screen_show(&frame);
	frame_clear(&frame);
}

static void read_news(struct top *top)
{
	char bytes[64];
	(void)!read(top->news[0], bytes, sizeof(bytes));
	top_facts_clear(&top->facts);
	top_fetch_look(top->fetch, &top->facts);
}

static void watch(struct top *top)
{
	while (!top->quit) {
		paint_now(top);
		(void)poll(top->sources, SOURCE_COUNT, 1000);
		if (top->sources[SOURCE_SIGNALS].revents != 0)
			read_signal(top);
		if (top->sources[SOURCE_KEYS].revents != 0)
			read_keys(top);
		if (top->sources[SOURCE_NEWS].revents != 0)
			read_news(top);
	}
}

static int run(struct top *top)
{
	if (pipe2(top->news, O_CLOEXEC | O_NONBLOCK) != 0)
		abort();
	take_signals(top);
	top->sources[SOURCE_KEYS].fd = STDIN_FILENO;
	top->sources[SOURCE_NEWS].fd = top->news[0];
	for (size_t i = 0; i < SOURCE_COUNT; i++)
		top->sources[i].events = POLLIN;
	top->fetch = top_fetch_start(top->w, top->view.every_ms, top->news[1]);
	screen_open();
	watch(top);
	screen_close();
	int code = top->ended_by != 0 && top->ended_by != SIGINT ? 128 + top->ended_by : WRCTL_DONE;
	if (!top_fetch_stop(top->fetch))
		_exit(code); /* it waits for an answer; nobody else shall */
	close(top->news[0]);
	close(top->news[1]);
	close(top->sources[SOURCE_SIGNALS].fd);
	pthread_sigmask(SIG_SETMASK, &top->before, NULL);
	top_facts_clear(&top->facts);
	return code;
}

/* One picture, for pipes and for those who look now and then. */
static int once(struct top *top)
{
	struct frame frame;
	top_fetch_once(top->w, &top->facts, true);
	if (top->facts.answered.ms > 0 && top->facts.queue_count > 0) {
		(void)poll(NULL, 0, SETTLE_MS);
		top_fetch_once(top->w, &top->facts, false);
	}
	bool answered = top->facts.answered.ms > 0;
	if (!answered) {
		wrctl_say("no answer: %s", top->facts.trouble);
		top_facts_clear(&top->facts);
		return WRCTL_UNREACHABLE;
	}
	top->view.now = clock_wall();
	top->view.width = top->w->terminal.width > 0 ? top->w->terminal.width : 80;
	top_draw(&top->facts, &top->view, &frame);
	for (size_t i = 0; i < frame.count; i++)
		puts(frame.lines[i]);
	frame_clear(&frame);
	top_facts_clear(&top->facts);
	return WRCTL_DONE;
}

static int once_as_json(struct wrctl *w)
{
	WR_AUTO(reply_clear) struct reply reply = {0};
	int code = wrctl_get(w, "/admin/v1/queues", &reply);
	if (code == WRCTL_DONE)
		reply_print(&reply);
	return code;
}

int wrctl_top(struct wrctl *w, int argc, char **argv)
{
	int64_t every_s = EVERY_S_DEFAULT;
	(void)argc, (void)argv;
	if (!wrctl_number(w, "interval", 1, 3600, &every_s))
		return WRCTL_USAGE;
	struct top top = {.w = w,
					  .view = {.colour = w->terminal.colour,
							   .unicode = w->terminal.unicode,
							   .context = w->context.name,
							   .every_ms = every_s * 1000}};
	if (wrctl_flag(w, "once"))
		return w->json ? once_as_json(w) : once(&top);
	if (!w->terminal.in || !w->terminal.out)
		return wrctl_misuse(w, "there is no terminal here; --once prints one picture");
	top.view.keys = true;
	return run(&top);
}
