/* /authz/forward: the contract with ForwardAuth of Traefik, forward_auth of Caddy, HAProxy, golden
 * file in hand. */
#include "support/authz_world.h"
#include "support/golden.h"

int main(void)
{
	return golden_run("tests/golden/authz_forward.txt", authz_world_address(), authz_world_words(),
					  authz_world_open, authz_world_close);
}
