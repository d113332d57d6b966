/* Log words: the vocabulary of the log, one row each.
 *
 * What     LOG_EVENT_TABLE: event.action and the sentence in "message". LOG_FIELD_TABLE: fields whose
 *          name in a line is one of the Elastic Common Schema; all others are "wr." and their key.
 *          deploy/logs.md is printed from here; scripts/check-logs holds both against the code.
 * Used by  lib/base/log*.c.
 * Threads  constants.
 */
#ifndef WAITINGROOM_LOG_WORDS_H
#define WAITINGROOM_LOG_WORDS_H

#define LOG_ECS_VERSION "8.11.0"

/* event.action, message */
#define LOG_EVENT_TABLE(X)                                                                         \
	X("started", "The program serves.")                                                            \
	X("draining", "The program was asked to stop and lets requests finish.")                       \
	X("stopped", "The program has ended in good order.")                                           \
	X("reloaded", "Keys were read again.")                                                         \
	X("reload_refused", "Keys could not be read again; those from before stay.")                   \
	X("log_level_changed", "Another level of the log is in force.")                                \
	X("log_lines_dropped", "Lines of the log were lost: nobody read them fast enough.")            \
	X("log_repeated", "The same line came too often; so many were not written.")                   \
	X("request", "A request was answered.")                                                        \
	X("request_bug", "A request ended with 500 by a bug of ours.")                                 \
	X("http_no_answer", "A handler forgot to answer; the visitor got 500.")                        \
	X("http_bad_reply_header", "A header of an answer could not be sent.")                         \
	X("admin_refused", "A key of the admin API was not good, or may not do what it was used for.") \
	X("session_shared", "A session came from another network or browser.")                         \
	X("store_connected", "The store is connected.")                                                \
	X("store_lost", "The connection to the store was lost.")                                       \
	X("store_unreachable", "The store cannot be reached.")                                         \
	X("store_refused", "The store is there, but fails a step; said once a minute for each step.")  \
	X("store_refuses_tags", "The store refuses keys of a declared tag.")                           \
	X("queue_revived", "A queue was put back after the store had lost it.")                        \
	X("queues_file_refused", "WR_QUEUES_FILE could not be applied.")                               \
	X("too_many_queues", "There are more queues than a process follows.")                          \
	X("index_limit", "A line is longer than the position index takes.")                            \
	X("revocations_dropped", "The table of revocations is full; some sessions stay good.")         \
	X("captcha_away", "A captcha provider fails; visitors get a proof of work.")                   \
	X("captcha_back", "A captcha provider answers again.")                                         \
	X("captcha_keys_refused", "A captcha provider refuses our keys.")                              \
	X("broker_connecting", "The broker is being connected.")                                       \
	X("broker_connected", "The broker is connected.")                                              \
	X("broker_lost", "The connection to the broker was lost.")                                     \
	X("broker_refuses", "The broker refuses the connection.")                                      \
	X("broker_not_closed", "The broker's connection did not close in time.")                       \
	X("stream_created", "A stream was created.")                                                   \
	X("stream_setting_changes", "A setting of a stream is being changed.")                         \
	X("stream_setting_differs", "A setting of a stream differs and cannot be changed.")            \
	X("stream_not_as_wanted", "The broker refuses a stream's settings.")                           \
	X("relay_state", "The relay of events moved to another state.")                                \
	X("events_held", "Events cannot be published and stay in the outbox.")                         \
	X("events_flow", "Events are published again.")                                                \
	X("traces_held", "Traces cannot be sent; some are lost until they can.")                       \
	X("traces_flow", "Traces are sent again.")                                                     \
	X("outbox_lost", "The outbox cannot be read.")                                                 \
	X("outbox_back", "The outbox can be read again.")                                              \
	X("outbox_entry_malformed", "An outbox entry could not be understood and was set aside.")

/* key in the code, name in a line, meaning */
#define LOG_FIELD_TABLE(X)                                                                         \
	X("request_id", "http.request.id", "X-Request-Id of the answer.")                              \
	X("method", "http.request.method", "Method of the request.")                                   \
	X("route", "http.route", "Template of the path, never the path itself.")                       \
	X("status", "http.response.status_code", "Status of the answer.")                              \
	X("duration_ns", "event.duration", "From the request line to the answer, nanoseconds.")        \
	X("client", "client.address", "The visitor's network: IPv4 /24, IPv6 /48.")                    \
	X("trace_id", "trace.id", "Trace that the request belongs to.")                                \
	X("span_id", "span.id", "The span of the request.")                                            \
	X("reason", "error.message", "Why, as a sentence or a code.")

#endif
