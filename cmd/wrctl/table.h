/* Table: rows of text in columns that fit the terminal.
 *
 *     struct table *table = table_new("queue", "waiting>", "note…");
 *     table_cell(table, PAINT_PLAIN, "%s", name); …
 *     table_print(table, &w->terminal);
 *
 * What     A heading that ends in '>' is of a column of numbers (to the right), one that ends in "…"
 *          of a column that is cut when there is no room. Without a terminal nothing is cut.
 * Threads  one.
 */
#ifndef WRCTL_TABLE_H
#define WRCTL_TABLE_H

#include <stdint.h>

#include "terminal.h"
#include "waitingroom/err.h"

struct table;

#define table_new(...) table_begin((const char *const[]){__VA_ARGS__, NULL})
struct table *table_begin(const char *const headings[]); /* gives */
void table_free(struct table *table);
void table_free_at(struct table **table); /* for WR_AUTO */
/* The next cell; after the last one of a row a new row begins. Control characters become spaces. */
void table_cell(struct table *table, enum paint paint, const char *format, ...) WR_PRINTF(3, 4);
void table_number(struct table *table, int64_t number); /* with thousands apart */
void table_print(const struct table *table, const struct terminal *terminal);
/* "1 234 567" */
#define NUMBER_TEXT_BYTES 32
const char *number_text(int64_t number, char ret_text[NUMBER_TEXT_BYTES]);
/* "3 min 20 s", "450 ms", "2 d 4 h" */
const char *duration_text(int64_t ms, char ret_text[NUMBER_TEXT_BYTES]);
/* "2026-11-20 18:00:05" in local time, or "never" for 0 */
const char *moment_text(int64_t at_ms, char ret_text[NUMBER_TEXT_BYTES]);

#endif
