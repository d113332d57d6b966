/* Commands: one table from which come the parser, the help, the man page and the completion.
 *
 * What     A row is the words of a command, its arguments and options, what it does, the least role
 *          that the API asks for, and the function.
 * Threads  any; constant.
 */
#ifndef WRCTL_COMMANDS_H
#define WRCTL_COMMANDS_H

#include <stddef.h>

struct wrctl;

/* What the shell offers for an argument or an option's value: the row's list of words ("table
 * json"), or one of these. */
#define COMPLETE_FILES "<files>"
#define COMPLETE_QUEUES "<queues>"
#define COMPLETE_CONTEXTS "<contexts>"
#define COMPLETE_TENANTS "<tenants>"
#define COMPLETE_KEYS "<keys>"				 /* ids of keys of the admin API */
#define COMPLETE_COMMANDS "<commands>"		 /* wrctl's own */
#define COMPLETE_SETTINGS "<settings>"		 /* of queues: "capacity" */
#define COMPLETE_ASSIGNMENTS "<assignments>" /* the same: "capacity=", and the words behind it */

struct option_row {
	const char *name;	  /* "file", given as --file */
	char letter;		  /* 'f' for -f as well, or 0 */
	const char *word;	  /* what the value is called in the help; NULL: a flag without one */
	const char *complete; /* NULL: nothing to offer */
	const char *sentence;
};

/* argc, argv  what is neither a word of the command nor an option; argv[argc] is NULL.
 * Returns an exit code (enum wrctl_exit). What went wrong has been said on standard error. */
typedef int (*command_fn)(struct wrctl *w, int argc, char **argv);

struct command {
	const char *words;		 /* "queue apply" */
	const char *arguments;	 /* as the help shows them: "QUEUE COUNT" */
	int least, most;		 /* how many arguments */
	const char *complete[2]; /* of the first argument, and of all behind it; NULL */
	const char *role;		 /* "viewer", "operator", "admin"; NULL: asks no server */
	command_fn run;
	const struct option_row
		*options;		  /* ends with a row without a name; NULL: none but the common */
	const char *sentence; /* for lists: what it does */
	const char *more;	  /* further lines of its own help; NULL */
};

extern const struct command commands[];
extern const size_t command_count;
/* Those that every command takes; ends with a row without a name. */
extern const struct option_row common_options[];

/* The command of exactly these words (second may be NULL); NULL: there is none. */
const struct command *command_find(const char *first, const char *second);
/* Is it the first word of commands of two words? */
int command_is_group(const char *first);
/* Levenshtein's distance: letters to put in, take out or exchange; WORD_NEAR may be typing
 * errors. */
#define WORD_NEAR 3
size_t word_distance(const char *a, const char *b);
/* The command whose words are the least typing errors away; NULL: none is near. */
const struct command *command_nearest(const char *words);
/* A row of the command's options or of the common ones; NULL. */
const struct option_row *command_option(const struct command *command, const char *name,
										size_t len);
const struct option_row *command_option_letter(const struct command *command, char letter);

#endif
