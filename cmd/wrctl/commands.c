/* Commands: the table. Order is that of the help. */
#include "commands.h"

#include "actions.h"

#define END                                                                                        \
	{                                                                                              \
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

/* Options of several commands. */
#define NAMES FLAG("names", "Only the names, one on each line.")

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
	/* ---- queues ---- */
	{.words = "queue list",
	 .arguments = "",
	 .role = "viewer",
	 .run = wrctl_queue_list,
	 OPTIONS(NAMES),
	 .sentence = "All queues: state, people waiting and active, rate and capacity."},
	{.words = "queue get",
	 .arguments = "QUEUE",
	 .least = 1,
	 .most = 1,
	 .complete = COMPLETE_QUEUES,
	 .role = "viewer",
	 .run = wrctl_queue_get,
	 .sentence = "One queue: its settings, its version, its lanes."},
	/* ---- wrctl itself ---- */
	{.words = "context list",
	 .arguments = "",
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
	{.words = "help",
	 .arguments = "[COMMAND]",
	 .most = 2,
	 .run = wrctl_help,
	 .sentence = "Explains a command, or lists all."},
	{.words = "version", .arguments = "", .run = wrctl_version, .sentence = "Prints the version."},
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);
