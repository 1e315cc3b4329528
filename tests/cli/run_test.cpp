#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <vector>

#include "cli/connection_words.hpp"
#include "cli/publisher.hpp"
#include "cli/requester.hpp"
#include "cli/subscriber.hpp"
#include "support/conversation.hpp"

using namespace mq;
using namespace mq::cli;
using support::Conversation;
using wire::Connack;
using wire::Puback;
using wire::QoS;
using wire::ReasonCode;

namespace {

template <class Options>
client::Settings settings(const Options& options) {
  Prng prng(1);
  return settings_of(options, 42, prng);
}

/// What a run says and prints, and the server that the test plays to it.
struct Stage {
  explicit Stage(const client::Settings& about_us) : talk(about_us) {}

  template <class P>
  void reply(Run& run, const P& packet) {
    std::vector<Byte> bytes;
    wire::encode(packet, talk.core.version(), bytes);
    talk.core.on_bytes(bytes, talk.now);
    turn(run);
  }
  void turn(Run& run) {
    run.on_events(talk.now);
    run.on_turn_end(talk.now);
    run.on_events(talk.now);
  }
  /// Takes what was sent; the run hears that it was.
  std::string sent(Run& run) {
    std::string all;
    while (talk.core.has_output()) {
      all += (all.empty() ? "" : "; ") + talk.sent();
      turn(run);
    }
    return all;
  }
  void advance(Run& run, Millis duration) {
    talk.now.steady += duration;
    talk.core.on_deadline(talk.now);
    run.on_deadline(talk.now);
    turn(run);
  }
  void cut(Run& run) {
    talk.core.on_close("reset", talk.now);
    turn(run);
  }
  /// The connection breaks, and CONNECT goes out on the next one.
  void come_back(Run& run) {
    cut(run);
    advance(run, Seconds(1));
    talk.core.on_open(talk.now);
    talk.sent();
  }
  /// The server closes, as it should after a goodbye.
  void close(Run& run) {
    talk.core.on_close("", talk.now);
    turn(run);
  }
  std::string take_said() { return std::exchange(said, {}); }

  Conversation talk;
  std::string printed;
  std::string said;
  bool is_read = true;
  int write_error = EPIPE;  ///< when it is not
  Output output{[this](std::string_view text) {
                  printed += text;
                  if (!is_read) errno = write_error;
                  return is_read;
                },
                Medium::file};
  Notices notices{"mq",
                  [this](std::string_view text) {
                    said += text;
                    return true;
                  },
                  Medium::terminal, Notices::Loudness::normal};
};

struct Subscribing : Stage {
  explicit Subscribing(SubOptions how)
      : Stage(settings(how)),
        options(std::move(how)),
        run(options, talk.core, output, notices, Prng(1)) {
    run.start(talk.now);
    talk.open().sent();
  }
  /// Connected and subscribed.
  Subscribing& join() {
    reply(run, Connack{});
    talk.sent();
    std::vector<Byte> codes(options.filters.size(), Byte{0});
    reply(run, wire::Suback{.packet_id = 65'535, .properties = {}, .codes = codes});
    return *this;
  }
  void arrive(std::string_view topic, std::string_view payload, bool is_retained = false) {
    reply(
        run,
        wire::Publish{
            .retain = is_retained, .topic = topic, .properties = {}, .payload = bytes_of(payload)});
  }

  SubOptions options;
  Subscriber run;
};

struct Publishing : Stage {
  Publishing(PubOptions how, std::string payload)
      : Stage(settings(how)),
        options(std::move(how)),
        run(options, std::move(payload), std::nullopt, talk.core, notices) {
    talk.open().sent();
  }
  Publishing& join() {
    reply(run, Connack{});
    return *this;
  }

  PubOptions options;
  Publisher run;
};

/// A request to "q", with answers to "r".
struct Requesting : Stage {
  explicit Requesting(PubOptions how = {}) : Requesting(how, prepared(how)) {}

  static client::Settings prepared(PubOptions& how) {
    how.is_request = true;
    how.topic = "q";
    how.response_topic = "r";
    how.sources = {Source::message};
    how.connection.version = wire::Version::v5;
    return settings(how);
  }
  /// Connected, subscribed and asked.
  Requesting& ask() {
    reply(run, Connack{});
    CHECK(talk.sent() == "SUBSCRIBE 65535 r q0 no-retained");
    const std::array<Byte, 1> granted = {Byte{0}};
    reply(run, wire::Suback{.packet_id = 65'535, .properties = {}, .codes = granted});
    return *this;
  }
  void answer_retained(std::string_view payload) {
    reply(run, wire::Publish{
                   .retain = true, .topic = "r", .properties = {}, .payload = bytes_of(payload)});
  }
  void answer(std::string_view payload, std::string_view correlation = {}) {
    wire::PropertyList properties;
    if (!correlation.empty()) {
      properties.add(wire::PropertyId::correlation_data, bytes_of(correlation));
    }
    reply(run, wire::Publish{
                   .topic = "r", .properties = properties.view(), .payload = bytes_of(payload)});
  }

  PubOptions options;
  Requester run;

 private:
  Requesting(PubOptions how, const client::Settings& about_us)
      : Stage(about_us),
        options(std::move(how)),
        run(options, "how much?", talk.core, output, notices, Prng(1)) {
    run.start(talk.now);
    talk.open().sent();
  }
};

PubOptions request(bool shows_retained) {
  PubOptions options;
  options.is_retain_kept = true;
  options.retain_handling = wire::RetainHandling::send;
  options.shows_retained = shows_retained;
  return options;
}

SubOptions to(std::vector<std::string> filters) {
  SubOptions options;
  options.filters = std::move(filters);
  return options;
}

PubOptions message(QoS qos, Source source = Source::message) {
  PubOptions options;
  options.topic = "a";
  options.sources = {source};
  options.connection.qos = qos;
  return options;
}

Puback puback(std::uint16_t id, ReasonCode reason = ReasonCode::success) {
  return {id, reason, {}};
}

constexpr auto kQoS0 = QoS::at_most_once;
constexpr auto kQoS1 = QoS::at_least_once;

}  // namespace

TEST_CASE("mqsub subscribes to all topics at once and prints what comes") {
  Subscribing stage(to({"a/#", "b"}));
  stage.reply(stage.run, Connack{});
  CHECK(stage.talk.sent() == "SUBSCRIBE 65535 a/# q0 b q0");
  stage.arrive("a/b", "hello");
  CHECK(stage.printed == "hello\n");
  CHECK_FALSE(stage.run.is_done());
}

TEST_CASE("-C ends the run after so many messages; what comes behind is not acknowledged") {
  SubOptions options = to({"a"});
  options.count = 2;
  Subscribing stage(options);
  stage.join();
  std::vector<Byte> bytes;
  for (std::uint16_t id = 1; id <= 3; ++id) {
    const std::string text = std::to_string(id);
    wire::encode(wire::Publish{.qos = kQoS1,
                               .topic = "a",
                               .packet_id = id,
                               .properties = {},
                               .payload = bytes_of(text)},
                 wire::Version::v311, bytes);
  }
  stage.talk.core.on_bytes(bytes, stage.talk.now);
  stage.turn(stage.run);
  CHECK(stage.printed == "1\n2\n");
  CHECK(stage.talk.sent() == "PUBACK 1; PUBACK 2; DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.is_done());
  CHECK(stage.run.exit_code() == 0);
  CHECK(stage.said.empty());
}

TEST_CASE("-R and -T keep messages from being printed and counted") {
  SubOptions options = to({"#"});
  options.shows_retained = false;
  options.filters_out = {"secret/#", "+/noise"};
  options.count = 1;
  Subscribing stage(options);
  stage.join();
  stage.arrive("a", "old", true);
  stage.arrive("secret/x", "no");
  stage.arrive("a/noise", "no");
  CHECK(stage.printed.empty());
  stage.arrive("a", "new");
  CHECK(stage.printed == "new\n");
  CHECK(stage.talk.sent() == "DISCONNECT");
}

TEST_CASE("-R tells a v5 server not to send what is retained") {
  SubOptions options = to({"a"});
  options.shows_retained = false;
  options.connection.version = wire::Version::v5;
  Subscribing stage(options);
  stage.reply(stage.run, Connack{});
  CHECK(stage.talk.sent() == "SUBSCRIBE 65535 a q0 no-retained");
}

TEST_CASE("--retain-as-published and --retain-handling go to a v5 server") {
  SubOptions options = to({"a"});
  options.is_retain_kept = true;
  options.retain_handling = wire::RetainHandling::do_not_send;
  options.connection.version = wire::Version::v5;
  Subscribing stage(options);
  stage.reply(stage.run, Connack{});
  CHECK(stage.talk.sent() == "SUBSCRIBE 65535 a q0 retain-as-published no-retained");
}

TEST_CASE("a request asks for retained answers only where that was said, and -R takes none") {
  Requesting any(request(true));
  any.reply(any.run, Connack{});
  CHECK(any.talk.sent() == "SUBSCRIBE 65535 r q0 retain-as-published");
  any.answer_retained("old");
  CHECK(any.printed == "old\n");

  Requesting fresh(request(false));
  fresh.reply(fresh.run, Connack{});
  CHECK(fresh.talk.sent() == "SUBSCRIBE 65535 r q0 retain-as-published no-retained");
  fresh.answer_retained("old");
  CHECK(fresh.printed.empty());
  fresh.answer("new");
  CHECK(fresh.printed == "new\n");
}

TEST_CASE("--retained-only ends after a quiet second, or with the first other message") {
  SubOptions options = to({"a"});
  options.shows_live = false;
  Subscribing quiet(options);
  quiet.join();
  quiet.advance(quiet.run, Millis(900));
  quiet.arrive("a", "old", true);
  quiet.advance(quiet.run, Millis(900));
  CHECK(quiet.talk.sent().empty());
  quiet.advance(quiet.run, Millis(100));
  CHECK(quiet.talk.sent() == "PINGREQ");
  SUBCASE("and then there is nothing more") {}
  SUBCASE("and the answer to a ping, which comes behind what is still under way") {
    quiet.arrive("a", "late", true);
    quiet.reply(quiet.run, wire::Pingresp{});
    CHECK(quiet.talk.sent().empty());
    quiet.advance(quiet.run, Seconds(1));
    CHECK(quiet.talk.sent() == "PINGREQ");
  }
  quiet.reply(quiet.run, wire::Pingresp{});
  CHECK(quiet.talk.sent() == "DISCONNECT");
  CHECK(quiet.printed.starts_with("old\n"));
  Subscribing busy(options);
  busy.join();
  busy.arrive("a", "old", true);
  busy.arrive("a", "new");
  CHECK(busy.talk.sent() == "DISCONNECT");
  busy.close(busy.run);
  CHECK(busy.run.exit_code() == 0);
  CHECK(busy.printed == "old\n");
}

TEST_CASE("--retained-only asks again in a session that goes on: nobody knows what was lost") {
  SubOptions options = to({"a"});
  options.shows_live = false;
  options.connection.client_id = "me";
  options.connection.is_session_kept = true;
  Subscribing stage(options);
  stage.join();
  stage.come_back(stage.run);
  stage.reply(stage.run, Connack{.session_present = true, .properties = {}});
  CHECK(stage.talk.sent() == "SUBSCRIBE 65535 a q0");
}

TEST_CASE("--retained-only does not take for live what --remove-retained brings about") {
  SubOptions options = to({"a"});
  options.shows_live = false;
  options.removes_retained = true;
  Subscribing stage(options);
  stage.join();
  stage.arrive("a", "old", true);
  stage.arrive("a", "");
  stage.arrive("b", "old too", true);
  stage.advance(stage.run, Seconds(1));
  CHECK(stage.talk.sent() == "PUBLISH a q1 id=1 retain ''; PUBLISH b q1 id=2 retain ''; PINGREQ");
  stage.reply(stage.run, wire::Pingresp{});
  stage.reply(stage.run, puback(1));
  CHECK(stage.talk.sent().empty());
  stage.reply(stage.run, puback(2));
  CHECK(stage.talk.sent() == "DISCONNECT");
}

TEST_CASE("--remove-retained waits for what it removes, also with -C") {
  SubOptions options = to({"#"});
  options.removes_retained = true;
  options.filters_out = {"keep"};
  options.count = 2;
  Subscribing stage(options);
  stage.join();
  stage.arrive("keep", "x", true);
  stage.arrive("a", "new");
  CHECK(stage.talk.sent().empty());
  stage.arrive("b", "old", true);
  CHECK(stage.talk.sent() == "PUBLISH b q1 id=1 retain ''");
  stage.arrive("c", "too many", true);
  stage.reply(
      stage.run,
      wire::Publish{
          .qos = kQoS1, .topic = "d", .packet_id = 7, .properties = {}, .payload = bytes_of("x")});
  CHECK(stage.talk.sent().empty());
  stage.reply(stage.run, puback(1));
  CHECK(stage.talk.sent() == "DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.printed == "new\nold\n");
  CHECK(stage.run.exit_code() == 0);
}

TEST_CASE("a retained message that the server does not remove is told, in words and exit code") {
  SubOptions options = to({"#"});
  options.removes_retained = true;
  options.connection.version = wire::Version::v5;
  Subscribing stage(options);
  stage.join();
  stage.arrive("a", "old", true);
  stage.talk.sent();
  stage.reply(stage.run, puback(1, ReasonCode::not_authorized));
  stage.close(stage.run);
  CHECK(stage.said == "mq: a retained message was not removed: Not authorized\n");
  CHECK(stage.run.exit_code() == 0x87);
}

TEST_CASE("--random-filter prints about as much as it says, and -C counts what is printed") {
  SubOptions options = to({"a"});
  options.millionths = 250'000;
  Subscribing stage(options);
  stage.join();
  for (int i = 0; i < 1000; ++i) stage.arrive("a", "x");
  CHECK(stage.printed.size() / 2 > 200);
  CHECK(stage.printed.size() / 2 < 300);
}

TEST_CASE("--message-rate counts each second") {
  SubOptions options = to({"a"});
  options.shows_rate = true;
  Subscribing stage(options);
  stage.join();
  stage.arrive("a", "x");
  stage.arrive("a", "x");
  stage.advance(stage.run, Seconds(1));
  CHECK(stage.run.next_deadline() == stage.talk.now.steady + Seconds(1));
  stage.advance(stage.run, Seconds(1));
  CHECK(stage.printed == "2 msgs/s\n0 msgs/s\n");
}

TEST_CASE("-w gives each topic a line of the screen, on which nothing steers it") {
  SubOptions options = to({"#"});
  options.is_watching = true;
  options.is_verbose = true;
  Subscribing stage(options);
  stage.join();
  stage.arrive("a", "one");
  stage.arrive("b", "two\nlines\x1b[2J");
  stage.arrive("a", "\x1b[2J");
  CHECK(stage.printed.ends_with(
      "\x1b[1;1H\x1b[2Ka one\x1b[2;1H\x1b[2Kb two\\x0alines\\x1b[2J\x1b[1;1H\x1b[2Ka \\x1b[2J"));
  stage.run.on_interrupt(SIGINT, stage.talk.now);
  stage.turn(stage.run);
  stage.sent(stage.run);
  stage.close(stage.run);
  CHECK(stage.printed.ends_with("\x1b[2;1H\x1b[?7h\n"));
}

TEST_CASE("a denied topic is named, and the others go on") {
  Subscribing stage(to({"a", "b"}));
  stage.reply(stage.run, Connack{});
  stage.talk.sent();
  constexpr std::array<Byte, 2> kOneDenied{0x80, 0};
  stage.reply(stage.run, wire::Suback{.packet_id = 65'535, .properties = {}, .codes = kOneDenied});
  CHECK(stage.said == "mq: subscription to \"a\" denied: Unspecified error\n");
  CHECK_FALSE(stage.run.is_done());
  CHECK(stage.talk.sent() == "");
}

TEST_CASE("when all topics are denied the exit code is the reason") {
  SubOptions options = to({"a", "b"});
  options.connection.version = wire::Version::v5;
  Subscribing stage(options);
  stage.reply(stage.run, Connack{});
  stage.talk.sent();
  constexpr std::array<Byte, 2> kAllDenied{0x87, 0x8F};
  stage.reply(stage.run, wire::Suback{.packet_id = 65'535, .properties = {}, .codes = kAllDenied});
  CHECK(stage.said ==
        "mq: subscription to \"a\" denied: Not authorized\n"
        "mq: subscription to \"b\" denied: Topic Filter invalid\n");
  stage.talk.sent();
  stage.cut(stage.run);
  CHECK(stage.run.exit_code() == 0x87);
}

TEST_CASE("what has no filters is not sent [MQTT-3.8.3-2] [MQTT-3.10.3-2]") {
  const auto sent_with = [](std::vector<std::string> filters, std::vector<std::string> others) {
    SubOptions options = to(std::move(filters));
    options.unsubscriptions = std::move(others);
    Subscribing stage(options);
    stage.reply(stage.run, Connack{});
    return stage.talk.sent();
  };
  CHECK(sent_with({"a"}, {}) == "SUBSCRIBE 65535 a q0");
  CHECK(sent_with({}, {"b"}) == "UNSUBSCRIBE 65535 b");
}

TEST_CASE("-E ends when -t and -U are answered") {
  SubOptions options = to({"a"});
  options.unsubscriptions = {"b"};
  options.ends_after_subscribing = true;
  Subscribing stage(options);
  stage.reply(stage.run, Connack{});
  CHECK(stage.talk.sent() == "SUBSCRIBE 65535 a q0; UNSUBSCRIBE 65534 b");
  constexpr std::array<Byte, 1> kGranted{0};
  stage.reply(stage.run, wire::Suback{.packet_id = 65'535, .properties = {}, .codes = kGranted});
  CHECK(stage.talk.sent() == "");
  stage.reply(stage.run, wire::Unsuback{.packet_id = 65'534, .properties = {}, .codes = {}});
  CHECK(stage.talk.sent() == "DISCONNECT");
}

TEST_CASE("-W counts from the start, connecting included, and exits with 27") {
  SubOptions options = to({"a"});
  options.timeout = Millis(1500);
  Subscribing stage(options);
  CHECK(stage.run.next_deadline() == stage.talk.now.steady + Millis(1500));
  stage.advance(stage.run, Millis(1499));
  CHECK_FALSE(stage.run.is_done());
  stage.advance(stage.run, Millis(1));
  CHECK(stage.run.is_done());
  CHECK(stage.run.exit_code() == 27);
  CHECK(stage.said == "mq: Timed out\n");
}

TEST_CASE("Ctrl-C says goodbye: 0 once connected, 255 before; v5 lets the will be published") {
  Subscribing early(to({"a"}));
  early.run.on_interrupt(SIGINT, early.talk.now);
  early.turn(early.run);
  CHECK(early.run.exit_code() == 255);
  CHECK(early.run.is_done());
  for (const auto version : {wire::Version::v311, wire::Version::v5}) {
    SubOptions options = to({"a"});
    options.connection.version = version;
    Subscribing stage(options);
    stage.join();
    stage.run.on_interrupt(SIGINT, stage.talk.now);
    CHECK(stage.talk.sent() == (version == wire::Version::v5 ? "DISCONNECT 04" : "DISCONNECT"));
    stage.close(stage.run);
    CHECK(stage.run.exit_code() == 0);
  }
}

TEST_CASE("who presses Ctrl-C again does not wait for the goodbye") {
  Subscribing stage(to({"a"}));
  stage.join();
  stage.run.on_interrupt(SIGINT, stage.talk.now);
  CHECK(!stage.run.is_done());
  stage.run.on_interrupt(SIGINT, stage.talk.now);
  CHECK(stage.run.is_done());
  CHECK(stage.run.exit_code() == 0);
}

TEST_CASE("a reader that goes away is a quiet end") {
  Subscribing stage(to({"a"}));
  stage.join();
  stage.is_read = false;
  stage.arrive("a", "x");
  CHECK(stage.run.is_done());
  CHECK(stage.run.exit_code() == 0);
  CHECK(stage.said.empty());
}

TEST_CASE("what could not be printed is not acknowledged, and a full disk is no quiet end") {
  Subscribing stage(to({"a"}));
  stage.join();
  stage.is_read = false;
  stage.write_error = ENOSPC;
  stage.reply(
      stage.run,
      wire::Publish{
          .qos = kQoS1, .topic = "a", .packet_id = 1, .properties = {}, .payload = bytes_of("x")});
  CHECK(stage.talk.sent().empty());
  CHECK(stage.run.exit_code() == 1);
  CHECK(stage.said == "mq: cannot write: No space left on device\n");
}

TEST_CASE("a full disk at the end is no good end") {
  SubOptions options = to({"a"});
  options.count = 1;
  Subscribing stage(options);
  stage.join();
  stage.is_read = false;
  stage.write_error = ENOSPC;
  stage.arrive("a", "x");
  CHECK(stage.run.exit_code() == 1);
  CHECK(stage.said == "mq: cannot write: No space left on device\n");
}

TEST_CASE("a run whose reader is not waited for acknowledges nothing, and ends as it is told to") {
  SubOptions options = to({"a"});
  options.timeout = Seconds(3);
  for (const bool is_interrupted : {true, false}) {
    Subscribing stage(options);
    stage.join();
    stage.is_read = false;
    stage.write_error = ECANCELED;
    stage.reply(stage.run, wire::Publish{.qos = kQoS1,
                                         .topic = "a",
                                         .packet_id = 7,
                                         .properties = {},
                                         .payload = bytes_of("x")});
    CHECK(stage.talk.sent().empty());
    CHECK_FALSE(stage.run.is_done());
    if (is_interrupted) {
      stage.run.on_interrupt(SIGINT, stage.talk.now);
    } else {
      stage.advance(stage.run, Seconds(3));
    }
    REQUIRE(stage.run.is_done());
    CHECK(stage.run.exit_code() == (is_interrupted ? 0 : 27));
    CHECK(stage.said == (is_interrupted ? "" : "mq: Timed out\n"));
  }
}

TEST_CASE("the last message, too, is waited for, and no good end without it") {
  SubOptions options = to({"a"});
  options.count = 1;
  options.timeout = Seconds(3);
  Subscribing stage(options);
  stage.join();
  stage.is_read = false;
  stage.write_error = ECANCELED;
  stage.arrive("a", std::string(2'000'000, 'x'));
  stage.advance(stage.run, Seconds(3));
  CHECK(stage.run.exit_code() == 27);
}

TEST_CASE("what came right before the connection was lost for good is printed") {
  SubOptions options = to({"a"});
  options.connection.version = wire::Version::v5;
  Subscribing stage(options);
  stage.join();
  std::vector<Byte> bytes;
  wire::encode(wire::Publish{.topic = "a", .properties = {}, .payload = bytes_of("x")},
               wire::Version::v5, bytes);
  wire::encode(wire::Disconnect{ReasonCode::session_taken_over, {}}, wire::Version::v5, bytes);
  stage.talk.core.on_bytes(bytes, stage.talk.now);
  stage.run.on_events(stage.talk.now);
  REQUIRE(stage.run.is_done());
  CHECK(stage.printed == "x\n");
}

TEST_CASE("a SUBSCRIBE that was not answered is sent again, also in a session that goes on") {
  SubOptions options = to({"a"});
  options.connection.client_id = "me";
  options.connection.is_session_kept = true;
  Subscribing stage(options);
  stage.reply(stage.run, Connack{});
  CHECK(stage.talk.sent() == "SUBSCRIBE 65535 a q0");
  stage.come_back(stage.run);
  stage.reply(stage.run, Connack{.session_present = true, .properties = {}});
  CHECK(stage.talk.sent() == "SUBSCRIBE 65535 a q0");
}

TEST_CASE("an answer that could not be printed is not acknowledged, and no good end") {
  PubOptions options;
  options.connection.qos = kQoS1;
  Requesting stage(options);
  stage.reply(stage.run, Connack{});
  stage.talk.sent();
  const std::array<Byte, 1> granted = {Byte{1}};
  stage.reply(stage.run, wire::Suback{.packet_id = 65'535, .properties = {}, .codes = granted});
  stage.talk.sent();
  stage.is_read = false;
  stage.write_error = ENOSPC;
  stage.reply(
      stage.run,
      wire::Publish{
          .qos = kQoS1, .topic = "r", .packet_id = 7, .properties = {}, .payload = bytes_of("x")});
  CHECK(stage.talk.sent().empty());
  CHECK(stage.run.exit_code() == 1);
  CHECK(stage.said == "mq: cannot write: No space left on device\n");
}

TEST_CASE("a server that does not answer a SUBSCRIBE is given up with exit code 27") {
  SubOptions options = to({"a"});
  options.connection.ack_timeout = Seconds(5);
  Subscribing stage(options);
  stage.reply(stage.run, Connack{});
  stage.advance(stage.run, Seconds(5));
  CHECK(stage.said == "mq: localhost port 1883 acknowledged nothing for 5 seconds\n");
  stage.sent(stage.run);
  stage.close(stage.run);
  CHECK(stage.run.exit_code() == 27);
  Subscribing answered(options);
  answered.join().advance(answered.run, Seconds(6));
  CHECK(answered.said.empty());
}

TEST_CASE("a lost connection is told once, and so is its return; subscriptions are made anew") {
  Subscribing stage(to({"a"}));
  stage.join();
  stage.cut(stage.run);
  CHECK(stage.take_said() == "mq: connection to localhost port 1883 lost: reset; trying again\n");
  for (int attempt = 0; attempt < 3; ++attempt) {
    stage.advance(stage.run, Seconds(60));
    stage.talk.core.on_open_failed("refused", stage.talk.now);
    stage.turn(stage.run);
    CHECK(stage.take_said().empty());
  }
  stage.advance(stage.run, Seconds(60));
  stage.talk.core.on_open(stage.talk.now);
  stage.talk.sent();
  stage.reply(stage.run, Connack{});
  CHECK(stage.take_said() == "mq: connected to localhost port 1883 again\n");
  CHECK(stage.talk.sent() == "SUBSCRIBE 65535 a q0");
}

TEST_CASE("in a resumed session nothing is subscribed to again; a forgotten one is told") {
  SubOptions options = to({"a"});
  options.connection.client_id = "me";
  options.connection.is_session_kept = true;
  options.connection.qos = kQoS1;
  for (const bool is_present : {true, false}) {
    Subscribing stage(options);
    stage.join();
    stage.come_back(stage.run);
    stage.take_said();
    stage.reply(stage.run, Connack{.session_present = is_present, .properties = {}});
    CHECK(stage.said.contains("the server has forgotten the session") == !is_present);
    CHECK(stage.talk.sent() == (is_present ? "" : "SUBSCRIBE 65535 a q1"));
  }
}

TEST_CASE("MQTT 3.1 cannot say whether there was a session, so nothing is told of it") {
  SubOptions options = to({"a"});
  options.connection.version = wire::Version::v31;
  options.connection.client_id = "me";
  options.connection.is_session_kept = true;
  options.connection.qos = kQoS1;
  Subscribing stage(options);
  stage.join();
  CHECK(stage.said.empty());
  stage.come_back(stage.run);
  stage.take_said();
  stage.reply(stage.run, Connack{});
  CHECK(stage.said == "mq: connected to localhost port 1883 again\n");
  CHECK(stage.talk.sent() == "SUBSCRIBE 65535 a q1");
}

TEST_CASE("what cannot be connected to is named, with the reason and the way out") {
  Subscribing stage(to({"a"}));
  stage.cut(stage.run);
  CHECK(stage.said.starts_with("mq: cannot connect to localhost port 1883: reset. Does it want"));
  CHECK(stage.run.exit_code() == 1);
  const client::Lost refused{.cause = client::Cause::unreachable,
                             .words = "cannot connect to x port 1 (1.2.3.4): connection refused"};
  CHECK(words_of(refused, {}) ==
        "cannot connect to x port 1 (1.2.3.4): connection refused. Is a broker running there? "
        "Choose another place with -h and -p");
  ConnectOptions by_proxy;
  by_proxy.proxy.emplace();
  CHECK(words_of(refused, by_proxy) ==
        "cannot connect to x port 1 (1.2.3.4): connection refused. That is the proxy, as --proxy "
        "names it: does it run there?");
  const client::Lost elsewhere{.cause = client::Cause::unreachable,
                               .words = "cannot connect to x: address not available"};
  CHECK(words_of(elsewhere, {}).ends_with("-A must be one of this machine"));
}

TEST_CASE("a server that closes at once, or talks of something else, may want another way") {
  constexpr std::string_view kHint =
      ". Does it want TLS (--cafile, --tls-use-os-certs) or a WebSocket (--ws)?";
  const client::Lost closed{.cause = client::Cause::closed, .words = "closed by the server"};
  CHECK(words_of(closed, {}).ends_with("closed by the server" + std::string(kHint)));
  const client::Lost garbled{.cause = client::Cause::violation, .words = "no CONNACK"};
  CHECK(words_of(garbled, {}).ends_with("no CONNACK" + std::string(kHint)));
  ConnectOptions other;
  other.tls.emplace();
  CHECK_FALSE(words_of(closed, other).contains(kHint));
  other.tls.reset();
  other.websocket.emplace();
  CHECK_FALSE(words_of(closed, other).contains(kHint));
  client::Lost later = closed;
  later.was_connected = true;
  CHECK_FALSE(words_of(later, {}).contains(kHint));
}

TEST_CASE("a refusal is told in the standard's words and exits with its code") {
  Subscribing stage(to({"a"}));
  stage.reply(stage.run, Connack{.code = 5, .properties = {}});
  CHECK(stage.said == "mq: localhost port 1883 refused the connection: not authorized\n");
  CHECK(stage.run.exit_code() == 5);
}

TEST_CASE("hints: -q without -c, and -c without -q, for a person at a terminal") {
  SubOptions options = to({"a"});
  options.connection.client_id = "me";
  options.connection.qos = kQoS1;
  CHECK(Subscribing(options).said.contains("add -c"));
  options.connection.is_session_kept = true;
  CHECK(Subscribing(options).said.empty());
  options.connection.qos = kQoS0;
  CHECK(Subscribing(options).said.contains("add -q 1"));
}

TEST_CASE("hint: a session was hoped for, and the server had none") {
  SubOptions options = to({"a"});
  options.connection.client_id = "me";
  options.connection.is_session_kept = true;
  options.connection.qos = kQoS1;
  const auto said = [&options](bool is_present) {
    Subscribing stage(options);
    stage.reply(stage.run, Connack{.session_present = is_present, .properties = {}});
    return stage.said;
  };
  CHECK(said(true).empty());
  CHECK(said(false) == "mq: the server had no session of this id: messages are kept from now on\n");
  options.ends_after_subscribing = true;
  CHECK(said(false).empty());
}

TEST_CASE("mqpub sends a QoS 0 message and its goodbye in one go") {
  Publishing stage(message(kQoS0), "hello");
  stage.join();
  CHECK(stage.sent(stage.run) == "PUBLISH a q0 'hello'; DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.is_done());
  CHECK(stage.run.exit_code() == 0);
  CHECK(stage.said.empty());
}

TEST_CASE("at QoS 0 a connection that breaks at the end leaves a doubt, and that is told") {
  Publishing stage(message(kQoS0), "hello");
  stage.join();
  stage.sent(stage.run);
  stage.cut(stage.run);
  CHECK(stage.run.exit_code() == 7);
  CHECK(stage.said ==
        "mq: connection to localhost port 1883 broke at the end: reset; what was sent last may be "
        "lost\n");
}

TEST_CASE("a message at QoS 0 that the server does not read to its end is told with the reason") {
  for (const bool is_reset : {true, false}) {
    Publishing stage(message(kQoS0), "hello");
    stage.join();
    is_reset ? stage.cut(stage.run) : stage.close(stage.run);
    CHECK(stage.run.exit_code() == 7);
    CHECK(stage.said == std::string("mq: connection to localhost port 1883 lost: ") +
                            (is_reset ? "reset" : "closed by the server") +
                            "\nmq: 1 of 1 message was not sent\n");
  }
}

TEST_CASE("mqpub waits for the acknowledgement of QoS 1") {
  Publishing stage(message(kQoS1), "hello");
  stage.join();
  CHECK(stage.sent(stage.run) == "PUBLISH a q1 id=1 'hello'");
  stage.reply(stage.run, puback(1));
  CHECK(stage.sent(stage.run) == "DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.exit_code() == 0);
}

TEST_CASE("a refused message is told, and its reason is the exit code") {
  PubOptions options = message(kQoS1);
  options.connection.version = wire::Version::v5;
  Publishing stage(options, "hello");
  stage.join();
  stage.sent(stage.run);
  stage.reply(stage.run, puback(1, ReasonCode::not_authorized));
  stage.sent(stage.run);
  stage.cut(stage.run);
  CHECK(stage.run.exit_code() == 0x87);
  CHECK(stage.said ==
        "mq: message 1 refused: Not authorized\nmq: 1 of 1 message was not acknowledged\n");
}

TEST_CASE("--repeat publishes copies; with a delay each waits for the delivery of the last") {
  PubOptions options = message(kQoS1);
  options.repeat = 3;
  Publishing at_once(options, "x");
  at_once.join();
  CHECK(at_once.sent(at_once.run) ==
        "PUBLISH a q1 id=1 'x'; PUBLISH a q1 id=2 'x'; PUBLISH a q1 id=3 'x'");
  options.repeat_delay = Seconds(2);
  Publishing stage(options, "x");
  stage.join();
  for (int copy = 1; copy <= 3; ++copy) {
    const std::string id = std::to_string(copy);
    CHECK(stage.sent(stage.run) == "PUBLISH a q1 id=" + id + " 'x'");
    stage.advance(stage.run, Seconds(1));
    stage.reply(stage.run, puback(static_cast<std::uint16_t>(copy)));
    if (copy == 3) break;
    CHECK(stage.sent(stage.run) == "");
    CHECK(stage.run.next_deadline() == stage.talk.now.steady + Seconds(2));
    stage.advance(stage.run, Seconds(2));
  }
  CHECK(stage.sent(stage.run) == "DISCONNECT");
}

TEST_CASE("the progress of lines is what was acknowledged, not what was read") {
  Publishing stage(message(kQoS1, Source::lines), "");
  stage.join();
  stage.run.on_input(bytes_of("one\nand two\nthree"), stage.talk.now);
  stage.turn(stage.run);
  CHECK(stage.run.next_deadline() == stage.talk.now.steady + Seconds(1));
  stage.advance(stage.run, Seconds(1));
  CHECK(stage.take_said() == "\r\x1b[Kmq: 0 lines, 0 B, 0.0 lines/s, 2 in flight");
  stage.reply(stage.run, wire::Puback{.packet_id = 2, .properties = {}});
  stage.advance(stage.run, Seconds(1));
  CHECK(stage.take_said() == "\r\x1b[Kmq: 1 lines, 4 B, 0.5 lines/s, 1 in flight");
  stage.reply(stage.run, wire::Puback{.packet_id = 1, .properties = {}});
  stage.advance(stage.run, Seconds(2));
  CHECK(stage.take_said() == "\r\x1b[Kmq: 2 lines, 12 B, 0.5 lines/s, 0 in flight");
}

TEST_CASE("the progress of lines at QoS 0 is what the network has taken") {
  Publishing stage(message(kQoS0, Source::lines), "");
  stage.join();
  stage.run.on_input(bytes_of("one\n"), stage.talk.now);
  stage.turn(stage.run);
  stage.advance(stage.run, Seconds(1));
  CHECK(stage.take_said() == "\r\x1b[Kmq: 0 lines, 0 B, 0.0 lines/s, 1 in flight");
  stage.sent(stage.run);
  stage.advance(stage.run, Seconds(1));
  CHECK(stage.take_said() == "\r\x1b[Kmq: 1 lines, 4 B, 0.5 lines/s, 0 in flight");
}

TEST_CASE("-l publishes each line, and ends when all are acknowledged") {
  Publishing stage(message(kQoS1, Source::lines), "");
  CHECK_FALSE(stage.run.wants_input());
  stage.join();
  CHECK(stage.run.wants_input());
  stage.run.on_input(bytes_of("one\n\ntw"), stage.talk.now);
  CHECK(stage.sent(stage.run) == "PUBLISH a q1 id=1 'one'; PUBLISH a q1 id=2 ''");
  stage.run.on_input(bytes_of("o\nlast"), stage.talk.now);
  stage.run.on_input_end(stage.talk.now);
  CHECK(stage.sent(stage.run) == "PUBLISH a q1 id=3 'two'; PUBLISH a q1 id=4 'last'");
  for (std::uint16_t id = 1; id <= 3; ++id) stage.reply(stage.run, puback(id));
  CHECK(stage.sent(stage.run) == "");
  stage.reply(stage.run, puback(4));
  CHECK(stage.sent(stage.run) == "DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.exit_code() == 0);
}

TEST_CASE("-l reads no more than the core has room for") {
  Publishing stage(message(kQoS0, Source::lines), "");
  stage.join();
  const std::string line(1U << 20U, 'x');
  int lines = 0;
  while (stage.run.wants_input()) {
    stage.run.on_input(bytes_of(line + "\n"), stage.talk.now);
    REQUIRE(++lines < 100);
  }
  CHECK(lines >= 4);
  CHECK(lines <= 5);
  stage.sent(stage.run);
  CHECK(stage.run.wants_input());
}

TEST_CASE("a line without an end is given up") {
  PubOptions options = message(kQoS1, Source::lines);
  options.longest_line = 3'000'000;
  Publishing stage(options, "");
  stage.join();
  stage.run.on_input(bytes_of("first\n"), stage.talk.now);
  const std::string block(1'000'000, 'x');
  for (int i = 0; i < 3; ++i) {
    REQUIRE(stage.run.wants_input());
    stage.run.on_input(bytes_of(block), stage.talk.now);
  }
  REQUIRE(stage.run.wants_input());
  stage.run.on_input(bytes_of("x"), stage.talk.now);
  CHECK_FALSE(stage.run.wants_input());
  CHECK(stage.said == "mq: line 2 has no end: a line may have 3000000 bytes\n");
  CHECK(stage.sent(stage.run) == "PUBLISH a q1 id=1 'first'");
  stage.reply(stage.run, puback(1));
  CHECK(stage.sent(stage.run) == "DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.exit_code() == 1);
}

TEST_CASE("--json-lines publishes what each line says; the command line goes before it") {
  Publishing stage(message(kQoS0, Source::json_lines), "");
  stage.options.topic.clear();
  stage.join();
  stage.run.on_input(bytes_of(R"({"topic":"b","qos":1,"retain":true,"payload":"x"})"
                              "\n\r\n"
                              R"({"topic":"c","payload":null})"
                              "\n"),
                     stage.talk.now);
  stage.run.on_input_end(stage.talk.now);
  CHECK(stage.sent(stage.run) == "PUBLISH b q1 id=1 retain 'x'; PUBLISH c q0 ''");
  stage.reply(stage.run, puback(1));
  CHECK(stage.sent(stage.run) == "DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.exit_code() == 0);

  PubOptions options = message(kQoS1, Source::json_lines);
  options.connection.is_qos_given = true;
  options.is_retained = true;
  Publishing stubborn(options, "");
  stubborn.join();
  stubborn.run.on_input(bytes_of("{\"topic\":\"b\",\"qos\":2,\"payload\":\"x\"}\n"),
                        stubborn.talk.now);
  CHECK(stubborn.sent(stubborn.run) == "PUBLISH a q1 id=1 retain 'x'");
}

TEST_CASE("no JSON line overtakes one before it that waits for an acknowledgement") {
  PubOptions options = message(kQoS0, Source::json_lines);
  options.connection.in_flight_max = 1;
  Publishing stage(options, "");
  stage.join();
  stage.run.on_input(bytes_of(R"({"qos":1,"payload":1})"
                              "\n"
                              R"({"qos":1,"payload":2})"
                              "\n"
                              R"({"qos":0,"payload":3})"
                              "\n"),
                     stage.talk.now);
  stage.run.on_input_end(stage.talk.now);
  CHECK(stage.sent(stage.run) == "PUBLISH a q1 id=1 '1'");
  stage.reply(stage.run, puback(1));
  CHECK(stage.sent(stage.run) == "PUBLISH a q1 id=2 '2'; PUBLISH a q0 '3'");
  stage.reply(stage.run, puback(2));
  CHECK(stage.sent(stage.run) == "DISCONNECT");
}

TEST_CASE("a bad JSON line ends the run with 1, when what came before it is acknowledged") {
  PubOptions options = message(kQoS1, Source::json_lines);
  options.topic.clear();
  Publishing stage(options, "");
  stage.join();
  stage.run.on_input(
      bytes_of("{\"topic\":\"b\",\"qos\":1,\"payload\":\"x\"}\n{\"payload\":1}\n{}\n"),
      stage.talk.now);
  CHECK_FALSE(stage.run.wants_input());
  CHECK(stage.take_said() == "mq: line 2, there is no topic\n");
  CHECK(stage.sent(stage.run) == "PUBLISH b q1 id=1 'x'");
  stage.reply(stage.run, puback(1));
  CHECK(stage.sent(stage.run) == "DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.exit_code() == 1);
  CHECK(stage.said.empty());
}

TEST_CASE("--keep-going skips bad JSON lines, counts them and ends with 1") {
  PubOptions options = message(kQoS0, Source::json_lines);
  options.connection.is_qos_given = true;
  options.skips_bad_lines = true;
  Publishing stage(options, "");
  stage.join();
  stage.run.on_input(bytes_of("{\n{\"payload\":\"x\"}\n"), stage.talk.now);
  CHECK(stage.take_said().starts_with("mq: line 1, column 2: "));
  stage.run.on_input_end(stage.talk.now);
  CHECK(stage.sent(stage.run) == "PUBLISH a q0 'x'; DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.exit_code() == 1);
  CHECK(stage.said == "mq: 1 of 2 lines was skipped\n");
}

TEST_CASE("JSON lines whose properties MQTT 3 cannot carry are told once") {
  Publishing stage(message(kQoS0, Source::json_lines), "");
  stage.join();
  for (int i = 0; i < 2; ++i) {
    stage.run.on_input(bytes_of("{\"properties\":{\"content-type\":\"t\"},\"payload\":\"x\"}\n"),
                       stage.talk.now);
  }
  CHECK(stage.said == "mq: line 1 has properties, which only MQTT 5 can carry: add -V 5\n");
}

TEST_CASE("--topic-separator cuts topic and message of each line at its first place") {
  PubOptions options = message(kQoS0, Source::lines);
  options.topic.clear();
  options.topic_separator = " ";
  options.skips_bad_lines = true;
  Publishing stage(options, "");
  stage.join();
  stage.run.on_input(bytes_of("a/b 1 2\nnothing\n c\nd/# x\ne \n"), stage.talk.now);
  stage.run.on_input_end(stage.talk.now);
  CHECK(stage.sent(stage.run) == "PUBLISH a/b q0 '1 2'; PUBLISH e q0 ''; DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.exit_code() == 1);
  CHECK(stage.take_said() ==
        "mq: line 2, there is no \" \" behind a topic\n"
        "mq: line 3, its topic must not be empty\n"
        "mq: line 4, its topic must be one topic: + and # are for subscribing\n"
        "mq: 3 of 5 lines were skipped\n");
}

TEST_CASE("--pace publishes a recording as it was made, and reads no further meanwhile") {
  PubOptions options = message(kQoS0, Source::json_lines);
  options.pace = 2;
  Publishing stage(options, "");
  stage.join();
  const auto line = [](int seconds, std::string_view payload) {
    return "{\"tst\":\"2026-11-23T08:58:0" + std::to_string(seconds) +
           ".000000+0000\",\"payload\":\"" + std::string(payload) + "\"}\n";
  };
  const std::string input =
      line(1, "first") + "{\"payload\":\"no stamp\"}\n" + line(3, "later") + line(3, "with it");
  stage.run.on_input(bytes_of(input), stage.talk.now);
  stage.run.on_input_end(stage.talk.now);
  CHECK(stage.sent(stage.run) == "PUBLISH a q0 'first'; PUBLISH a q0 'no stamp'");
  CHECK_FALSE(stage.run.wants_input());
  CHECK(stage.run.next_deadline() == stage.talk.now.steady + Seconds(1));
  stage.advance(stage.run, Millis(999));
  CHECK(stage.sent(stage.run).empty());
  stage.advance(stage.run, Millis(1));
  CHECK(stage.sent(stage.run) == "PUBLISH a q0 'later'; PUBLISH a q0 'with it'; DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.exit_code() == 0);
}

TEST_CASE("--pace names a line whose time is none") {
  PubOptions options = message(kQoS0, Source::json_lines);
  options.pace = 1;
  Publishing stage(options, "");
  stage.join();
  stage.run.on_input(bytes_of("{\"tst\":\"noon\",\"payload\":null}\n"), stage.talk.now);
  CHECK(stage.take_said().starts_with("mq: line 1, tst: must be a time such as 2026-"));
}

TEST_CASE("a request waits for its subscription, says where answers go, and prints them") {
  Requesting stage;
  stage.ask();
  const std::string sent = stage.sent(stage.run);
  CAPTURE(sent);
  CHECK(sent.starts_with("PUBLISH q q0 {response-topic=r, correlation-data="));
  CHECK(sent.ends_with("'how much?'"));
  stage.answer("42");
  CHECK(stage.printed == "42\n");
  CHECK(stage.sent(stage.run) == "DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.exit_code() == 0);
}

TEST_CASE("an answer to another request is none; -C wants more than one") {
  PubOptions options;
  options.count = 2;
  options.connection.properties.publish.add(wire::PropertyId::correlation_data, bytes_of("mine"));
  Requesting stage(options);
  stage.ask().sent(stage.run);
  stage.answer("no", "theirs");
  stage.answer("one", "mine");
  CHECK_FALSE(stage.run.is_done());
  stage.answer("two");
  CHECK(stage.printed == "one\ntwo\n");
  CHECK(stage.sent(stage.run) == "DISCONNECT");
}

TEST_CASE("--latency tells how long an answer took") {
  PubOptions options;
  options.shows_latency = true;
  options.count = 2;
  Requesting stage(options);
  stage.ask().sent(stage.run);
  stage.talk.now.wall += std::chrono::microseconds(250);
  stage.answer("soon");
  stage.talk.now.wall += std::chrono::microseconds(1000);
  stage.answer("later");
  CHECK(stage.printed == "soon\nLatency: 250\u00b5s\nlater\nLatency: 1.250ms\n");
}

TEST_CASE("a request that nobody answers ends by -W; one that is refused with the reason") {
  PubOptions options;
  options.timeout = Seconds(3);
  Requesting late(options);
  late.ask().sent(late.run);
  late.advance(late.run, Seconds(3));
  CHECK(late.take_said() == "mq: Timed out\n");
  late.close(late.run);
  CHECK(late.run.exit_code() == 27);

  options.connection.qos = kQoS1;
  Requesting refused(options);
  refused.reply(refused.run, Connack{});
  refused.talk.sent();
  const std::array<Byte, 1> granted = {Byte{1}};
  refused.reply(refused.run, wire::Suback{.packet_id = 65'535, .properties = {}, .codes = granted});
  refused.sent(refused.run);
  refused.reply(refused.run, puback(1, ReasonCode::not_authorized));
  CHECK(refused.take_said() == "mq: request refused: Not authorized\n");
  refused.close(refused.run);
  CHECK(refused.run.exit_code() == 0x87);
}

TEST_CASE("a request that the connection took along is made again, once it is subscribed again") {
  Requesting stage;
  stage.ask();
  stage.cut(stage.run);
  stage.advance(stage.run, Seconds(2));
  stage.talk.core.on_open(stage.talk.now);
  stage.talk.sent();
  stage.ask();
  CHECK(stage.sent(stage.run).starts_with("PUBLISH q q0 "));
}

TEST_CASE("an empty input of -l is no message and no mistake") {
  Publishing stage(message(kQoS0, Source::lines), "");
  stage.join();
  stage.run.on_input_end(stage.talk.now);
  CHECK(stage.sent(stage.run) == "DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.exit_code() == 0);
}

TEST_CASE("QoS 0 lines that a broken connection took along are counted, and the exit code tells") {
  Publishing stage(message(kQoS0, Source::lines), "");
  stage.join();
  stage.run.on_input(bytes_of("one\ntwo\n"), stage.talk.now);
  stage.cut(stage.run);
  CHECK(stage.take_said().contains("lost: reset; trying again"));
  stage.advance(stage.run, Seconds(1));
  stage.talk.core.on_open(stage.talk.now);
  stage.reply(stage.run, Connack{});
  stage.run.on_input(bytes_of("three\n"), stage.talk.now);
  stage.run.on_input_end(stage.talk.now);
  stage.sent(stage.run);
  stage.take_said();
  stage.close(stage.run);
  CHECK(stage.said == "mq: 2 of 3 messages were not sent\n");
  CHECK(stage.run.exit_code() == 7);
}

TEST_CASE("a message that the server has no room for ends mqpub with the reason's code") {
  for (const wire::QoS qos : {kQoS0, kQoS1}) {
    PubOptions options = message(qos);
    options.connection.version = wire::Version::v5;
    Publishing stage(options, std::string(100, 'x'));
    wire::PropertyList limits;
    limits.add(wire::PropertyId::maximum_packet_size, 20U);
    stage.reply(stage.run, Connack{.properties = limits.view()});
    stage.close(stage.run);
    CHECK(stage.said.starts_with("mq: message 1 refused: Packet too large\n"));
    CHECK(stage.run.exit_code() == 0x95);
  }
}

TEST_CASE("a refused message is named by its place in the input, whatever is acknowledged first") {
  PubOptions options = message(kQoS1, Source::lines);
  options.connection.version = wire::Version::v5;
  Publishing stage(options, "");
  wire::PropertyList limits;
  limits.add(wire::PropertyId::maximum_packet_size, 20U);
  stage.reply(stage.run, Connack{.properties = limits.view()});
  stage.run.on_input(bytes_of("one\ntwo\nmuch longer than that\nfour\n"), stage.talk.now);
  stage.sent(stage.run);
  CHECK(stage.said == "mq: message 3 refused: Packet too large\n");
}

TEST_CASE("an input that cannot be read is an error, after all that was read is delivered") {
  Publishing stage(message(kQoS1, Source::lines), "");
  stage.join();
  stage.run.on_input(bytes_of("one\n"), stage.talk.now);
  stage.run.on_input_failed("Is a directory", stage.talk.now);
  CHECK(stage.sent(stage.run) == "PUBLISH a q1 id=1 'one'");
  stage.reply(stage.run, puback(1));
  CHECK(stage.sent(stage.run) == "DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.exit_code() == 1);
  CHECK(stage.said == "mq: cannot read standard input: Is a directory\n");
}

TEST_CASE("the one message of -m survives a broken connection at QoS 0 as well") {
  PubOptions twice = message(kQoS0);
  twice.repeat = 2;
  twice.repeat_delay = Seconds(1);
  Publishing repeated(twice, "hello");
  repeated.join();  // in the output, not taken by the transport
  repeated.cut(repeated.run);
  repeated.advance(repeated.run, Seconds(1));
  repeated.talk.core.on_open(repeated.talk.now);
  repeated.talk.sent();
  repeated.reply(repeated.run, Connack{});
  CHECK(repeated.sent(repeated.run) == "PUBLISH a q0 'hello'");
  repeated.advance(repeated.run, Seconds(1));
  CHECK(repeated.sent(repeated.run) == "PUBLISH a q0 'hello'; DISCONNECT");
  repeated.close(repeated.run);
  CHECK(repeated.run.exit_code() == 0);
}

TEST_CASE("a server that acknowledges nothing is given up, with a count and exit code 27") {
  PubOptions options = message(kQoS1);
  options.connection.ack_timeout = Seconds(5);
  options.repeat = 2;
  Publishing stage(options, "x");
  CHECK(stage.run.next_deadline() == kNever);
  stage.join();
  stage.sent(stage.run);
  stage.advance(stage.run, Seconds(4));
  stage.reply(stage.run, puback(1));
  stage.advance(stage.run, Seconds(4));
  CHECK(stage.take_said().empty());
  stage.advance(stage.run, Seconds(1));
  CHECK(stage.sent(stage.run) == "DISCONNECT");
  stage.close(stage.run);
  CHECK(stage.run.exit_code() == 27);
  CHECK(stage.said ==
        "mq: localhost port 1883 acknowledged nothing for 5 seconds\n"
        "mq: 1 of 2 messages was not acknowledged\n");
}

TEST_CASE("waiting for a lost connection is waiting for an acknowledgement too") {
  PubOptions options = message(kQoS1);
  options.connection.ack_timeout = Seconds(5);
  Publishing stage(options, "x");
  stage.join();
  stage.sent(stage.run);
  stage.cut(stage.run);
  stage.advance(stage.run, Seconds(5));
  CHECK(stage.run.is_done());
  CHECK(stage.run.exit_code() == 27);
}

TEST_CASE("a server that comes back and takes no message is given up as well") {
  PubOptions options = message(kQoS1);
  options.connection.ack_timeout = Seconds(60);
  Publishing stage(options, "x");
  stage.join();
  for (int i = 0; i < 2; ++i) {
    stage.cut(stage.run);
    stage.advance(stage.run, Seconds(20));
    stage.talk.core.on_open(stage.talk.now);
    stage.join();
    CHECK_FALSE(stage.run.is_done());
  }
  stage.cut(stage.run);
  stage.advance(stage.run, Seconds(20));
  CHECK(stage.run.is_done());
  CHECK(stage.run.exit_code() == 27);
}

TEST_CASE("a signal ends mqpub with its number, and says what is open") {
  Publishing stage(message(kQoS1), "x");
  stage.join();
  stage.sent(stage.run);
  stage.run.on_interrupt(15, stage.talk.now);
  stage.sent(stage.run);
  stage.cut(stage.run);
  CHECK(stage.run.exit_code() == 143);
  CHECK(stage.said == "mq: 1 of 1 message was not acknowledged\n");
}

TEST_CASE("a connection that is lost for good counts what is open") {
  PubOptions options = message(kQoS1);
  options.connection.version = wire::Version::v5;
  Publishing stage(options, "x");
  stage.join();
  stage.sent(stage.run);
  stage.reply(stage.run,
              wire::Disconnect{.reason = ReasonCode::session_taken_over, .properties = {}});
  CHECK(stage.run.exit_code() == 0x8E);
  CHECK(stage.said ==
        "mq: disconnected by localhost port 1883: Session taken over\n"
        "mq: 1 of 1 message was not acknowledged\n");
}
