/* /authz/nginx: the contract with auth_request of nginx, golden file in hand. */
#include "support/authz_world.h"
#include "support/golden.h"

int main(void)
{
	return golden_run("tests/golden/authz_nginx.txt", authz_world_address(), authz_world_words(),
					  authz_world_open, authz_world_close);
}
