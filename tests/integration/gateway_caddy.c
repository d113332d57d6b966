/* Caddy with the configuration of deploy/ in front of a site: the cases of
 * tests/support/gateway_*. */
#include "support/gateway_cases.h"

int main(void)
{
	return gateway_cases_run(GATEWAY_CADDY);
}
