/* What visitors do: one table makes the enum, the paths and the names in reports. */
#ifndef WRLOAD_OP_H
#define WRLOAD_OP_H

#define OP_TABLE(X)                                                                                \
	X(OP_ENQUEUE, "enqueue", "/enqueue")                                                           \
	X(OP_HEARTBEAT, "heartbeat", "/heartbeat")                                                     \
	X(OP_LEAVE, "leave", "/leave")                                                                 \
	X(OP_RELEASE, "release", "/session/release")

#define OP_ENUM(name, word, path) name,
enum op { OP_TABLE(OP_ENUM) OP_COUNT };
#undef OP_ENUM

#endif
