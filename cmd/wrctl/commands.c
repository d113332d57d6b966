/* Commands: the table. Order is that of the help. */
#include "commands.h"

#include "actions.h"

#define END                                                                                        \
	{                                                                                              \
		0                                                                                          \
	}
#define OPTIONS(...)                                                                               \
	.options = (const struct option_row[])                                                         \
	{                                                                                              \
		__VA_ARGS__ __VA_OPT__(, ) END                                                             \
	}
#define FLAG(name, sentence)                                                                       \
	{                                                                                              \
		name, 0, NULL, NULL, sentence                                                              \
	}
#define VALUE(name, word, complete, sentence)                                                      \
	{                                                                                              \
		name, 0, word, complete, sentence                                                          \
	}

/* What many commands share. */
#define ONE_QUEUE .arguments = "QUEUE", .least = 1, .most = 1, .complete = COMPLETE_QUEUES
#define NO_ARGUMENTS .arguments = ""
#define NAMES FLAG("names", "Only the names, one on each line.")
#define YES                                                                                        \
	{                                                                                              \
		"yes", 'y', NULL, NULL, "Does not ask."                                                    \
	}
#define DRY_RUN FLAG("dry-run", "Shows what would change, and for whom; changes nothing.")
#define DECLARATIONS                                                                               \
	{"file", 'f', "FILE", COMPLETE_FILES, "The declarations; - is standard input."},               \
		FLAG("prune", "Deletes queues that are not declared, of the tenants that the file names.")
#define MESSAGES                                                                                   \
	VALUE("message", "TEXT", NULL, "What visitors are told, in any language."),                    \
		VALUE("message-in", "LANG=TEXT", NULL, "The same for one language; may be repeated.")

#define QUEUE_IS "QUEUE is TENANT/QUEUE, or QUEUE for default/QUEUE."
#define DECLARES                                                                                   \
	"The file is that of WR_QUEUES_FILE: {\"queues\":[{\"queue\":\"shop/sale\", settings…}]}.\n" \
	"A setting that is not declared gets its default; secrets that are not declared stay."

const struct option_row common_options[] = {
	{"context", 'c', "NAME", COMPLETE_CONTEXTS,
	 "The context to work in, instead of the current one."},
	{"output", 'o', "FORMAT", "table json",
	 "table for people, or json: what the API answered, unchanged."},
	{"timeout", 0, "SECONDS", NULL, "Longest wait for an answer (30)."},
	{"key-stdin", 0, NULL, NULL, "The key is the first line of standard input."},
	{"no-color", 0, NULL, NULL, "No colours on a terminal, either (also: NO_COLOR)."},
	{"version", 0, NULL, NULL, "Prints the version."},
	{"help", 'h', NULL, NULL, "Explains the command."},
	END};

const struct command commands[] = {
	/* ---- queues: looking ---- */
	{.words = "queue list",
	 NO_ARGUMENTS,
	 .role = "viewer",
	 .run = wrctl_queue_list,
	 OPTIONS(NAMES),
	 .sentence = "All queues: state, people waiting and active, rate and capacity."},
	{.words = "queue get",
	 ONE_QUEUE,
	 .role = "viewer",
	 .run = wrctl_queue_get,
	 .sentence = "One queue: its settings, its version, its lanes.",
	 .more = QUEUE_IS},
	{.words = "queue stats",
	 ONE_QUEUE,
	 .role = "viewer",
	 .run = wrctl_queue_stats,
	 .sentence = "One queue now and in the last hour."},
	/* ---- queues: changing ---- */
	{.words = "queue set",
	 .arguments = "QUEUE NAME=VALUE…",
	 .least = 2,
	 .most = 60,
	 .complete = COMPLETE_QUEUES,
	 .role = "operator",
	 .run = wrctl_queue_set,
	 OPTIONS(DRY_RUN, VALUE("if-version", "N", NULL,
							"Only when the queue is at this version (wrctl queue get).")),
	 .sentence = "Changes single settings, at once.",
	 .more = "wrctl queue set shop/sale rate_per_minute=600 capacity=200\n"
			 "A value @FILE is the content of a file; lists and objects are given as JSON."},
	{.words = "queue apply",
	 NO_ARGUMENTS,
	 .role = "admin",
	 .run = wrctl_queue_apply,
	 OPTIONS(DECLARATIONS, DRY_RUN, YES),
	 .sentence = "Makes queues as a file declares them; shows what that changes and asks first.",
	 .more = DECLARES},
	{.words = "queue diff",
	 NO_ARGUMENTS,
	 .role = "admin",
	 .run = wrctl_queue_diff,
	 OPTIONS(DECLARATIONS, FLAG("exit-code", "Ends with 1 when something differs.")),
	 .sentence = "What queue apply would change, and what that does to the people in line.",
	 .more = DECLARES},
	{.words = "queue export",
	 .arguments = "[QUEUE…]",
	 .most = 60,
	 .complete = COMPLETE_QUEUES,
	 .role = "viewer",
	 .run = wrctl_queue_export,
	 .sentence = "Queues as a file for queue apply; secrets are not in it."},
	{.words = "queue pause",
	 ONE_QUEUE,
	 .role = "operator",
	 .run = wrctl_queue_pause,
	 OPTIONS(MESSAGES),
	 .sentence = "Lets nobody in until queue resume; people may join."},
	{.words = "queue resume",
	 ONE_QUEUE,
	 .role = "operator",
	 .run = wrctl_queue_resume,
	 OPTIONS(MESSAGES),
	 .sentence = "Goes on after queue pause."},
	{.words = "queue hold",
	 ONE_QUEUE,
	 .role = "operator",
	 .run = wrctl_queue_hold,
	 OPTIONS(MESSAGES),
	 .sentence = "Lets nobody in yet, as before the opening; people may join."},
	{.words = "queue open",
	 ONE_QUEUE,
	 .role = "operator",
	 .run = wrctl_queue_open,
	 OPTIONS(MESSAGES),
	 .sentence = "Opens a queue that is held or closed, or ends a drain."},
	{.words = "queue close",
	 ONE_QUEUE,
	 .role = "operator",
	 .run = wrctl_queue_close,
	 OPTIONS(MESSAGES),
	 .sentence = "Lets nobody join any more; the people in line are still let in."},
	{.words = "queue drain",
	 ONE_QUEUE,
	 .role = "operator",
	 .run = wrctl_queue_drain,
	 OPTIONS(MESSAGES, FLAG("wait", "Waits, with a bar, until nobody is in line any more.")),
	 .sentence = "Closes a queue and lets the line in as fast as the capacity allows."},
	{.words = "queue admit",
	 .arguments = "QUEUE COUNT",
	 .least = 2,
	 .most = 2,
	 .complete = COMPLETE_QUEUES,
	 .role = "operator",
	 .run = wrctl_queue_admit,
	 .sentence = "Lets so many people in now, whatever the rate; never more than the capacity."},
	{.words = "queue empty",
	 ONE_QUEUE,
	 .role = "admin",
	 .run = wrctl_queue_empty,
	 OPTIONS(YES),
	 .sentence = "Expires everybody who waits; asks for the queue's name first."},
	{.words = "queue delete",
	 ONE_QUEUE,
	 .role = "admin",
	 .run = wrctl_queue_delete,
	 OPTIONS(YES),
	 .sentence = "Takes a queue away, with everybody in it; asks for its name first."},
	/* ---- people ---- */
	{.words = "session revoke",
	 .arguments = "QUEUE ID",
	 .least = 2,
	 .most = 2,
	 .complete = COMPLETE_QUEUES,
	 .role = "operator",
	 .run = wrctl_session_revoke,
	 OPTIONS(YES),
	 .sentence = "Ends somebody's session on the site, by the id of the place."},
	/* ---- who may do what ---- */
	{.words = "key list",
	 NO_ARGUMENTS,
	 .role = "admin",
	 .run = wrctl_key_list,
	 .sentence = "The keys of the admin API: role, tenant, when last used; never the keys."},
	{.words = "key create",
	 .arguments = "NAME",
	 .least = 1,
	 .most = 1,
	 .role = "admin",
	 .run = wrctl_key_create,
	 OPTIONS(VALUE("role", "ROLE", "viewer operator admin", "What it may do."),
			 VALUE("tenant", "TENANT", NULL, "For one tenant, or '*' for all."),
			 VALUE("expires", "TIME", NULL, "Ends after 90m, 12h or 30d; without it: never."),
			 VALUE("save", "FILE", COMPLETE_FILES, "Where to put it: a new file of mode 600.")),
	 .sentence = "Makes a key; it is shown once."},
	{.words = "key delete",
	 .arguments = "ID",
	 .least = 1,
	 .most = 1,
	 .role = "admin",
	 .run = wrctl_key_delete,
	 OPTIONS(YES),
	 .sentence = "Takes a key away; it is refused from then on."},
	{.words = "tenant list",
	 NO_ARGUMENTS,
	 .role = "viewer",
	 .run = wrctl_tenant_list,
	 .sentence = "The tenants, and how many queues they have and may have."},
	{.words = "tenant set",
	 .arguments = "TENANT",
	 .least = 1,
	 .most = 1,
	 .role = "admin",
	 .run = wrctl_tenant_set,
	 OPTIONS(VALUE("title", "TEXT", NULL, "Its name for people."),
			 VALUE("queues-max", "N", NULL, "How many queues it may have."),
			 VALUE("note", "TEXT", NULL, "For other operators.")),
	 .sentence = "Makes a tenant, or changes what is given of it."},
	{.words = "tenant delete",
	 .arguments = "TENANT",
	 .least = 1,
	 .most = 1,
	 .role = "admin",
	 .run = wrctl_tenant_delete,
	 OPTIONS(YES),
	 .sentence = "Takes a tenant without queues away, and its keys."},
	/* ---- the service ---- */
	{.words = "audit",
	 NO_ARGUMENTS,
	 .role = "viewer",
	 .run = wrctl_audit,
	 OPTIONS(VALUE("queue", "QUEUE", COMPLETE_QUEUES, "Only of this queue."),
			 VALUE("tenant", "TENANT", NULL, "Only of this tenant."),
			 VALUE("action", "ACTION", NULL, "Only this action: queue.pause, key.make, …"),
			 VALUE("limit", "N", NULL, "How many, the newest (50)."),
			 FLAG("follow", "Goes on with what is new, until Ctrl-C.")),
	 .sentence = "Who has changed what, when, and what it was before."},
	{.words = "whoami",
	 NO_ARGUMENTS,
	 .role = "viewer",
	 .run = wrctl_whoami,
	 .sentence = "Whose key this is, and what it may do."},
	{.words = "watch",
	 ONE_QUEUE,
	 .role = "viewer",
	 .run = wrctl_watch,
	 OPTIONS(VALUE("since", "TIME", NULL, "Begins so long ago: 30s, 5m, 2h, 1d. Else: now."),
			 VALUE("type", "PART", "position session queue admitted enqueued expired",
				   "Only events whose subject has this part: admitted, session, position.left."),
			 VALUE("count", "N", NULL, "Ends after so many events.")),
	 .sentence = "What happens in a queue, a line each, as it happens.",
	 .more = "The events come from NATS: the context needs a nats_url (or WRCTL_NATS_URL is set).\n"
			 "With --output json each line is a CloudEvent. Ctrl-C ends it."},
	{.words = "top",
	 NO_ARGUMENTS,
	 .role = "viewer",
	 .run = wrctl_top,
	 OPTIONS(FLAG("once", "Prints one picture and ends; also where there is no terminal."),
			 VALUE("interval", "SECONDS", NULL, "Time between two pictures (1).")),
	 .sentence = "All queues and processes on one screen, live.",
	 .more = "Keys: q quits, p shows the processes, up and down scroll. Sorted by people waiting.\n"
			 "RATE is people let in per minute, measured, and the limit; WAIT is predicted for who "
			 "joins now."},
	{.words = "doctor",
	 NO_ARGUMENTS,
	 .role = "viewer",
	 .run = wrctl_doctor,
	 OPTIONS(FLAG("strict", "Warnings count as failures, too.")),
	 .sentence = "What is wrong with store, broker, clocks, settings, keys, pods and queues, and "
				 "what to do.",
	 .more = "Asks every url of the context. Each finding names the page of deploy/runbooks that "
			 "goes on from there.\n"
			 "Exit codes: 0 nothing must be mended, 1 something must (with --strict: or should be "
			 "looked at),\n3 no pod gave a report, 4 none took the key."},
	{.words = "pods",
	 NO_ARGUMENTS,
	 .role = "viewer",
	 .run = wrctl_pods,
	 .sentence = "The programs: which run where, and how they are."},
	{.words = "log-level",
	 .arguments = "[LEVEL]",
	 .most = 1,
	 .complete = "debug info warn error",
	 .role = "admin",
	 .run = wrctl_log_level,
	 OPTIONS(VALUE("seconds", "N", NULL, "Only for so long; then as before.")),
	 .sentence = "How much all programs log; without a level: how much one does."},
	{.words = "preview",
	 .arguments = "QUEUE STATE",
	 .least = 2,
	 .most = 2,
	 .complete = COMPLETE_QUEUES,
	 .role = "viewer",
	 .run = wrctl_preview,
	 OPTIONS(VALUE("lang", "LANG", NULL, "In this language.")),
	 .sentence = "A link that shows the waiting page in any state.",
	 .more = "STATE: prequeue, waiting, almost, paused, your_turn, missed, expired, full, closed,\n"
			 "reconnecting, moved, challenge or error."},
	/* ---- wrctl itself ---- */
	{.words = "context list",
	 NO_ARGUMENTS,
	 .run = wrctl_context_list,
	 OPTIONS(NAMES),
	 .sentence = "The contexts: clusters that wrctl knows of."},
	{.words = "context use",
	 .arguments = "NAME",
	 .least = 1,
	 .most = 1,
	 .complete = COMPLETE_CONTEXTS,
	 .run = wrctl_context_use,
	 .sentence = "Makes a context the current one."},
	{.words = "context show",
	 .arguments = "[NAME]",
	 .most = 1,
	 .complete = COMPLETE_CONTEXTS,
	 .run = wrctl_context_show,
	 .sentence = "What a command would use: urls, and where the key comes from."},
	{.words = "completion",
	 .arguments = "SHELL",
	 .least = 1,
	 .most = 1,
	 .complete = "bash zsh fish",
	 .run = wrctl_completion,
	 .sentence = "Prints a script that teaches bash, zsh or fish to complete commands.",
	 .more = "bash: source <(wrctl completion bash)\n"
			 "zsh:  source <(wrctl completion zsh)\n"
			 "fish: wrctl completion fish | source"},
	{.words = "help",
	 .arguments = "[COMMAND]",
	 .most = 2,
	 .run = wrctl_help,
	 OPTIONS(FLAG("man", "Prints the manual page (mdoc).")),
	 .sentence = "Explains a command, or lists all."},
	{.words = "version", NO_ARGUMENTS, .run = wrctl_version, .sentence = "Prints the version."},
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);
