/* Contract: openapi.yaml, ready to be sent. */
#ifndef WAITINGROOM_API_CONTRACT_H
#define WAITINGROOM_API_CONTRACT_H

struct page;

struct page *contract_build(void); /* gives; page_free() */

#endif
