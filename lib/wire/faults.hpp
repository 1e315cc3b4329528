#pragma once

#include "wire/fault.hpp"

/// Every mistake that can be seen in the bytes of one packet. The statement ids are those of
/// MQTT 5.0; those of 3.1.1, where only 3.1.1 has the rule, begin with MQTT3.
namespace mq::wire::fault {

using enum ReasonCode;

// The fixed header and fields of every kind.
inline constexpr Fault kReservedType{malformed_packet, "", "reserved packet type"};
inline constexpr Fault kReservedFlags{malformed_packet, "MQTT-2.1.3-1", "reserved flag bits set"};
inline constexpr Fault kTruncated{malformed_packet, "", "packet ends in the middle of a field"};
inline constexpr Fault kTrailingBytes{malformed_packet, "", "bytes behind the last field"};
inline constexpr Fault kWrongLength{malformed_packet, "", "length field does not fit the packet"};
inline constexpr Fault kLongInteger{malformed_packet, "MQTT-1.5.5-1",
                                    "variable byte integer of more than four bytes"};
inline constexpr Fault kPaddedInteger{malformed_packet, "MQTT-1.5.5-1",
                                      "variable byte integer in more bytes than it needs"};
inline constexpr Fault kTooLarge{packet_too_large, "", "packet larger than allowed"};
inline constexpr Fault kText{malformed_packet, "MQTT-1.5.4-1", "string is not UTF-8"};
inline constexpr Fault kTextWithNull{malformed_packet, "MQTT-1.5.4-2", "string with U+0000"};
inline constexpr Fault kPacketIdZero{protocol_error, "MQTT-2.2.1-3", "packet id 0"};

// Properties.
inline constexpr Fault kUnknownProperty{malformed_packet, "", "unknown property"};
inline constexpr Fault kMisplacedProperty{malformed_packet, "", "property not of this packet"};
inline constexpr Fault kRepeatedProperty{protocol_error, "", "property given twice"};
inline constexpr Fault kNotBoolean{protocol_error, "", "property other than 0 or 1"};
inline constexpr Fault kPropertyZero{protocol_error, "", "property that must not be 0"};
inline constexpr Fault kTopicAliasZero{topic_alias_invalid, "MQTT-3.3.2-8", "topic alias 0"};
inline constexpr Fault kResponseTopic{protocol_error, "MQTT-3.3.2-14",
                                      "response topic is empty or has wildcards"};
inline constexpr Fault kNoAuthenticationMethod{protocol_error, "",
                                               "authentication without a method"};

// CONNECT and CONNACK.
inline constexpr Fault kProtocolName{unsupported_protocol_version, "MQTT-3.1.2-1",
                                     "unknown protocol name"};
inline constexpr Fault kProtocolVersion{unsupported_protocol_version, "MQTT-3.1.2-2",
                                        "unknown protocol version"};
inline constexpr Fault kConnectFlags{malformed_packet, "MQTT-3.1.2-3",
                                     "reserved flag of CONNECT set"};
inline constexpr Fault kWillQosWithoutWill{malformed_packet, "MQTT-3.1.2-11",
                                           "QoS of a will without a will"};
inline constexpr Fault kWillQos{malformed_packet, "MQTT-3.1.2-12", "will with QoS 3"};
inline constexpr Fault kWillRetainWithoutWill{malformed_packet, "MQTT-3.1.2-13",
                                              "retain flag of a will without a will"};
inline constexpr Fault kPasswordAlone{malformed_packet, "MQTT3-3.1.2-22",
                                      "password without a user name"};
inline constexpr Fault kConnackFlags{malformed_packet, "MQTT-3.2.2-1",
                                     "reserved flags of CONNACK set"};
inline constexpr Fault kSessionWithRefusal{protocol_error, "MQTT-3.2.2-6",
                                           "refusing CONNACK that speaks of a session"};
inline constexpr Fault kConnackCode{protocol_error, "MQTT-3.2.2-8", "unknown code in CONNACK"};

// Topics.
inline constexpr Fault kTopicWildcard{topic_name_invalid, "MQTT-3.3.2-2",
                                      "topic name with wildcards"};
inline constexpr Fault kTopicEmpty{topic_name_invalid, "MQTT-4.7.3-1", "empty topic name"};
inline constexpr Fault kTopicMissing{protocol_error, "", "neither a topic name nor a topic alias"};
inline constexpr Fault kFilterEmpty{topic_filter_invalid, "MQTT-4.7.3-1", "empty topic filter"};

// PUBLISH and its acknowledgements.
inline constexpr Fault kDupWithoutQos{malformed_packet, "MQTT-3.3.1-2", "DUP with QoS 0"};
inline constexpr Fault kQos{malformed_packet, "MQTT-3.3.1-4", "QoS 3"};
inline constexpr Fault kPubackCode{protocol_error, "MQTT-3.4.2-1", "unknown code in PUBACK"};
inline constexpr Fault kPubrecCode{protocol_error, "MQTT-3.5.2-1", "unknown code in PUBREC"};
inline constexpr Fault kPubrelFlags{malformed_packet, "MQTT-3.6.1-1", "wrong flags of PUBREL"};
inline constexpr Fault kPubrelCode{protocol_error, "MQTT-3.6.2-1", "unknown code in PUBREL"};
inline constexpr Fault kPubcompCode{protocol_error, "MQTT-3.7.2-1", "unknown code in PUBCOMP"};

// SUBSCRIBE, UNSUBSCRIBE and their acknowledgements.
inline constexpr Fault kSubscribeFlags{malformed_packet, "MQTT-3.8.1-1",
                                       "wrong flags of SUBSCRIBE"};
inline constexpr Fault kSubscribeEmpty{protocol_error, "MQTT-3.8.3-2",
                                       "SUBSCRIBE without a topic filter"};
inline constexpr Fault kNoLocalShared{protocol_error, "MQTT-3.8.3-4",
                                      "no local on a shared subscription"};
inline constexpr Fault kOptionBits{malformed_packet, "MQTT-3.8.3-5",
                                   "reserved bits of subscription options set"};
inline constexpr Fault kOptionBitsV3{malformed_packet, "MQTT3-3.8.3-4",
                                     "requested QoS other than 0, 1 or 2"};
inline constexpr Fault kOptionQos{protocol_error, "", "subscription with QoS 3"};
inline constexpr Fault kRetainHandling{protocol_error, "", "retain handling 3"};
inline constexpr Fault kSubackCode{protocol_error, "MQTT-3.9.3-2", "unknown code in SUBACK"};
inline constexpr Fault kSubackEmpty{protocol_error, "MQTT-3.8.4-6", "SUBACK without a code"};
inline constexpr Fault kUnsubscribeFlags{malformed_packet, "MQTT-3.10.1-1",
                                         "wrong flags of UNSUBSCRIBE"};
inline constexpr Fault kUnsubscribeEmpty{protocol_error, "MQTT-3.10.3-2",
                                         "UNSUBSCRIBE without a topic filter"};
inline constexpr Fault kUnsubackCode{protocol_error, "MQTT-3.11.3-2", "unknown code in UNSUBACK"};
inline constexpr Fault kUnsubackEmpty{protocol_error, "MQTT-3.11.3-1", "UNSUBACK without a code"};

// DISCONNECT and AUTH.
inline constexpr Fault kDisconnectFlags{malformed_packet, "MQTT-3.14.1-1",
                                        "reserved flags of DISCONNECT set"};
inline constexpr Fault kDisconnectCode{protocol_error, "MQTT-3.14.2-1",
                                       "unknown code in DISCONNECT"};
inline constexpr Fault kAuthFlags{malformed_packet, "MQTT-3.15.1-1", "reserved flags of AUTH set"};
inline constexpr Fault kAuthCode{protocol_error, "MQTT-3.15.2-1", "unknown code in AUTH"};

}  // namespace mq::wire::fault
