/* Picture: what every place object of a queue says alike. */
#ifndef WAITINGROOM_API_PICTURE_H
#define WAITINGROOM_API_PICTURE_H

#include "waitingroom/queue_table.h"
#include "waitingroom/text.h"

#define PICTURE_COMMON_BYTES 8192 /* a message, escaped; those of languages come on top */

/* The beginning of the object, without its end. waiting, as_of_ms: the picture's own, or of an
 * answer of the store that is newer. */
void picture_write_common(const struct queue_snapshot *picture, uint64_t waiting, int64_t as_of_ms,
						  struct json_out *out);

#endif
