/* Passes that come back from the store before the gateway check is there to use them. */
#include "endpoints.h"

void authz_redeemed(struct worker *worker, struct http_request *request, enum wr_err err,
					const struct redeemed *person)
{
	(void)person;
	worker_problem(worker, request, err != WR_OK ? err : WR_BAD_TOKEN, NULL);
}
