/* The queue default/demo, made and filled by the client of shared_ask.h.
 *
 *     demo_put_held();
 *     demo_join("main", 1, 9, true);
 *     ask_do(ask, "HGET " DEMO "position:person0000000001 s");
 *
 * Its people have numbers. Functions fail the running test instead of returning errors.
 */
#ifndef SUPPORT_DEMO_QUEUE_H
#define SUPPORT_DEMO_QUEUE_H

#include "support/shared_ask.h"

#define DEMO "wr:{default/demo}:" /* before all its keys */

extern const struct queue_name demo;

/* Of a queue that lets nobody in until told to, and then whoever there is. */
struct queue_settings demo_held_settings(void);
void demo_put_held(void);

/* "person" and ten digits */
void demo_person_id(store_id ret_id, int number);
/* People first..last join and, unless they are to be ghosts, are heard of once. */
void demo_join(const char *lane, int first, int last, bool heard);
/* People 1..last, and the beginning of patience, are put back: nobody is a newcomer any more. */
void demo_make_older(int last);

#endif
