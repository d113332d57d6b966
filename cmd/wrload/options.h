/* Options of wrload: one table makes the struct, the parser and the help.
 *
 * Used by  everything in cmd/wrload; read only once main has parsed them.
 */
#ifndef WRLOAD_OPTIONS_H
#define WRLOAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "waitingroom/err.h"

/* name on the command line, field, kind, default, lowest, highest, word for the value, sentence.
 * Kinds: NUMBER (int64_t), REAL (double), SHARE (double), TEXT (const char *), FLAG (bool).
 * The default of numbers that must be given to count is -1. */
#define OPTION_TABLE(X)                                                                            \
	X("queue", queue, TEXT, 0, 0, 0, "TENANT/QUEUE", "The queue to join; required.")               \
	X("visitors", visitors, NUMBER, 1000, 1, 5000000, "N", "How many people come.")                \
	X("arrive-per-s", arrive_per_s, REAL, 500, 0.001, 1000000, "N", "How many come per second.")   \
	X("connections", connections, NUMBER, 256, 1, 19000, "N",                                      \
	  "Connections at most, shared out evenly among the addresses.")                               \
	X("vanish", vanish, SHARE, 0.05, 0, 1, "SHARE", "Share that stops polling and never returns.") \
	X("sleep", sleep, SHARE, 0.05, 0, 1, "SHARE", "Share that is silent for a while, once.")       \
	X("sleep-ms", sleep_ms, NUMBER, 4000, 0, 86400000, "MS", "How long they are silent.")          \
	X("leave", leave, SHARE, 0.02, 0, 1, "SHARE", "Share that gives its place up.")                \
	X("early-poll", early_poll, SHARE, 0, 0, 1, "SHARE",                                           \
	  "Share of polls that are sent before the time that the server asked for.")                   \
	X("stay-ms", stay_ms, NUMBER, 1000, 0, 86400000, "MS",                                         \
	  "Time on the site before the session is released; 0: it never is.")                          \
	X("duration-s", duration_s, NUMBER, -1, 1, 31536000, "S",                                      \
	  "Stop after this time; without it, when everybody is done.")                                 \
	X("forever", forever, FLAG, 0, 0, 0, "",                                                       \
	  "Newcomers keep arriving, with at most --visitors at a time.")                               \
	X("seed", seed, NUMBER, -1, 0, INT64_MAX, "N",                                                 \
	  "Makes the keys and what people do; the same seed finds the same places again.")             \
	X("capacity", capacity, NUMBER, -1, 0, 10000000, "N",                                          \
	  "Check that no more sessions are active.")                                                   \
	X("rate-per-minute", rate_per_minute, NUMBER, -1, 0, 6000000, "N",                             \
	  "Check that admissions keep to this rate, where no operator does otherwise; needs --burst.") \
	X("burst", burst, NUMBER, -1, 1, 1000000, "N", "The burst that goes with the rate.")           \
	X("report", report, TEXT, 0, 0, 0, "FILE", "Write the report there, not to standard output.")  \
	X("history", history, TEXT, 0, 0, 0, "FILE", "Write every request and its answer, as JSONL.")  \
	X("quiet", quiet, FLAG, 0, 0, 0, "", "No line of progress once a second.")

struct options {
#define OPTION_NUMBER int64_t
#define OPTION_REAL double
#define OPTION_SHARE double
#define OPTION_TEXT const char *
#define OPTION_FLAG bool
#define OPTION_FIELD(name, field, kind, def, low, high, word, text) OPTION_##kind field;
	OPTION_TABLE(OPTION_FIELD)
#undef OPTION_FIELD
	const char *const *urls; /* lend from argv */
	uint32_t url_count;
	bool wants_help, wants_man;
};

/* Texts lend from argv. A seed that was not given is drawn from the clock. WR_BAD_CONFIG says what
 * is wrong; with --help and --print-man nothing else is checked. */
WR_MUST_USE enum wr_err options_parse(int argc, char **argv, struct options *ret_options,
									  struct err_detail *ret_detail);
void options_print_help(FILE *file);
void options_print_man(FILE *file); /* mdoc(7) */

#endif
