/* Rings of links: the two deadline lists of a server are made of them. */
#include "internal.h"

void http_link_init(struct http_link *link)
{
	link->next = link->prev = link;
}

bool http_link_is_alone(const struct http_link *link)
{
	return link->next == link;
}

void http_link_remove(struct http_link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	http_link_init(link);
}

void http_link_append(struct http_link *ring, struct http_link *link)
{
	http_link_remove(link);
	link->prev = ring->prev;
	link->next = ring;
	ring->prev->next = link;
	ring->prev = link;
}
