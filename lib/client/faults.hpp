#pragma once

#include "wire/fault.hpp"

/// What a server can do wrong beyond a single packet.
namespace mq::client::fault {

using wire::Fault;
using enum wire::ReasonCode;

inline constexpr Fault kNoConnack{protocol_error, "MQTT-3.2.0-1", "first packet is not CONNACK"};
inline constexpr Fault kSecondConnack{protocol_error, "MQTT-3.2.0-2", "second CONNACK"};
inline constexpr Fault kSessionPresent{protocol_error, "MQTT-3.2.2-2",
                                       "session present after a clean start"};
inline constexpr Fault kClientPacket{protocol_error, "", "packet that only clients send"};
inline constexpr Fault kAuth{protocol_error, "MQTT-4.12.0-6", "AUTH that was not asked for"};
inline constexpr Fault kReceiveMaximum{receive_maximum_exceeded, "MQTT-3.3.4-9",
                                       "more messages under way than the receive maximum"};
inline constexpr Fault kTopicAlias{topic_alias_invalid, "MQTT-3.1.2-26",
                                   "topic alias above the maximum"};
inline constexpr Fault kUnknownAlias{protocol_error, "MQTT 5.0 §3.3.4",
                                     "topic alias without a topic"};
inline constexpr Fault kWrongAcknowledgement{protocol_error, "MQTT-4.3.3-4",
                                             "acknowledgement of the wrong kind"};
inline constexpr Fault kUnknownRequest{protocol_error, "MQTT-3.8.4-2",
                                       "answer to a request that was not made"};
inline constexpr Fault kAnswerLength{protocol_error, "MQTT-3.9.3-1",
                                     "not one code for each topic filter"};

}  // namespace mq::client::fault
