/* wrctl help, wrctl version. */
#include <stdio.h>

#include "actions.h"
#include "commands.h"
#include "help.h"
#include "waitingroom/version.h"

int wrctl_help(struct wrctl *w, int argc, char **argv)
{
	if (wrctl_flag(w, "man")) {
		help_print_man(stdout);
		return WRCTL_DONE;
	}
	if (argc == 0) {
		help_print(stdout, NULL, NULL);
		return WRCTL_DONE;
	}
	const struct command *command = command_find(argv[0], argc > 1 ? argv[1] : NULL);
	if (command == NULL && (argc > 1 || !command_is_group(argv[0])))
		return wrctl_misuse(w, "there is no command \"%s%s%s\"", argv[0], argc > 1 ? " " : "",
							argc > 1 ? argv[1] : "");
	help_print(stdout, command, command ? NULL : argv[0]);
	return WRCTL_DONE;
}

int wrctl_version(struct wrctl *w, int argc, char **argv)
{
	(void)w, (void)argc, (void)argv;
	puts("wrctl " WR_VERSION);
	return WRCTL_DONE;
}
