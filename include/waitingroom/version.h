/* Version of the whole: semantic versioning of the HTTP contract, the events and the settings. */
#ifndef WAITINGROOM_VERSION_H
#define WAITINGROOM_VERSION_H

#define WR_VERSION "0.1.0"

#endif
