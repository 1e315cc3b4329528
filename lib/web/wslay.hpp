#pragma once

#include <wslay/wslay.h>

#include "base/lazy_function.hpp"

/// wslay, for those who speak WebSocket. A function that is missing here is a link error.
namespace mq::web {

inline constexpr char kWslay[] = "libwslay.so.1";

#define MQ_WSLAY(name) \
  inline constinit const LazyFunction<LazyLibrary<kWslay>, decltype(::name)> name(#name)

MQ_WSLAY(wslay_event_config_set_max_recv_msg_length);
MQ_WSLAY(wslay_event_config_set_no_buffering);
MQ_WSLAY(wslay_event_context_client_init);
MQ_WSLAY(wslay_event_context_free);
MQ_WSLAY(wslay_event_context_server_init);
MQ_WSLAY(wslay_event_get_queued_msg_count);
MQ_WSLAY(wslay_event_get_read_enabled);
MQ_WSLAY(wslay_event_get_write_enabled);
MQ_WSLAY(wslay_event_queue_close);
MQ_WSLAY(wslay_event_queue_msg);
MQ_WSLAY(wslay_event_recv);
MQ_WSLAY(wslay_event_send);
MQ_WSLAY(wslay_event_set_error);
MQ_WSLAY(wslay_event_shutdown_read);
MQ_WSLAY(wslay_event_want_write);

#undef MQ_WSLAY

}  // namespace mq::web
