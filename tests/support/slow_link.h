/* Slow link: a way to a server that takes its time, for tests of what distance does.
 *
 *     struct slow_link *link = slow_link_open(redis_port(redis), 5);
 *     … connect to 127.0.0.1 at slow_link_port(link) …
 *     slow_link_free(link);
 *
 * Bytes come out in order, each piece 'delay_ms' after it went in, in both directions; as many
 * pieces as there are may be on their way at once. Connections go with their ends.
 */
#ifndef SUPPORT_SLOW_LINK_H
#define SUPPORT_SLOW_LINK_H

struct slow_link;

/* port  of the server on 127.0.0.1. gives; slow_link_free() */
struct slow_link *slow_link_open(int port, int delay_ms);
int slow_link_port(const struct slow_link *link);
/* For what comes from now on. */
void slow_link_set_delay(struct slow_link *link, int delay_ms);
void slow_link_free(struct slow_link *link); /* NULL is fine */

#endif
