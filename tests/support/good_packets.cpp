#include <deque>
#include <initializer_list>

#include "support/notation.hpp"
#include "support/packet_table.hpp"

namespace mq::support {

namespace {

using namespace wire;
using enum PropertyId;
using enum QoS;

class Table {
 public:
  using Versions = std::initializer_list<Version>;

  void add(std::string_view name, Versions versions, std::string_view notation,
           const Packet& packet) {
    for (const Version version : versions) {
      rows_.push_back({name, version, bytes(notation), packet, true});
    }
  }

  /// Bytes that are legal but not the shortest way to say it.
  void add_long_winded(std::string_view name, Versions versions, std::string_view notation,
                       const Packet& packet) {
    for (const Version version : versions) {
      rows_.push_back({name, version, bytes(notation), packet, false});
    }
  }

  Properties keep(const PropertyList& list) { return lists_.emplace_back(list).view(); }

  ByteView keep(std::string_view notation) { return contents_.emplace_back(bytes(notation)); }

  std::span<const GoodPacket> rows() const { return rows_; }

 private:
  std::vector<GoodPacket> rows_;
  std::deque<PropertyList> lists_;
  std::deque<std::vector<Byte>> contents_;
};

constexpr std::initializer_list<Version> kV31 = {Version::v31};
constexpr std::initializer_list<Version> kV311 = {Version::v311};
constexpr std::initializer_list<Version> kV5 = {Version::v5};
constexpr std::initializer_list<Version> kV3 = {Version::v31, Version::v311};
constexpr std::initializer_list<Version> kEvery = {Version::v31, Version::v311, Version::v5};

void add_connect_v3(Table& table) {
  table.add("CONNECT of 3.1", kV31, "10 0f 0006 'MQIsdp' 03 02 003c 0001 'a'",
            Connect{.version = Version::v31, .keep_alive = 60, .client_id = "a"});
  table.add("CONNECT of 3.1.1", kV311, "10 0d 0004 'MQTT' 04 02 003c 0001 'a'",
            Connect{.version = Version::v311, .keep_alive = 60, .client_id = "a"});
  table.add("CONNECT of 3.1.1 without a client id", kV311, "10 0c 0004 'MQTT' 04 02 0000 0000",
            Connect{.version = Version::v311});
  table.add("CONNECT of a bridge, 3.1", kV31, "10 [ ('MQIsdp') 83 00 003c ('bridge') ]",
            Connect{.version = Version::v31,
                    .clean_start = false,
                    .is_bridge = true,
                    .keep_alive = 60,
                    .client_id = "bridge"});
  table.add("CONNECT of a bridge, 3.1.1", kV311, "10 [ ('MQTT') 84 00 ffff ('bridge') ]",
            Connect{.version = Version::v311,
                    .clean_start = false,
                    .is_bridge = true,
                    .keep_alive = 65535,
                    .client_id = "bridge"});
  table.add("CONNECT of 3.1.1 with everything", kV311,
            "10 [ ('MQTT') 04 f6 000a ('sensor') ('state') (00ff01) ('user') (fe00) ]",
            Connect{.version = Version::v311,
                    .keep_alive = 10,
                    .client_id = "sensor",
                    .will = Will{.topic = "state",
                                 .payload = table.keep("00ff01"),
                                 .qos = exactly_once,
                                 .retain = true},
                    .user_name = "user",
                    .password = table.keep("fe00")});
  table.add("CONNECT of 3.1 with a will and a user name", kV31,
            "10 [ ('MQIsdp') 03 8c 0000 ('c') ('w') ('') ('') ]",
            Connect{.version = Version::v31,
                    .clean_start = false,
                    .client_id = "c",
                    .will = Will{.topic = "w", .qos = at_least_once},
                    .user_name = ""});
  table.add("CONNECT of 3.1.1 with an empty password", kV311,
            "10 [ ('MQTT') 04 c0 0000 ('c') ('u') () ]",
            Connect{.version = Version::v311,
                    .clean_start = false,
                    .client_id = "c",
                    .user_name = "u",
                    .password = ByteView()});
  table.add_long_winded("CONNECT of 3.1 that ends before the user name it announced", kV31,
                        "10 [ ('MQIsdp') 03 c2 0000 ('c') ]",
                        Connect{.version = Version::v31, .client_id = "c"});
  table.add_long_winded("CONNECT of 3.1 that ends before the password it announced", kV31,
                        "10 [ ('MQIsdp') 03 c2 0000 ('c') ('u') ]",
                        Connect{.version = Version::v31, .client_id = "c", .user_name = "u"});
  table.add_long_winded("CONNECT of 3.1.1 with a padded length", kV311,
                        "10 8d 80 00 0004 'MQTT' 04 02 003c 0001 'a'",
                        Connect{.version = Version::v311, .keep_alive = 60, .client_id = "a"});
}

void add_connect_v5(Table& table) {
  table.add("CONNECT of 5.0", kV5, "10 0e 0004 'MQTT' 05 02 003c 00 0001 'a'",
            Connect{.version = Version::v5, .keep_alive = 60, .client_id = "a"});
  table.add("CONNECT of 5.0 with a password alone", kV5,
            "10 [ ('MQTT') 05 40 0000 00 ('') ('secret') ]",
            Connect{.version = Version::v5, .clean_start = false, .password = bytes_of("secret")});
  table.add(
      "CONNECT of 5.0 with everything", kV5,
      "10 [ ('MQTT') 05 ee 003c"
      " [ 11 ffffffff 21 0014 27 00000001 22 ffff 19 01 17 00 26 ('k') ('v') 26 ('k') ('v')"
      "   15 ('SCRAM') 16 (00) ]"
      " ('id')"
      " [ 18 0000003c 01 01 02 00000e10 03 ('text/plain') 08 ('answer/here') 09 (c0ffee)"
      "   26 ('') ('') ]"
      " ('last/will') ('gone') ('user') ('pass') ]",
      Connect{.version = Version::v5,
              .keep_alive = 60,
              .client_id = "id",
              .will = Will{.topic = "last/will",
                           .payload = bytes_of("gone"),
                           .qos = at_least_once,
                           .retain = true,
                           .properties = table.keep(PropertyList()
                                                        .add(will_delay_interval, 60)
                                                        .add(payload_format_indicator, 1)
                                                        .add(message_expiry_interval, 3600)
                                                        .add(content_type, "text/plain")
                                                        .add(response_topic, "answer/here")
                                                        .add(correlation_data, table.keep("c0ffee"))
                                                        .add_user("", ""))},
              .user_name = "user",
              .password = bytes_of("pass"),
              .properties = table.keep(PropertyList()
                                           .add(session_expiry_interval, 0xFFFFFFFF)
                                           .add(receive_maximum, 20)
                                           .add(maximum_packet_size, 1)
                                           .add(topic_alias_maximum, 65535)
                                           .add(request_response_information, 1)
                                           .add(request_problem_information, 0)
                                           .add_user("k", "v")
                                           .add_user("k", "v")
                                           .add(authentication_method, "SCRAM")
                                           .add(authentication_data, table.keep("00")))});
}

void add_connack(Table& table) {
  table.add("CONNACK, accepted", kV3, "20 02 00 00", Connack{});
  table.add("CONNACK, session present", kV311, "20 02 01 00", Connack{.session_present = true});
  table.add_long_winded("CONNACK of 3.1 with a byte that 3.1 does not use", kV31, "20 02 01 00",
                        Connack{});
  table.add("CONNACK, not authorized", kV3, "20 02 00 05", Connack{.code = 5});
  table.add("CONNACK of 5.0", kV5, "20 03 00 00 00", Connack{});
  table.add(
      "CONNACK of 5.0, refused with a reason", kV5, "20 [ 00 87 [ 1f ('no') ] ]",
      Connack{.code = 0x87, .properties = table.keep(PropertyList().add(reason_string, "no"))});
  table.add("CONNACK of 5.0 with everything", kV5,
            "20 [ 01 00 [ 22 000a 12 ('auto-1') 11 00000000 21 ffff 24 01 25 00 27 ffffffff"
            " 1f ('') 26 ('a') ('b') 28 00 29 01 2a 00 13 001e 1a ('info') 1c ('other:1883')"
            " 15 ('m') 16 () ] ]",
            Connack{.session_present = true,
                    .properties = table.keep(PropertyList()
                                                 .add(topic_alias_maximum, 10)
                                                 .add(assigned_client_identifier, "auto-1")
                                                 .add(session_expiry_interval, 0)
                                                 .add(receive_maximum, 65535)
                                                 .add(maximum_qos, 1)
                                                 .add(retain_available, 0)
                                                 .add(maximum_packet_size, 0xFFFFFFFF)
                                                 .add(reason_string, "")
                                                 .add_user("a", "b")
                                                 .add(wildcard_subscription_available, 0)
                                                 .add(subscription_identifier_available, 1)
                                                 .add(shared_subscription_available, 0)
                                                 .add(server_keep_alive, 30)
                                                 .add(response_information, "info")
                                                 .add(server_reference, "other:1883")
                                                 .add(authentication_method, "m")
                                                 .add(authentication_data, ByteView()))});
}

void add_publish_v3(Table& table) {
  table.add("PUBLISH, QoS 0", kV3, "30 05 0001 't' 'hi'",
            Publish{.topic = "t", .payload = bytes_of("hi")});
  table.add(
      "PUBLISH, QoS 1", kV3, "32 07 0001 't' 1234 'hi'",
      Publish{.qos = at_least_once, .topic = "t", .packet_id = 0x1234, .payload = bytes_of("hi")});
  table.add(
      "PUBLISH, QoS 2, again, retained, empty", kV3, "3d 05 0001 't' ffff",
      Publish{.qos = exactly_once, .dup = true, .retain = true, .topic = "t", .packet_id = 65535});
  table.add(
      "PUBLISH with a topic beyond ASCII", kV3, "31 [ ('caf' c3a9 '/' e282ac '/' f09f8eb2) 00 ]",
      Publish{.retain = true, .topic = "caf\u00e9/\u20ac/\U0001f3b2", .payload = table.keep("00")});
  table.add("PUBLISH with a length of two bytes", kV3,
            "30 80 01 ("
            "'t'*100"
            ") 78*26",
            Publish{.topic = text_of(table.keep("'t'*100")), .payload = table.keep("78*26")});
  table.add("PUBLISH with a length of three bytes", kV3, "30 80 80 01 ('t') 78*16381",
            Publish{.topic = "t", .payload = table.keep("78*16381")});
  table.add_long_winded("PUBLISH with a padded length", kV3, "30 85 00 0001 't' 'hi'",
                        Publish{.topic = "t", .payload = bytes_of("hi")});
}

void add_publish_v5(Table& table) {
  table.add("PUBLISH of 5.0, QoS 0", kV5, "30 06 0001 't' 00 'hi'",
            Publish{.topic = "t", .payload = bytes_of("hi")});
  table.add("PUBLISH of 5.0 with everything", kV5,
            "3b [ ('home/bedroom') 0001 [ 01 00 02 00000000 23 0001 08 ('r') 09 () 26 (c3a9) ('')"
            " 0b 01 0b ffffff7f 03 ('x') ] 'payload' ]",
            Publish{.qos = at_least_once,
                    .dup = true,
                    .retain = true,
                    .topic = "home/bedroom",
                    .packet_id = 1,
                    .properties = table.keep(PropertyList()
                                                 .add(payload_format_indicator, 0)
                                                 .add(message_expiry_interval, 0)
                                                 .add(topic_alias, 1)
                                                 .add(response_topic, "r")
                                                 .add(correlation_data, ByteView())
                                                 .add_user("\u00e9", "")
                                                 .add(subscription_identifier, 1)
                                                 .add(subscription_identifier, 268'435'455)
                                                 .add(content_type, "x")),
                    .payload = bytes_of("payload")});
  table.add("PUBLISH of 5.0 by alias", kV5, "34 [ 0000 0007 [ 23 ffff ] 01 ]",
            Publish{.qos = exactly_once,
                    .packet_id = 7,
                    .properties = table.keep(PropertyList().add(topic_alias, 65535)),
                    .payload = table.keep("01")});
}

template <class P>
void add_acknowledgement(Table& table, std::string_view name, const std::string& first,
                         ReasonCode code, const std::string& code_digits) {
  table.add(name, kEvery, first + " 02 0102", P{.packet_id = 0x0102});
  table.add(name, kV5, first + " 03 0102 " + code_digits, P{.packet_id = 0x0102, .reason = code});
  table.add(
      name, kV5, first + " [ ffff " + code_digits + " [ 1f ('why') 26 ('a') ('b') ] ]",
      P{.packet_id = 0xFFFF,
        .reason = code,
        .properties = table.keep(PropertyList().add(reason_string, "why").add_user("a", "b"))});
  table.add(name, kV5, first + " [ 0001 00 [ 1f ('fine') ] ]",
            P{.packet_id = 1, .properties = table.keep(PropertyList().add(reason_string, "fine"))});
  table.add_long_winded(name, kV5, first + " 03 0102 00", P{.packet_id = 0x0102});
  table.add_long_winded(name, kV5, first + " 04 0102 " + code_digits + " 00",
                        P{.packet_id = 0x0102, .reason = code});
}

void add_acknowledgements(Table& table) {
  add_acknowledgement<Puback>(table, "PUBACK", "40", ReasonCode::no_matching_subscribers, "10");
  add_acknowledgement<Pubrec>(table, "PUBREC", "50", ReasonCode::quota_exceeded, "97");
  add_acknowledgement<Pubrel>(table, "PUBREL", "62", ReasonCode::packet_identifier_not_found, "92");
  add_acknowledgement<Pubcomp>(table, "PUBCOMP", "70", ReasonCode::packet_identifier_not_found,
                               "92");
  table.add_long_winded("PUBREL of 3.1, sent again", kV31, "6a 02 0009", Pubrel{.packet_id = 9});
}

void add_subscribe(Table& table) {
  table.add("SUBSCRIBE", kV3, "82 06 0001 0001 '#' 00",
            Subscribe{.packet_id = 1, .subscriptions = {{"#", {}}}});
  table.add("SUBSCRIBE with three filters", kV3, "82 [ 000a ('a/+') 01 ('b') 02 (c3a9) 00 ]",
            Subscribe{.packet_id = 10,

                      .subscriptions = {{"a/+", {.qos = at_least_once}},
                                        {"b", {.qos = exactly_once}},
                                        {"\u00e9", {}}}});
  table.add_long_winded("SUBSCRIBE of 3.1, sent again", kV31, "8a 06 0001 0001 '#' 00",
                        Subscribe{.packet_id = 1, .subscriptions = {{"#", {}}}});
  table.add("SUBSCRIBE of 5.0", kV5, "82 07 0001 00 0001 '#' 00",
            Subscribe{.packet_id = 1, .subscriptions = {{"#", {}}}});
  table.add(
      "SUBSCRIBE of 5.0 with every option", kV5,
      "82 [ 0002 [ 0b ffff7f 26 ('k') ('v') ] ('a') 2e ('$share/g/a') 19 ('b') 10 ]",
      Subscribe{.packet_id = 2,
                .properties = table.keep(
                    PropertyList().add(subscription_identifier, 2'097'151).add_user("k", "v")),
                .subscriptions = {{"a",
                                   {.qos = exactly_once,
                                    .no_local = true,
                                    .retain_as_published = true,
                                    .retain_handling = RetainHandling::do_not_send}},
                                  {"$share/g/a",
                                   {.qos = at_least_once,
                                    .retain_as_published = true,
                                    .retain_handling = RetainHandling::send_if_new}},
                                  {"b", {.retain_handling = RetainHandling::send_if_new}}}});
  table.add("UNSUBSCRIBE", kV3, "a2 [ 0003 ('a') ('b/#') ]",
            Unsubscribe{.packet_id = 3, .filters = {"a", "b/#"}});
  table.add_long_winded("UNSUBSCRIBE of 3.1, sent again", kV31, "aa [ 0003 ('a') ]",
                        Unsubscribe{.packet_id = 3, .filters = {"a"}});
  table.add("UNSUBSCRIBE of 5.0", kV5, "a2 [ 0003 [ 26 ('k') ('v') ] ('a') ('b/#') ]",
            Unsubscribe{.packet_id = 3,
                        .properties = table.keep(PropertyList().add_user("k", "v")),
                        .filters = {"a", "b/#"}});
}

void add_suback(Table& table) {
  table.add("SUBACK", kV3, "90 06 0001 00 01 02 80",
            Suback{.packet_id = 1, .codes = table.keep("00010280")});
  table.add("SUBACK of 5.0", kV5, "90 0f 0001 00 00 01 02 80 83 87 8f 91 97 9e a1 a2",
            Suback{.packet_id = 1,

                   .codes = table.keep("00 01 02 80 83 87 8f 91 97 9e a1 a2")});
  table.add(
      "SUBACK of 5.0 with a reason", kV5, "90 [ 0001 [ 1f ('r') 26 ('k') ('v') ] 87 ]",
      Suback{.packet_id = 1,
             .properties = table.keep(PropertyList().add(reason_string, "r").add_user("k", "v")),
             .codes = table.keep("87")});
  table.add("UNSUBACK", kV3, "b0 02 0001", Unsuback{.packet_id = 1});
  table.add("UNSUBACK of 5.0", kV5, "b0 [ 0001 [ 1f ('r') ] 00 11 80 83 87 8f 91 ]",
            Unsuback{.packet_id = 1,
                     .properties = table.keep(PropertyList().add(reason_string, "r")),
                     .codes = table.keep("00 11 80 83 87 8f 91")});
}

void add_the_rest(Table& table) {
  table.add("PINGREQ", kEvery, "c0 00", Pingreq());
  table.add("PINGRESP", kEvery, "d0 00", Pingresp());
  table.add("DISCONNECT", kEvery, "e0 00", Disconnect{});
  table.add("DISCONNECT with a will", kV5, "e0 01 04",
            Disconnect{.reason = ReasonCode::disconnect_with_will});
  table.add("DISCONNECT with everything", kV5,
            "e0 [ 9c [ 11 00000001 1f ('moved') 26 ('k') ('v') 1c ('there') ] ]",
            Disconnect{.reason = ReasonCode::use_another_server,
                       .properties = table.keep(PropertyList()
                                                    .add(session_expiry_interval, 1)
                                                    .add(reason_string, "moved")
                                                    .add_user("k", "v")
                                                    .add(server_reference, "there"))});
  table.add_long_winded("DISCONNECT that says the normal", kV5, "e0 01 00", Disconnect{});
  table.add_long_winded("DISCONNECT that says the normal, at length", kV5, "e0 02 00 00",
                        Disconnect{});
  table.add("AUTH", kV5, "f0 00", Auth{});
  table.add("AUTH with everything", kV5,
            "f0 [ 18 [ 15 ('SCRAM') 16 ('data') 1f ('go on') 26 ('k') ('v') ] ]",
            Auth{.reason = ReasonCode::continue_authentication,
                 .properties = table.keep(PropertyList()
                                              .add(authentication_method, "SCRAM")
                                              .add(authentication_data, bytes_of("data"))
                                              .add(reason_string, "go on")
                                              .add_user("k", "v"))});
}

Table build() {
  Table table;
  add_connect_v3(table);
  add_connect_v5(table);
  add_connack(table);
  add_publish_v3(table);
  add_publish_v5(table);
  add_acknowledgements(table);
  add_subscribe(table);
  add_suback(table);
  add_the_rest(table);
  return table;
}

}  // namespace

std::span<const GoodPacket> good_packets() {
  static const Table table = build();
  return table.rows();
}

}  // namespace mq::support
