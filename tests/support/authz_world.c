/* A pod that is asked gate checks. See authz_world.h. */
#include "support/authz_world.h"

#include "support/api.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOP                                                                                       \
	"\"capacity\":100,\"burst\":100,\"allowed_targets\":[\"https://shop.example\"],"               \
	"\"bypass\":[{\"path_prefix\":\"/assets/\",\"methods\":[\"GET\"]}]"

#define OTHER "\"capacity\":100,\"burst\":100,\"allowed_targets\":[\"https://shop.example\"]"

static struct stack *stack;
static const char *url;
static struct golden_word words[] = {{"session", NULL},	   {"id", NULL},	{"other", NULL},
									 {"tampered", NULL},   {"place", NULL}, {"pass", NULL},
									 {"other-pass", NULL}, {NULL, NULL}};

static char *enter(const char *queue, const char *member, const char **ret_id)
{
	struct http_answer *answer = api_enqueue(url, queue, NULL);
	api_expect_place(answer, "admitted");
	char *text = http_answer_text(answer, member);
	if (ret_id)
		*ret_id = http_answer_text(answer, "position_id");
	http_answer_free(answer);
	return text;
}

/* The pass in the redirect_url of somebody who is let in; gives. */
static char *pass_into(const char *queue)
{
	char body[128];
	snprintf(body, sizeof(body), "{\"queue_id\":\"%s\",\"target\":\"https://shop.example/\"}",
			 queue);
	struct http_answer *answer = http_call(url, "POST", "/enqueue", NULL, body);
	api_expect_place(answer, "admitted");
	char *redirect = http_answer_text(answer, "redirect_url");
	const char *pass = strstr(redirect, "?wr_pass=");
	assert_non_null(pass);
	char *copy = strdup(pass + strlen("?wr_pass="));
	free(redirect);
	http_answer_free(answer);
	return copy;
}

int authz_world_open(void **state)
{
	(void)state;
	stack = stack_start(&(struct stack_options){
		.pods = 1,
		.without_nats = true,
		.env = (const char *const[]){NO_RATE_LIMITS, "WR_TRUSTED_PROXIES=127.0.0.0/8",
									 "WR_PUBLIC_URL=https://room.example/_wr", NULL},
		.queues = QUEUES(QUEUE("shop", SHOP) "," QUEUE("other", OTHER) //
						 "," QUEUE("open-door", "\"state\":\"passthrough\""))});
	url = stack_url(stack, 0);
	words[0].value = enter("shop", "session_token", &words[1].value);
	words[2].value = enter("other", "session_token", NULL);
	char *tampered = strdup(words[0].value);
	char *letter = tampered + strlen(tampered) - 10;
	*letter = *letter == 'A' ? 'B' : 'A';
	words[3].value = tampered;
	words[4].value = enter("shop", "token", NULL);
	words[5].value = pass_into("shop");
	words[6].value = pass_into("other");
	return 0;
}

int authz_world_close(void **state)
{
	(void)state;
	for (struct golden_word *word = words; word->name; word++)
		free((char *)word->value);
	stack_free(stack);
	return 0;
}

const char *const *authz_world_address(void)
{
	return &url;
}

const struct golden_word *authz_world_words(void)
{
	return words;
}
