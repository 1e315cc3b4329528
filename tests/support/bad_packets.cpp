#include <initializer_list>

#include "support/notation.hpp"
#include "support/packet_table.hpp"
#include "wire/faults.hpp"

namespace mq::support {

namespace {

using namespace wire;
using enum ReasonCode;

class Table {
 public:
  using Versions = std::initializer_list<Version>;

  /// cause  only its words are taken: reason and statement are what the standard says
  void add(std::string_view name, Versions versions, std::string_view notation, ReasonCode reason,
           std::string_view statement, const Fault& cause) {
    for (const Version version : versions) {
      rows_.push_back({name, version, bytes(notation), reason, statement, cause.words});
    }
  }

  std::span<const BadPacket> rows() const { return rows_; }

 private:
  std::vector<BadPacket> rows_;
};

constexpr std::initializer_list<Version> kV31 = {Version::v31};
constexpr std::initializer_list<Version> kV311 = {Version::v311};
constexpr std::initializer_list<Version> kV5 = {Version::v5};
constexpr std::initializer_list<Version> kV3 = {Version::v31, Version::v311};
constexpr std::initializer_list<Version> kEvery = {Version::v31, Version::v311, Version::v5};

void add_fixed_headers(Table& table) {
  table.add("no bytes", kEvery, "", malformed_packet, "", fault::kTruncated);
  table.add("a first byte alone", kEvery, "c0", malformed_packet, "", fault::kTruncated);
  table.add("a packet of type 0", kEvery, "00 00", malformed_packet, "", fault::kReservedType);
  table.add("AUTH before 5.0", kV3, "f0 00", malformed_packet, "", fault::kReservedType);
  table.add("a length above what is there", kEvery, "30 06 0001 't' 'hi'", malformed_packet, "",
            fault::kWrongLength);
  table.add("a length below what is there", kEvery, "30 04 0001 't' 'hi'", malformed_packet, "",
            fault::kWrongLength);
  table.add("a length of five bytes", kEvery, "30 8080808000", malformed_packet, "MQTT-1.5.5-1",
            fault::kLongInteger);
  table.add("a padded length", kV5, "30 8600 0001 't' 00 'hi'", malformed_packet, "MQTT-1.5.5-1",
            fault::kPaddedInteger);
  table.add("a padded length of CONNECT", kV5, "10 8e00 0004 'MQTT' 05 02 003c 00 0001 'a'",
            malformed_packet, "MQTT-1.5.5-1", fault::kPaddedInteger);

  table.add("CONNECT with a flag", kV311, "11 0d 0004 'MQTT' 04 02 003c 0001 'a'", malformed_packet,
            "MQTT-2.1.3-1", fault::kReservedFlags);
  table.add("CONNACK with a flag", kV3, "28 02 0000", malformed_packet, "MQTT-2.1.3-1",
            fault::kReservedFlags);
  table.add("CONNACK with a flag", kV5, "21 03 000000", malformed_packet, "MQTT-2.1.3-1",
            fault::kReservedFlags);
  table.add("PUBACK with a flag", kEvery, "42 02 0001", malformed_packet, "MQTT-2.1.3-1",
            fault::kReservedFlags);
  table.add("PUBREC with a flag", kEvery, "52 02 0001", malformed_packet, "MQTT-2.1.3-1",
            fault::kReservedFlags);
  table.add("PUBREL without its flag", kEvery, "60 02 0001", malformed_packet, "MQTT-3.6.1-1",
            fault::kPubrelFlags);
  table.add("PUBREL with another flag", kEvery, "63 02 0001", malformed_packet, "MQTT-3.6.1-1",
            fault::kPubrelFlags);
  table.add("PUBREL with DUP", {Version::v311, Version::v5}, "6a 02 0001", malformed_packet,
            "MQTT-3.6.1-1", fault::kPubrelFlags);
  table.add("PUBCOMP with a flag", kEvery, "72 02 0001", malformed_packet, "MQTT-2.1.3-1",
            fault::kReservedFlags);
  table.add("SUBSCRIBE without its flag", kEvery, "80 06 0001 0001 '#' 00", malformed_packet,
            "MQTT-3.8.1-1", fault::kSubscribeFlags);
  table.add("SUBSCRIBE with DUP", {Version::v311, Version::v5}, "8a 06 0001 0001 '#' 00",
            malformed_packet, "MQTT-3.8.1-1", fault::kSubscribeFlags);
  table.add("SUBACK with a flag", kEvery, "91 03 0001 00", malformed_packet, "MQTT-2.1.3-1",
            fault::kReservedFlags);
  table.add("UNSUBSCRIBE without its flag", kEvery, "a0 05 0001 0001 '#'", malformed_packet,
            "MQTT-3.10.1-1", fault::kUnsubscribeFlags);
  table.add("UNSUBSCRIBE with DUP", {Version::v311, Version::v5}, "aa 05 0001 0001 '#'",
            malformed_packet, "MQTT-3.10.1-1", fault::kUnsubscribeFlags);
  table.add("UNSUBACK with a flag", kEvery, "b4 02 0001", malformed_packet, "MQTT-2.1.3-1",
            fault::kReservedFlags);
  table.add("PINGREQ with a flag", kEvery, "c1 00", malformed_packet, "MQTT-2.1.3-1",
            fault::kReservedFlags);
  table.add("PINGRESP with a flag", kEvery, "d8 00", malformed_packet, "MQTT-2.1.3-1",
            fault::kReservedFlags);
  table.add("DISCONNECT with a flag", kEvery, "e2 00", malformed_packet, "MQTT-3.14.1-1",
            fault::kDisconnectFlags);
  table.add("AUTH with a flag", kV5, "f1 00", malformed_packet, "MQTT-3.15.1-1", fault::kAuthFlags);

  table.add("PINGREQ with a body", kEvery, "c0 01 00", malformed_packet, "", fault::kTrailingBytes);
  table.add("PINGRESP with a body", kEvery, "d0 01 00", malformed_packet, "",
            fault::kTrailingBytes);
}

void add_protocols(Table& table) {
  const auto name = [&](std::string_view row, std::string_view notation) {
    table.add(row, kEvery, notation, unsupported_protocol_version, "MQTT-3.1.2-1",
              fault::kProtocolName);
  };
  name("CONNECT of another protocol", "10 [ ('HTTP') 04 02 003c ('a') ]");
  name("CONNECT of a protocol in lower case", "10 [ ('mqtt') 04 02 003c ('a') ]");
  name("CONNECT without a protocol name", "10 [ ('') 04 02 003c ('a') ]");
  name("CONNECT with more than the protocol name", "10 [ ('MQTT' 00) 04 02 003c ('a') ]");
  const auto version = [&](std::string_view row, std::string_view notation) {
    table.add(row, kEvery, notation, unsupported_protocol_version, "MQTT-3.1.2-2",
              fault::kProtocolVersion);
  };
  version("CONNECT of version 6", "10 [ ('MQTT') 06 02 003c 00 ('a') ]");
  version("CONNECT of version 0", "10 [ ('MQTT') 00 02 003c 00 ('a') ]");
  version("CONNECT of version 3 under the new name", "10 [ ('MQTT') 03 02 003c ('a') ]");
  version("CONNECT of version 4 under the old name", "10 [ ('MQIsdp') 04 02 003c ('a') ]");
  version("CONNECT of version 5 under the old name", "10 [ ('MQIsdp') 05 02 003c 00 ('a') ]");
  version("CONNECT of version 5 with the bit of bridges", "10 [ ('MQTT') 85 02 003c 00 ('a') ]");
  table.add("CONNECT that ends in its protocol name", kEvery, "10 04 0004 'MQ'", malformed_packet,
            "", fault::kTruncated);
}

void add_connect(Table& table) {
  table.add("CONNECT with the reserved flag", kV31, "10 [ ('MQIsdp') 03 03 003c ('a') ]",
            malformed_packet, "MQTT-3.1.2-3", fault::kConnectFlags);
  table.add("CONNECT with the reserved flag", kV311, "10 [ ('MQTT') 04 03 003c ('a') ]",
            malformed_packet, "MQTT-3.1.2-3", fault::kConnectFlags);
  table.add("CONNECT with the reserved flag", kV5, "10 [ ('MQTT') 05 03 003c 00 ('a') ]",
            malformed_packet, "MQTT-3.1.2-3", fault::kConnectFlags);
  table.add("CONNECT with a QoS for no will", kV311, "10 [ ('MQTT') 04 0a 003c ('a') ]",
            malformed_packet, "MQTT-3.1.2-11", fault::kWillQosWithoutWill);
  table.add("CONNECT with a QoS for no will", kV5, "10 [ ('MQTT') 05 12 003c 00 ('a') ]",
            malformed_packet, "MQTT-3.1.2-11", fault::kWillQosWithoutWill);
  table.add("CONNECT that retains no will", kV311, "10 [ ('MQTT') 04 22 003c ('a') ]",
            malformed_packet, "MQTT-3.1.2-13", fault::kWillRetainWithoutWill);
  table.add("CONNECT that retains no will", kV5, "10 [ ('MQTT') 05 22 003c 00 ('a') ]",
            malformed_packet, "MQTT-3.1.2-13", fault::kWillRetainWithoutWill);
  table.add("CONNECT with a will of QoS 3", kV311, "10 [ ('MQTT') 04 1e 003c ('a') ('w') () ]",
            malformed_packet, "MQTT-3.1.2-12", fault::kWillQos);
  table.add("CONNECT with a will of QoS 3", kV5, "10 [ ('MQTT') 05 1e 003c 00 ('a') 00 ('w') () ]",
            malformed_packet, "MQTT-3.1.2-12", fault::kWillQos);
  table.add("CONNECT with a password alone", kV31, "10 [ ('MQIsdp') 03 42 003c ('a') ('p') ]",
            malformed_packet, "MQTT3-3.1.2-22", fault::kPasswordAlone);
  table.add("CONNECT with a password alone", kV311, "10 [ ('MQTT') 04 42 003c ('a') ('p') ]",
            malformed_packet, "MQTT3-3.1.2-22", fault::kPasswordAlone);
  table.add("CONNECT without the user name it announced", kV311, "10 [ ('MQTT') 04 82 003c ('a') ]",
            malformed_packet, "", fault::kTruncated);
  table.add("CONNECT without the password it announced", kV5,
            "10 [ ('MQTT') 05 c2 003c 00 ('a') ('u') ]", malformed_packet, "", fault::kTruncated);
  table.add("CONNECT without a client id", kV311, "10 [ ('MQTT') 04 02 003c ]", malformed_packet,
            "", fault::kTruncated);
  table.add("CONNECT with a user name it did not announce", kV311,
            "10 [ ('MQTT') 04 02 003c ('a') ('u') ]", malformed_packet, "", fault::kTrailingBytes);
  table.add("CONNECT with a will it did not announce", kV5,
            "10 [ ('MQTT') 05 02 003c 00 ('a') 00 ('w') ('x') ]", malformed_packet, "",
            fault::kTrailingBytes);
  table.add("CONNECT with a will topic that has a wildcard", kV311,
            "10 [ ('MQTT') 04 06 003c ('a') ('w/#') ('x') ]", topic_name_invalid, "MQTT-3.3.2-2",
            fault::kTopicWildcard);
  table.add("CONNECT with a will topic that has a wildcard", kV5,
            "10 [ ('MQTT') 05 06 003c 00 ('a') 00 ('+') ('x') ]", topic_name_invalid,
            "MQTT-3.3.2-2", fault::kTopicWildcard);
  table.add("CONNECT with an empty will topic", kV31,
            "10 [ ('MQIsdp') 03 06 003c ('a') ('') ('x') ]", topic_name_invalid, "MQTT-4.7.3-1",
            fault::kTopicEmpty);
  table.add("CONNECT with an empty will topic", kV5,
            "10 [ ('MQTT') 05 06 003c 00 ('a') 00 ('') ('x') ]", topic_name_invalid, "MQTT-4.7.3-1",
            fault::kTopicEmpty);
  table.add("CONNECT with authentication data but no method", kV5,
            "10 [ ('MQTT') 05 02 003c [ 16 (00) ] ('a') ]", protocol_error, "",
            fault::kNoAuthenticationMethod);
}

void add_connack(Table& table) {
  table.add("CONNACK with another flag", kV3, "20 02 02 00", malformed_packet, "MQTT-3.2.2-1",
            fault::kConnackFlags);
  table.add("CONNACK with another flag", kV5, "20 03 80 00 00", malformed_packet, "MQTT-3.2.2-1",
            fault::kConnackFlags);
  table.add("CONNACK that refuses and has a session", kV311, "20 02 01 05", protocol_error,
            "MQTT-3.2.2-6", fault::kSessionWithRefusal);
  table.add("CONNACK that refuses and has a session", kV5, "20 03 01 87 00", protocol_error,
            "MQTT-3.2.2-6", fault::kSessionWithRefusal);
  table.add("CONNACK with an unknown code", kV3, "20 02 00 06", protocol_error, "MQTT-3.2.2-8",
            fault::kConnackCode);
  table.add("CONNACK with the code of another packet", kV5, "20 03 00 10 00", protocol_error,
            "MQTT-3.2.2-8", fault::kConnackCode);
  table.add("CONNACK of 3 with properties", kV3, "20 03 00 00 00", malformed_packet, "",
            fault::kTrailingBytes);
  table.add("CONNACK of 5.0 without properties", kV5, "20 02 00 00", malformed_packet, "",
            fault::kTruncated);
}

void add_publish(Table& table) {
  table.add("PUBLISH with QoS 3", kV3, "36 05 0001 't' 0001", malformed_packet, "MQTT-3.3.1-4",
            fault::kQos);
  table.add("PUBLISH with QoS 3", kV5, "36 06 0001 't' 0001 00", malformed_packet, "MQTT-3.3.1-4",
            fault::kQos);
  table.add("PUBLISH with DUP and QoS 0", kEvery, "38 04 0001 't' 00", malformed_packet,
            "MQTT-3.3.1-2", fault::kDupWithoutQos);
  table.add("PUBLISH with packet id 0", kV3, "32 05 0001 't' 0000", protocol_error, "MQTT-2.2.1-3",
            fault::kPacketIdZero);
  table.add("PUBLISH with packet id 0", kV5, "34 06 0001 't' 0000 00", protocol_error,
            "MQTT-2.2.1-3", fault::kPacketIdZero);
  table.add("PUBLISH without its packet id", kEvery, "32 03 0001 't'", malformed_packet, "",
            fault::kTruncated);
  table.add("PUBLISH without a topic name", kEvery, "30 01 00", malformed_packet, "",
            fault::kTruncated);
  table.add("PUBLISH that ends in its topic name", kEvery, "30 05 0005 'top'", malformed_packet, "",
            fault::kTruncated);
  table.add("PUBLISH without a topic", kV3, "30 02 0000", topic_name_invalid, "MQTT-4.7.3-1",
            fault::kTopicEmpty);
  table.add("PUBLISH without a topic or an alias", kV5, "30 03 0000 00", protocol_error, "",
            fault::kTopicMissing);
  table.add("PUBLISH without a topic, with other properties", kV5, "30 [ 0000 [ 01 01 ] ]",
            protocol_error, "", fault::kTopicMissing);
  const auto wildcard = [&](std::string_view row, std::string_view notation) {
    table.add(row, kEvery, notation, topic_name_invalid, "MQTT-3.3.2-2", fault::kTopicWildcard);
  };
  wildcard("PUBLISH to +", "30 04 0001 '+' 00");
  wildcard("PUBLISH to #", "30 04 0001 '#' 00");
  wildcard("PUBLISH to a topic of four bytes with a wildcard", "30 [ ('abc+') 00 ]");
  wildcard("PUBLISH to a topic of seven bytes with a wildcard", "30 [ ('abcde#g') 00 ]");
  wildcard("PUBLISH to a topic with a wildcard in front", "30 [ ('+/abcdefgh') 00 ]");
  wildcard("PUBLISH to a topic with a wildcard at the end", "30 [ ('abcdefghij/#') 00 ]");
  wildcard("PUBLISH to a topic with a wildcard beyond ASCII", "30 [ (c3a9 '/+/') 00 ]");
}

/// Ill-formed strings, as PUBLISH topics and in every other place that holds a string.
void add_strings(Table& table) {
  const auto topic = [&](std::string_view row, std::string_view notation) {
    table.add(row, kEvery, notation, malformed_packet, "MQTT-1.5.4-1", fault::kText);
  };
  topic("a topic that starts in mid-character", "30 [ (80) 00 ]");
  topic("a topic with a character cut short", "30 [ ('abcdefgh' c3) 00 ]");
  topic("a topic with a character cut short by a letter", "30 [ (e282 'a') 00 ]");
  topic("a topic with a slash in two bytes", "30 [ (c0af) 00 ]");
  topic("a topic with U+0000 in two bytes", "30 [ (c080) 00 ]");
  topic("a topic with an overlong character of three bytes", "30 [ (e09fbf) 00 ]");
  topic("a topic with an overlong character of four bytes", "30 [ (f08fbfbf) 00 ]");
  topic("a topic with the first surrogate", "30 [ (eda080) 00 ]");
  topic("a topic with the last surrogate", "30 [ (edbfbf) 00 ]");
  topic("a topic with a character above U+10FFFF", "30 [ (f4908080) 00 ]");
  topic("a topic with a byte that starts nothing", "30 [ ('abcdefghijk' ff) 00 ]");
  const auto with_null = [&](std::string_view row, std::initializer_list<Version> versions,
                             std::string_view notation) {
    table.add(row, versions, notation, malformed_packet, "MQTT-1.5.4-2", fault::kTextWithNull);
  };
  with_null("a topic that is U+0000", kEvery, "30 [ (00) 00 ]");
  with_null("a topic of five bytes with U+0000", kEvery, "30 [ ('ab' 00 'cd') 00 ]");
  with_null("a long topic with U+0000", kEvery, "30 [ ('abcdefgh' 00 'ijk') 00 ]");
  with_null("a client id with U+0000", kV31, "10 [ ('MQIsdp') 03 02 003c (00) ]");
  with_null("a client id with U+0000", kV311, "10 [ ('MQTT') 04 02 003c ('a' 00) ]");
  with_null("a user name with U+0000", kV5, "10 [ ('MQTT') 05 82 003c 00 ('a') (00) ]");
  with_null("a filter with U+0000", kV3, "82 [ 0001 ('a' 00) 00 ]");
  with_null("a filter with U+0000", kV5, "82 [ 0001 00 ('a' 00) 00 ]");
  const auto text = [&](std::string_view row, std::initializer_list<Version> versions,
                        std::string_view notation) {
    table.add(row, versions, notation, malformed_packet, "MQTT-1.5.4-1", fault::kText);
  };
  text("an ill-formed client id", kV311, "10 [ ('MQTT') 04 02 003c (ff) ]");
  text("an ill-formed client id", kV5, "10 [ ('MQTT') 05 02 003c 00 (eda080) ]");
  text("an ill-formed will topic", kV311, "10 [ ('MQTT') 04 06 003c ('a') (ff) () ]");
  text("an ill-formed user name", kV311, "10 [ ('MQTT') 04 82 003c ('a') (c3) ]");
  text("an ill-formed filter", kV3, "82 [ 0001 (ff) 00 ]");
  text("an ill-formed filter", kV5, "82 [ 0001 00 ('a') 00 (ff) 00 ]");
  text("an ill-formed filter to leave", kV3, "a2 [ 0001 (ff) ]");
  text("an ill-formed filter to leave", kV5, "a2 [ 0001 00 (ff) ]");
  text("an ill-formed content type", kV5, "30 [ ('t') [ 03 (ff) ] ]");
  text("an ill-formed response topic", kV5, "30 [ ('t') [ 08 (ff) ] ]");
  text("an ill-formed name of a user property", kV5, "30 [ ('t') [ 26 (ff) ('v') ] ]");
  text("an ill-formed value of a user property", kV5, "30 [ ('t') [ 26 ('k') (ff) ] ]");
  text("an ill-formed reason string", kV5, "40 [ 0001 10 [ 1f (ff) ] ]");
  with_null("a reason string with U+0000", kV5, "40 [ 0001 10 [ 1f (00) ] ]");
}

void add_properties(Table& table) {
  const auto malformed = [&](std::string_view row, std::string_view notation, const Fault& cause) {
    table.add(row, kV5, notation, malformed_packet, "", cause);
  };
  malformed("a property that does not exist", "30 [ ('t') [ 04 00 ] ]", fault::kUnknownProperty);
  malformed("property 0", "30 [ ('t') [ 00 ] ]", fault::kUnknownProperty);
  malformed("a property id of two bytes", "30 [ ('t') [ 8100 01 ] ]", fault::kUnknownProperty);
  malformed("a topic alias in CONNECT", "10 [ ('MQTT') 05 02 003c [ 23 0001 ] ('a') ]",
            fault::kMisplacedProperty);
  malformed("a will delay outside of a will", "10 [ ('MQTT') 05 02 003c [ 18 00000001 ] ('a') ]",
            fault::kMisplacedProperty);
  malformed("a topic alias in a will", "10 [ ('MQTT') 05 06 003c 00 ('a') [ 23 0001 ] ('w') () ]",
            fault::kMisplacedProperty);
  malformed("a reason string in PUBLISH", "30 [ ('t') [ 1f ('r') ] ]", fault::kMisplacedProperty);
  malformed("a subscription identifier in UNSUBSCRIBE", "a2 [ 0001 [ 0b 01 ] ('a') ]",
            fault::kMisplacedProperty);
  malformed("a property cut short", "30 [ ('t') [ 02 000000 ] ]", fault::kTruncated);
  malformed("a property that reaches into the payload", "30 [ ('t') [ 03 0005 'ab' ] 'cdefg' ]",
            fault::kTruncated);
  malformed("a user property without its value", "30 [ ('t') [ 26 ('k') ] ]", fault::kTruncated);
  malformed("properties longer than the packet", "30 [ ('t') 05 01 01 ]", fault::kTruncated);
  malformed("a missing property length", "30 [ ('t') ]", fault::kTruncated);
  table.add("a padded property length", kV5, "30 [ ('t') 8000 ]", malformed_packet, "MQTT-1.5.5-1",
            fault::kPaddedInteger);
  table.add("a property length of five bytes", kV5, "30 [ ('t') 8080808001 ]", malformed_packet,
            "MQTT-1.5.5-1", fault::kLongInteger);
  table.add("a padded subscription identifier", kV5, "82 [ 0001 [ 0b 8100 ] ('a') 00 ]",
            malformed_packet, "MQTT-1.5.5-1", fault::kPaddedInteger);
  table.add("a subscription identifier of five bytes", kV5,
            "82 [ 0001 [ 0b ffffffff01 ] ('a') 00 ]", malformed_packet, "MQTT-1.5.5-1",
            fault::kLongInteger);

  const auto wrong = [&](std::string_view row, std::string_view notation, const Fault& cause) {
    table.add(row, kV5, notation, protocol_error, cause.statement, cause);
  };
  wrong("payload format indicator 2", "30 [ ('t') [ 01 02 ] ]", fault::kNotBoolean);
  wrong("request problem information 2", "10 [ ('MQTT') 05 02 003c [ 17 02 ] ('a') ]",
        fault::kNotBoolean);
  wrong("request response information 255", "10 [ ('MQTT') 05 02 003c [ 19 ff ] ('a') ]",
        fault::kNotBoolean);
  wrong("maximum QoS 2", "20 [ 00 00 [ 24 02 ] ]", fault::kNotBoolean);
  wrong("retain available 2", "20 [ 00 00 [ 25 02 ] ]", fault::kNotBoolean);
  wrong("wildcard subscription available 2", "20 [ 00 00 [ 28 02 ] ]", fault::kNotBoolean);
  wrong("subscription identifier available 2", "20 [ 00 00 [ 29 02 ] ]", fault::kNotBoolean);
  wrong("shared subscription available 2", "20 [ 00 00 [ 2a 02 ] ]", fault::kNotBoolean);
  wrong("receive maximum 0", "10 [ ('MQTT') 05 02 003c [ 21 0000 ] ('a') ]", fault::kPropertyZero);
  wrong("receive maximum 0 in CONNACK", "20 [ 00 00 [ 21 0000 ] ]", fault::kPropertyZero);
  wrong("maximum packet size 0", "10 [ ('MQTT') 05 02 003c [ 27 00000000 ] ('a') ]",
        fault::kPropertyZero);
  wrong("subscription identifier 0", "82 [ 0001 [ 0b 00 ] ('a') 00 ]", fault::kPropertyZero);
  wrong("subscription identifier 0 in PUBLISH", "30 [ ('t') [ 0b 00 ] ]", fault::kPropertyZero);
  table.add("topic alias 0", kV5, "30 [ ('t') [ 23 0000 ] ]", topic_alias_invalid, "MQTT-3.3.2-8",
            fault::kTopicAliasZero);
  table.add("a response topic with a wildcard", kV5, "30 [ ('t') [ 08 ('a/#') ] ]", protocol_error,
            "MQTT-3.3.2-14", fault::kResponseTopic);
  table.add("an empty response topic", kV5, "30 [ ('t') [ 08 () ] ]", protocol_error,
            "MQTT-3.3.2-14", fault::kResponseTopic);
  table.add("a response topic with a wildcard in a will", kV5,
            "10 [ ('MQTT') 05 06 003c 00 ('a') [ 08 ('+') ] ('w') () ]", protocol_error,
            "MQTT-3.3.2-14", fault::kResponseTopic);
  wrong("a property twice", "30 [ ('t') [ 23 0001 01 00 23 0001 ] ]", fault::kRepeatedProperty);
  wrong("two subscription identifiers in SUBSCRIBE", "82 [ 0001 [ 0b 01 0b 02 ] ('a') 00 ]",
        fault::kRepeatedProperty);
  wrong("two reason strings", "e0 [ 00 [ 1f ('a') 1f ('a') ] ]", fault::kRepeatedProperty);
}

void add_acknowledgements(Table& table) {
  for (const std::string_view first : {"40", "50", "62", "70"}) {
    const std::string start(first);
    table.add("an acknowledgement with packet id 0", kEvery, start + " 02 0000", protocol_error,
              "MQTT-2.2.1-3", fault::kPacketIdZero);
    table.add("an acknowledgement of one byte", kEvery, start + " 01 00", malformed_packet, "",
              fault::kTruncated);
    table.add("an acknowledgement without a body", kEvery, start + " 00", malformed_packet, "",
              fault::kTruncated);
    table.add("an acknowledgement of 3 with a reason code", kV3, start + " 03 0001 00",
              malformed_packet, "", fault::kTrailingBytes);
    table.add("an acknowledgement with bytes behind the properties", kV5,
              start + " 05 0001 00 00 00", malformed_packet, "", fault::kTrailingBytes);
    table.add("an acknowledgement with properties that are not there", kV5,
              start + " 04 0001 00 01", malformed_packet, "", fault::kTruncated);
  }
  table.add("PUBACK with a code of SUBACK", kV5, "40 03 0001 01", protocol_error, "MQTT-3.4.2-1",
            fault::kPubackCode);
  table.add("PUBREC with a code of PUBREL", kV5, "50 03 0001 92", protocol_error, "MQTT-3.5.2-1",
            fault::kPubrecCode);
  table.add("PUBREL with a code of PUBREC", kV5, "62 03 0001 10", protocol_error, "MQTT-3.6.2-1",
            fault::kPubrelCode);
  table.add("PUBCOMP with a code of PUBREC", kV5, "70 03 0001 80", protocol_error, "MQTT-3.7.2-1",
            fault::kPubcompCode);
}

void add_subscribe(Table& table) {
  table.add("SUBSCRIBE with packet id 0", kV3, "82 06 0000 0001 '#' 00", protocol_error,
            "MQTT-2.2.1-3", fault::kPacketIdZero);
  table.add("SUBSCRIBE with packet id 0", kV5, "82 07 0000 00 0001 '#' 00", protocol_error,
            "MQTT-2.2.1-3", fault::kPacketIdZero);
  table.add("SUBSCRIBE without filters", kV3, "82 02 0001", protocol_error, "MQTT-3.8.3-2",
            fault::kSubscribeEmpty);
  table.add("SUBSCRIBE without filters", kV5, "82 03 0001 00", protocol_error, "MQTT-3.8.3-2",
            fault::kSubscribeEmpty);
  table.add("SUBSCRIBE to an empty filter", kV3, "82 05 0001 0000 00", topic_filter_invalid,
            "MQTT-4.7.3-1", fault::kFilterEmpty);
  table.add("SUBSCRIBE to an empty filter", kV5, "82 [ 0001 00 ('a') 00 () 00 ]",
            topic_filter_invalid, "MQTT-4.7.3-1", fault::kFilterEmpty);
  table.add("SUBSCRIBE without options", kV3, "82 05 0001 0001 '#'", malformed_packet, "",
            fault::kTruncated);
  table.add("SUBSCRIBE that ends in a filter", kV5, "82 [ 0001 00 ('a') 00 0003 'b' ]",
            malformed_packet, "", fault::kTruncated);
  table.add("SUBSCRIBE of 3 with QoS 3", kV3, "82 06 0001 0001 '#' 03", malformed_packet,
            "MQTT3-3.8.3-4", fault::kOptionBitsV3);
  table.add("SUBSCRIBE of 3 with the options of 5.0", kV3, "82 06 0001 0001 '#' 04",
            malformed_packet, "MQTT3-3.8.3-4", fault::kOptionBitsV3);
  table.add("SUBSCRIBE with reserved options", kV5, "82 07 0001 00 0001 '#' 40", malformed_packet,
            "MQTT-3.8.3-5", fault::kOptionBits);
  table.add("SUBSCRIBE with the other reserved option", kV5, "82 07 0001 00 0001 '#' 81",
            malformed_packet, "MQTT-3.8.3-5", fault::kOptionBits);
  table.add("SUBSCRIBE with QoS 3", kV5, "82 07 0001 00 0001 '#' 03", protocol_error, "",
            fault::kOptionQos);
  table.add("SUBSCRIBE with retain handling 3", kV5, "82 07 0001 00 0001 '#' 30", protocol_error,
            "", fault::kRetainHandling);
  table.add("SUBSCRIBE to a share with no local", kV5, "82 [ 0001 00 ('$share/g/a') 04 ]",
            protocol_error, "MQTT-3.8.3-4", fault::kNoLocalShared);
  table.add("UNSUBSCRIBE with packet id 0", kV3, "a2 05 0000 0001 '#'", protocol_error,
            "MQTT-2.2.1-3", fault::kPacketIdZero);
  table.add("UNSUBSCRIBE without filters", kV3, "a2 02 0001", protocol_error, "MQTT-3.10.3-2",
            fault::kUnsubscribeEmpty);
  table.add("UNSUBSCRIBE without filters", kV5, "a2 03 0001 00", protocol_error, "MQTT-3.10.3-2",
            fault::kUnsubscribeEmpty);
  table.add("UNSUBSCRIBE from an empty filter", kV3, "a2 04 0001 0000", topic_filter_invalid,
            "MQTT-4.7.3-1", fault::kFilterEmpty);
  table.add("UNSUBSCRIBE from an empty filter", kV5, "a2 05 0001 00 0000", topic_filter_invalid,
            "MQTT-4.7.3-1", fault::kFilterEmpty);
}

void add_suback(Table& table) {
  table.add("SUBACK with packet id 0", kV3, "90 03 0000 00", protocol_error, "MQTT-2.2.1-3",
            fault::kPacketIdZero);
  table.add("SUBACK without codes", kV3, "90 02 0001", protocol_error, "MQTT-3.8.4-6",
            fault::kSubackEmpty);
  table.add("SUBACK without codes", kV5, "90 03 0001 00", protocol_error, "MQTT-3.8.4-6",
            fault::kSubackEmpty);
  table.add("SUBACK with QoS 3", kV3, "90 04 0001 00 03", protocol_error, "MQTT-3.9.3-2",
            fault::kSubackCode);
  table.add("SUBACK of 3 with a code of 5.0", kV3, "90 04 0001 00 87", protocol_error,
            "MQTT-3.9.3-2", fault::kSubackCode);
  table.add("SUBACK with a code of UNSUBACK", kV5, "90 04 0001 00 11", protocol_error,
            "MQTT-3.9.3-2", fault::kSubackCode);
  table.add("UNSUBACK with packet id 0", kV3, "b0 02 0000", protocol_error, "MQTT-2.2.1-3",
            fault::kPacketIdZero);
  table.add("UNSUBACK of 3 with codes", kV3, "b0 03 0001 00", malformed_packet, "",
            fault::kTrailingBytes);
  table.add("UNSUBACK without codes", kV5, "b0 03 0001 00", protocol_error, "MQTT-3.11.3-1",
            fault::kUnsubackEmpty);
  table.add("UNSUBACK with a code of SUBACK", kV5, "b0 04 0001 00 01", protocol_error,
            "MQTT-3.11.3-2", fault::kUnsubackCode);
}

void add_endings(Table& table) {
  table.add("DISCONNECT of 3 with a reason code", kV3, "e0 01 00", malformed_packet, "",
            fault::kTrailingBytes);
  table.add("DISCONNECT with a code of CONNACK", kV5, "e0 01 84", protocol_error, "MQTT-3.14.2-1",
            fault::kDisconnectCode);
  table.add("DISCONNECT with bytes behind the properties", kV5, "e0 03 00 00 00", malformed_packet,
            "", fault::kTrailingBytes);
  table.add("AUTH with an unknown code", kV5, "f0 [ 01 [ 15 ('m') ] ]", protocol_error,
            "MQTT-3.15.2-1", fault::kAuthCode);
  table.add("AUTH without a method", kV5, "f0 02 18 00", protocol_error, "",
            fault::kNoAuthenticationMethod);
  table.add("AUTH with a code alone", kV5, "f0 01 18", protocol_error, "",
            fault::kNoAuthenticationMethod);
  table.add("AUTH with data but no method", kV5, "f0 [ 18 [ 16 (00) ] ]", protocol_error, "",
            fault::kNoAuthenticationMethod);
  table.add("AUTH with bytes behind the properties", kV5, "f0 [ 18 [ 15 ('m') ] 00 ]",
            malformed_packet, "", fault::kTrailingBytes);
}

Table build() {
  Table table;
  add_fixed_headers(table);
  add_protocols(table);
  add_connect(table);
  add_connack(table);
  add_publish(table);
  add_strings(table);
  add_properties(table);
  add_acknowledgements(table);
  add_subscribe(table);
  add_suback(table);
  add_endings(table);
  return table;
}

}  // namespace

std::span<const BadPacket> bad_packets() {
  static const Table table = build();
  return table.rows();
}

}  // namespace mq::support
