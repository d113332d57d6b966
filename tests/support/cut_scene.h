/* A room full of people, in which a step is cut and life goes on
 * (tests/contract/scripts_prefix.c). */
#ifndef SUPPORT_CUT_SCENE_H
#define SUPPORT_CUT_SCENE_H

#include <stdbool.h>

#include "support/room.h"

#define STAYING_MAX 16

/* Whoever goes on polling to the end, and the ticket of their token; 0: no answer yet. */
struct visitor {
	const char *id;
	int ticket;
	bool stays;
	const char *join; /* what is said when joining; NULL: the id */
};

struct scene {
	struct room *room;
	struct visitor visitors[STAYING_MAX];
};

/* Ann is in, bob may come in, gus was set aside, hal has come back, cid dan eve fay wait; ivy and
 * jon come later. room_free(scene->room) */
void scene_set(struct scene *scene, struct redis_client *client);
struct visitor *scene_visitor(struct scene *scene, const char *id);
/* Visitors do what browsers do, admitters go on, until everybody's time is up. */
void scene_live_on(struct scene *scene);
/* Who stayed has been in once, nothing is left anywhere. The step is named when it is not so. */
void scene_assert_all_is_well(struct scene *scene, const char *step, int writes);
/* The events of a place follow the table of moves. */
void scene_assert_legal(struct scene *scene, const char *id);

#endif
