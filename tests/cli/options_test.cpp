#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "cli/pub_options.hpp"
#include "cli/sub_options.hpp"

using namespace mq;
using namespace mq::cli;
using wire::PropertyId;
using wire::QoS;
using wire::Version;

namespace {

/// A command line that can be written to, as main() gets it.
class CommandLine {
 public:
  CommandLine(std::vector<std::string> arguments) : texts_(std::move(arguments)) {
    texts_.insert(texts_.begin(), "program");
    for (auto& text : texts_) pointers_.push_back(text.data());
  }
  CommandLine(std::initializer_list<std::string> arguments) : CommandLine(std::vector(arguments)) {}
  std::span<char* const> span() { return pointers_; }
  const std::string& operator[](std::size_t i) const { return texts_[i + 1]; }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

SubOptions sub(std::initializer_list<std::string> arguments) {
  auto options = parse_sub(CommandLine(arguments).span());
  REQUIRE_MESSAGE(options.has_value(), options.error().message);
  return *options;
}

PubOptions pub(std::initializer_list<std::string> arguments) {
  auto options = parse_pub(CommandLine(arguments).span());
  REQUIRE_MESSAGE(options.has_value(), options.error().message);
  return *options;
}

std::string sub_error(std::initializer_list<std::string> arguments) {
  const auto options = parse_sub(CommandLine(arguments).span());
  REQUIRE_FALSE(options.has_value());
  return options.error().message;
}

std::string pub_error(std::initializer_list<std::string> arguments) {
  const auto options = parse_pub(CommandLine(arguments).span());
  REQUIRE_FALSE(options.has_value());
  return options.error().message;
}

client::Settings settings(const ConnectOptions& options) {
  Prng prng(1);
  return settings_of(options, 42, prng);
}

client::Settings settings(std::initializer_list<std::string> arguments) {
  Prng prng(1);
  return settings_of(sub(arguments), 42, prng);
}

}  // namespace

TEST_CASE("without options the broker on this machine is meant, QoS 0, a clean session") {
  const auto options = sub({"-t", "a"});
  CHECK(options.connection.endpoint.host == "localhost");
  CHECK(options.connection.endpoint.port == 1883);
  CHECK(options.connection.qos == QoS::at_most_once);
  const auto about_us = settings(options.connection);
  CHECK(about_us.version == Version::v311);
  CHECK(about_us.clean_start);
  CHECK(about_us.client_id.empty());
  CHECK(about_us.keep_alive == 60);
  CHECK(about_us.connect_timeout == Seconds(30));
  CHECK(about_us.retry == client::Retry::after_loss);
}

TEST_CASE("long and short names, with = and without, bundled or apart, mean the same") {
  for (const auto& arguments :
       {std::initializer_list<std::string>{"-v", "-d", "-t", "a", "-q", "1"},
        {"-vd", "-t", "a", "-q1"},
        {"-dvt", "a", "--qos", "1"},
        {"--verbose", "--debug", "--topic=a", "--qos=1"}}) {
    const auto options = sub(arguments);
    CHECK(options.is_verbose);
    CHECK(options.connection.is_debugging);
    CHECK(options.filters == std::vector<std::string>{"a"});
    CHECK(options.connection.qos == QoS::at_least_once);
  }
}

TEST_CASE("-t may be given several times, and a topic may have commas, spaces and dashes") {
  const auto options = sub({"-t", "a,b", "-t", "c d", "-t", "-e-", "-t", "$SYS/#", "-t", "+/x"});
  CHECK(options.filters == std::vector<std::string>{"a,b", "c d", "-e-", "$SYS/#", "+/x"});
}

TEST_CASE("a value may begin with a dash or be empty") {
  CHECK(pub({"-t", "a", "-m", "-5"}).message == "-5");
  CHECK(pub({"-t", "a", "-m", "--help"}).message == "--help");
  CHECK(pub({"-t", "a", "-m", ""}).message.empty());
  CHECK(pub({"-t", "a", "--message=-5"}).message == "-5");
  CHECK(sub({"-t", "a", "-x", "-1"}).connection.session_expiry_interval == kNeverExpires);
}

TEST_CASE("a value behind its letter is everything that follows, whatever that is") {
  CHECK(sub({"-ta", "-h127.0.0.1"}).connection.endpoint.host == "127.0.0.1");
  CHECK(sub({"-ta", "-vh::1"}).connection.endpoint.host == "::1");
  CHECK(sub({"-tx/y", "-t#"}).filters == std::vector<std::string>{"x/y", "#"});
  CHECK(sub({"-ta", "-F%j"}).format == "%j");
  CHECK(sub({"-ta", "-x-1"}).connection.session_expiry_interval == kNeverExpires);
  CHECK(sub({"-ta", "-W1.5"}).timeout == Millis(1500));
  CHECK(sub({"-ta", "-ifoo.bar"}).connection.client_id == "foo.bar");
  CHECK(pub({"-ta", "-m-5"}).message == "-5");
  CHECK(pub({"-ta", "-m--"}).message == "--");
  CHECK(pub({"-ta", "-ma b"}).message == "a b");
  CHECK(pub({"-ta", "-m=a"}).message == "=a");
  CHECK(pub({"-ta", "-m\n"}).message == "\n");
  CHECK(pub({"-ta", "-f./x"}).file == "./x");
  const auto options = sub({"-Lmqtt://me:secret@h/a/b"});
  CHECK(options.connection.password == "secret");
  CHECK(options.filters == std::vector<std::string>{"a/b"});
}

TEST_CASE("the last of several values counts") {
  CHECK(pub({"-t", "a", "-t", "b", "-m", "x"}).topic == "b");
  CHECK(sub({"-t", "a", "-p", "1", "-p", "2"}).connection.endpoint.port == 2);
}

TEST_CASE("-- ends the options; what stands without one is a mistake") {
  CHECK(sub({"-t", "a", "--"}).filters.size() == 1);
  CHECK(sub_error({"-t", "a", "stray"}).starts_with("unexpected argument \"stray\""));
  CHECK(sub_error({"-t", "a", "--", "-v"}).starts_with("unexpected argument \"-v\""));
}

TEST_CASE("an unknown option is named, with the nearest that exists") {
  CHECK(pub_error({"--retian"}) == "unknown option --retian; did you mean --retain?");
  CHECK(sub_error({"-verbose", "-t", "a"}) == "unknown option -e; did you mean --verbose?");
  CHECK(sub_error({"--xyzzy"}) == "unknown option --xyzzy; --help lists all");
  CHECK(sub_error({"-z"}) == "unknown option -z; --help lists all");
}

TEST_CASE("a missing value, and one too many, are named") {
  CHECK(sub_error({"-t"}) == "-t needs TOPIC behind it");
  CHECK(sub_error({"-t", "a", "--port"}) == "--port needs PORT behind it");
  CHECK(sub_error({"-t", "a", "--verbose=yes"}) == "-v takes no value");
}

TEST_CASE("values out of range are named with what would be right") {
  CHECK(sub_error({"-t", "a", "-q", "3"}) == "-q 3: must be 0, 1 or 2");
  CHECK(sub_error({"-t", "a", "-q", "-1"}) == "-q -1: must be 0, 1 or 2");
  CHECK(sub_error({"-t", "a", "-p", "65536"}) == "-p 65536: must be a port number, 0 to 65535");
  CHECK(sub_error({"-t", "a", "-p", "18 83"}) == "-p 18 83: must be a port number, 0 to 65535");
  for (const auto* seconds : {"4", "65536", "x", ""}) {
    CHECK(sub_error({"-t", "a", "-k", seconds}).contains("5 to 65535"));
  }
  CHECK(sub_error({"-t", "a", "-C", "0"}) == "-C 0: must be a number from 1");
  for (const std::string bad : {"0", "nan", "inf", "0x1", " 1", "1s", "1e400"}) {
    CHECK(sub_error({"-t", "a", "-W", bad}) ==
          "-W " + bad + ": must be a number of seconds above 0");
  }
  CHECK(sub_error({"-t", "a", "-M", "0"}) == "-M 0: must be a number from 1 to 65535");
  CHECK(sub_error({"-t", "a", "-V", "4"}) == "-V 4: must be 31, 311 or 5");
  CHECK(sub_error({"-t", "a", "-x", "4294967296"}).starts_with("-x 4294967296: must be -1"));
  CHECK(sub_error({"-t", "a", "-h", ""}) == "-h : must not be empty");
  CHECK(pub_error({"-t", "a", "-m", "x", "--repeat", "0"}) ==
        "--repeat 0: must be a number from 1");
  CHECK(pub_error({"-t", "a", "-m", "x", "--repeat-delay", "-1"}) ==
        "--repeat-delay -1: must be a number of seconds");
}

TEST_CASE("versions are named as mosquitto names them") {
  for (const auto& [version, names] : {std::pair{Version::v31, std::pair{"31", "mqttv31"}},
                                       {Version::v311, {"311", "mqttv311"}},
                                       {Version::v5, {"5", "mqttv5"}}}) {
    CHECK(settings({"-t", "a", "-V", names.first}).version == version);
    CHECK(settings({"-t", "a", "-V", names.second}).version == version);
  }
}

TEST_CASE(
    "topics: filters for mqsub, one plain topic for mqpub, UTF-8, not empty [MQTT-3.3.2-1] "
    "[MQTT-3.3.2-2] [MQTT-3.8.3-1] [MQTT-3.10.3-1] [MQTT-4.7.0-1] [MQTT-4.7.1-1] "
    "[MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT-4.7.3-3] [MQTT-4.8.2-1] [MQTT-4.8.2-2]") {
  CHECK(sub_error({"-t", "a/#/b"}).contains("is no topic filter"));
  CHECK(sub_error({"-t", "a+"}).contains("is no topic filter"));
  CHECK(sub_error({"-t", ""}) == "-t : must not be empty");
  for (const auto* text : {"\xFF", "\xED\xA0\x80"}) {
    CHECK(sub_error({"-t", text}).contains("must be UTF-8"));
    CHECK(sub_error({"-t", "a", "-U", text}).contains("must be UTF-8"));
    CHECK(pub_error({"-t", text, "-m", "x"}).contains("must be UTF-8"));
  }
  for (const auto* share : {"$share//a", "$share/g", "$share/g/", "$share/g+/a", "$share/g/a#"}) {
    CHECK(sub_error({"-t", share}).contains("is no topic filter"));
    CHECK(sub_error({"-t", "a", "-U", share}).contains("is no topic filter"));
  }
  CHECK(sub_error({"-t", "a", "-T", "#/a"}).contains("is no topic filter"));
  CHECK(sub_error({"-t", "a", "-U", "#/a"}).contains("is no topic filter"));
  CHECK(sub_error({"-t", std::string(65'536, 'x')}).contains("longer than 65535"));
  CHECK(pub_error({"-t", std::string(65'536, 'x'), "-m", "x"}).contains("longer than 65535"));
  CHECK(pub_error({"-t", "a/+", "-m", "x"}) ==
        "-t a/+: must be one topic: + and # are for subscribing");
  CHECK(pub_error({"-t", "#", "-m", "x"}).contains("must be one topic"));
  CHECK(pub_error({"-t", "", "-m", "x"}) == "-t : must not be empty");
}

TEST_CASE("mqsub needs a topic or something to unsubscribe from") {
  CHECK(sub_error({"-v"}) == "no topic given; say what to subscribe to with -t TOPIC");
  CHECK(sub({"-U", "a"}).unsubscriptions == std::vector<std::string>{"a"});
}

TEST_CASE("mqpub needs a topic and exactly one kind of message") {
  CHECK(pub_error({"-m", "x"}).starts_with("no topic given"));
  CHECK(pub_error({"-t", "a"}) == "no message given; use one of -m, -f, -s, -l, -n, --json-lines");
  CHECK(pub_error({"-t", "a", "-m", "x", "-s"}).starts_with("only one kind of message"));
  CHECK(pub_error({"-t", "a", "-n", "-l"}).starts_with("only one kind of message"));
  CHECK(pub_error({"-t", "a", "-l", "--repeat", "2"}) == "--repeat does not go with -l");
  CHECK(pub({"-t", "a", "-f", "x"}).source() == Source::file);
  CHECK(pub({"-t", "a", "-s"}).source() == Source::input);
  CHECK(pub({"-t", "a", "-l"}).source() == Source::lines);
  CHECK(pub({"-t", "a", "-n"}).source() == Source::nothing);
}

TEST_CASE("--json-lines needs no topic; --keep-going goes with it alone") {
  CHECK(pub({"--json-lines", "--keep-going"}).source() == Source::json_lines);
  CHECK(pub({"--json-lines", "-t", "a"}).topic == "a");
  CHECK(pub_error({"--json-lines", "-l"}).starts_with("only one kind of message"));
  CHECK(pub_error({"--json-lines", "--repeat", "2"}) == "--repeat does not go with --json-lines");
  CHECK(pub_error({"-t", "a", "-l", "--keep-going"}) ==
        "--keep-going goes with --json-lines or --topic-separator");
}

TEST_CASE("--topic-separator is for -l, and then the lines name their topics") {
  CHECK(pub({"-l", "--topic-separator", " ", "--keep-going"}).topic_separator == " ");
  CHECK(pub_error({"-l", "--topic-separator", ""}).contains("must not be empty"));
  CHECK(pub_error({"-n", "--topic-separator", " "}) == "--topic-separator goes with -l");
  CHECK(pub_error({"-l", "-t", "a", "--topic-separator", " "}).starts_with("-t and --topic-sep"));
}

TEST_CASE("--pace has a speed or none, before other options, and is for --json-lines") {
  CHECK(pub({"--json-lines", "--pace"}).pace == 1);
  CHECK(pub({"--json-lines", "--pace", "2.5"}).pace == 2.5);
  CHECK(pub({"--json-lines", "--pace=10"}).pace == 10);
  CHECK(pub({"--pace", "--json-lines"}).pace == 1);
  CHECK_FALSE(pub({"--json-lines"}).pace.has_value());
  CHECK(pub_error({"--json-lines", "--pace=0"}).starts_with("--pace 0: must be a speed"));
  CHECK(pub_error({"--json-lines", "--pace=fast"}).starts_with("--pace fast: must be a speed"));
  CHECK(pub_error({"-t", "a", "-l", "--pace"}) == "--pace goes with --json-lines");
}

TEST_CASE("--request is MQTT 5 by itself; what prints answers goes with it alone") {
  CHECK(settings(pub({"--request", "-t", "a", "-n"}).connection).version == Version::v5);
  CHECK(pub({"--request", "-t", "a", "-n", "-e", "b"}).response_topic == "b");
  CHECK(
      pub({"--request", "-t", "a", "-n", "-D", "publish", "response-topic", "c"}).response_topic ==
      "c");
  CHECK(pub({"--request", "-t", "a", "-m", "x", "-C", "3", "-W", "1.5", "-v"}).count == 3);
  CHECK(pub_error({"--request", "-t", "a", "-l"}).starts_with("--request publishes one message"));
  CHECK(pub_error({"--request", "-t", "a", "-n", "-V", "311"}).starts_with("--request needs -e"));
  CHECK(pub_error({"--request", "-t", "a", "-n", "-e", "b/#"}).contains("must be one topic"));
  for (const std::initializer_list<std::string>& alone :
       {std::initializer_list<std::string>{"-C", "1"},
        {"-W", "1"},
        {"-v"},
        {"-F", "%p"},
        {"-N"},
        {"-0"},
        {"--pretty"},
        {"--latency"},
        {"-R"},
        {"--retain-as-published"},
        {"--retain-handling", "new"},
        {"-e", "b"},
        {"--color", "always"}}) {
    std::vector<std::string> words(alone);
    words.insert(words.end(), {"-t", "a", "-n"});
    CAPTURE(words[0]);
    CommandLine line{words};
    CHECK(parse_pub(line.span()).error().message == words[0] + " goes with --request");
  }
}

TEST_CASE("-D adds properties to packets and makes it MQTT 5") {
  const auto options = pub({"-t",
                            "a",
                            "-n",
                            "-D",
                            "Publish",
                            "content-type",
                            "text/plain",
                            "-D",
                            "PUBLISH",
                            "user-property",
                            "k",
                            "v w",
                            "-D",
                            "connect",
                            "receive-maximum",
                            "5",
                            "-D",
                            "disconnect",
                            "reason-string",
                            "bye"});
  const auto publish = options.connection.properties.publish.view();
  CHECK(publish.text(PropertyId::content_type) == "text/plain");
  CHECK(publish.find(PropertyId::user_property)->value == "v w");
  const auto about_us = settings(options.connection);
  CHECK(about_us.version == Version::v5);
  CHECK(about_us.properties.view().number(PropertyId::receive_maximum) == 5);
  CHECK(about_us.goodbye.view().text(PropertyId::reason_string) == "bye");
  CHECK(settings({"-t", "a", "-D", "subscribe", "subscription-identifier", "7"}).version ==
        Version::v5);
}

TEST_CASE("-D takes its values however the option is written, and they may look like options") {
  for (const auto& arguments :
       {std::initializer_list<std::string>{"-D", "connect", "user-property", "-t", "-q"},
        {"-Dconnect", "user-property", "-t", "-q"},
        {"-vD", "connect", "user-property", "-t", "-q"},
        {"--property", "connect", "user-property", "-t", "-q"},
        {"--property=connect", "user-property", "-t", "-q"}}) {
    std::vector<std::string> words(arguments);
    words.insert(words.end(), {"-t", "a"});
    CommandLine line{words};
    const auto options = parse_sub(line.span());
    REQUIRE(options.has_value());
    const auto found =
        options->connection.properties.connect.view().find(PropertyId::user_property);
    REQUIRE(found.has_value());
    CHECK(text_of(found->bytes) == "-t");
    CHECK(found->value == "-q");
    CHECK(options->filters == std::vector<std::string>{"a"});
  }
}

TEST_CASE(
    "-D: what does not go is told with the remedy [MQTT-1.5.7-1] [MQTT-3.3.2-13] "
    "[MQTT-3.3.2-14] [MQTT-3.3.2-19] [MQTT-3.3.4-6]") {
  const auto error = [](std::initializer_list<std::string> values) {
    std::vector<std::string> words = {"-t", "a", "-n", "-D"};
    words.insert(words.end(), values);
    CommandLine line{words};
    const auto options = parse_pub(line.span());
    REQUIRE_FALSE(options.has_value());
    return options.error().message;
  };
  CHECK(error({"publish", "contenttype", "x"}).ends_with("did you mean content-type?"));
  CHECK(error({"ping", "user-property", "a", "b"}).contains("must begin with connect, publish"));
  CHECK(error({"publish", "receive-maximum", "5"}).ends_with("does not go with publish"));
  CHECK(error({"publish", "subscription-identifier", "5"}).ends_with("does not go with publish"));
  CHECK(error({"connect", "receive-maximum", "65536"}).ends_with("a number from 0 to 65535"));
  CHECK(error({"connect", "receive-maximum", "0"}).ends_with("must not be 0"));
  CHECK(error({"publish", "payload-format-indicator", "2"}).ends_with("a number from 0 to 1"));
  CHECK(error({"publish", "response-topic", "a/#"}).contains("wildcards"));
  CHECK(error({"publish", "response-topic", "\xFF"}).contains("UTF-8"));
  CHECK(error({"publish", "content-type", "\xFF"}).contains("UTF-8"));
  CHECK(error({"publish", "user-property", "\xFF", "v"}).contains("UTF-8"));
  CHECK(error({"publish", "user-property", "k", "\xFF"}).contains("UTF-8"));
  CHECK(error({"connect", "authentication-data", "x"}).starts_with("-D connect: "));
  CHECK(error({"will", "will-delay-interval", "5"}) == "-D will needs --will-topic");
  CHECK(error({"publish", "content-type"}).ends_with("needs COMMAND NAME VALUE behind it"));
  CHECK(error({"publish", "user-property", "a"}).ends_with("needs COMMAND NAME VALUE behind it"));
  CHECK(pub_error({"-t", "a", "-n", "-D", "publish", "content-type", "a", "-D", "publish",
                   "content-type", "b"})
            .ends_with("property given twice"));
}

TEST_CASE("-D connect session-expiry-interval is -x") {
  const auto about_us =
      settings({"-t", "a", "-c", "-D", "connect", "session-expiry-interval", "9"});
  CHECK(about_us.properties.view().number(PropertyId::session_expiry_interval) == 9);
}

TEST_CASE("-A, -S, --nodelay") {
  const auto options = sub({"-t", "a", "-h", "example.org", "-A", "127.0.0.2", "-S", "--nodelay"});
  CHECK(options.connection.endpoint.bind_address == "127.0.0.2");
  CHECK(sub({"-ta", "-A", "fe80::1%lo"}).connection.endpoint.bind_address == "fe80::1%lo");
  for (const auto* name : {"foo", "127.0.0.1%lo", "1.2.3", ""}) {
    CHECK(sub_error({"-ta", "-A", name}).ends_with(": must be an IP address of this machine"));
  }
  CHECK(options.connection.endpoint.srv_service == "_mqtt._tcp");
  CHECK(sub({"-t", "a", "-S", "--cafile", "x"}).connection.endpoint.srv_service ==
        "_secure-mqtt._tcp");
  CHECK(sub_error({"-t", "a", "-S", "-p", "1"}).starts_with("-S says where the servers are"));
  CHECK(sub_error({"-t", "a", "-S", "--unix", "x"}).starts_with("-S says where the servers are"));
}

TEST_CASE("the last URL says where to connect and as whom, and nothing of an earlier one is left") {
  const auto last = sub({"-L", "wss://me:secret@a:1/x", "-L", "mqtt://b/y"}).connection;
  CHECK(last.endpoint.host == "b");
  CHECK(last.endpoint.port == 1883);
  CHECK_FALSE(last.tls);
  CHECK_FALSE(last.websocket);
  CHECK_FALSE(last.user_name);
  CHECK_FALSE(last.password);
  const auto partly = sub({"-L", "mqtt://me:secret@a/x", "-L", "mqtt://you@b/y"}).connection;
  CHECK(partly.user_name == "you");
  CHECK_FALSE(partly.password);
}

TEST_CASE("what a URL does not say is as options of their own say it") {
  const auto own =
      sub({"-u", "me", "-P", "x", "-L", "mqtt://you:y@a/x", "-L", "mqtt://b/y"}).connection;
  CHECK(own.user_name == "me");
  CHECK(own.password == "x");
  CHECK(sub({"--cafile", "x", "-L", "mqtt://a/x"}).connection.tls);
  CHECK(sub({"--ws", "-L", "mqtt://a/x"}).connection.websocket);
  CHECK(sub({"-h", "a", "-p", "21999", "-L", "mqtt://b/x"}).connection.endpoint.port == 1883);
}

TEST_CASE("of a URL and an option of its own, the last one counts") {
  const auto url = sub({"-u", "me", "--pw-file", "x", "-L", "mqtt://you:y@a/x"}).connection;
  CHECK(url.user_name == "you");
  CHECK(url.password == "y");
  CHECK_FALSE(url.password_file);
  const auto own = sub({"-L", "mqtt://you:y@a/x", "-p", "1", "-u", "me", "-P", "x"}).connection;
  CHECK(own.endpoint.port == 1);
  CHECK(own.user_name == "me");
  CHECK(own.password == "x");
  CHECK(sub({"-L", "mqtt://you:y@a/x", "--pw-file", "x"}).connection.password_file == "x");
  CHECK_FALSE(sub({"-L", "mqtt://you:y@a/x", "--pw-env", "X"}).connection.password);
}

TEST_CASE("only one option says the password") {
  CHECK(sub({"-t", "a", "-u", "me", "--pw-file", "x"}).connection.password_file == "x");
  CHECK(sub({"-t", "a", "-u", "me", "--pw-env", "X"}).connection.password_variable == "X");
  CHECK(sub_error({"-t", "a", "-P", "x", "--pw-env", "X"}).starts_with("only one of -P"));
  CHECK(sub_error({"-t", "a", "--pw-file", "x", "--pw-env", "X"}).starts_with("only one of -P"));
}

TEST_CASE("the client id: given, made from a prefix, or left to the server") {
  CHECK(settings({"-t", "a", "-i", "me"}).client_id == "me");
  CHECK(settings({"-t", "a", "-I", "me-"}).client_id == "me-42");
  CHECK(settings({"-t", "a", "-V", "5"}).client_id.empty());
  const std::string made = settings({"-t", "a", "-V", "31"}).client_id;
  CHECK(made.size() == 23);
  CHECK(made.starts_with("mosq-"));
  CHECK(sub_error({"-t", "a", "-i", "x", "-I", "y"}).starts_with("-i and -I exclude"));
}

TEST_CASE("-c needs -i, unless the session ends by itself [MQTT3-3.1.3-7]") {
  CHECK(sub_error({"-t", "a", "-c"}).starts_with("-c needs -i"));
  CHECK(sub_error({"-t", "a", "-c", "-I", "p"}).starts_with("-c needs -i"));
  CHECK(sub_error({"-t", "a", "-c", "-V", "5"}).starts_with("-c needs -i"));
  CHECK(sub_error({"-t", "a", "-c", "-x", "-1"}).starts_with("-c needs -i"));
  CHECK_FALSE(settings({"-t", "a", "-c", "-x", "60"}).clean_start);
  CHECK_FALSE(settings({"-t", "a", "-c", "-i", "me"}).clean_start);
}

TEST_CASE("session expiry: for ever with -c in v5, as given with -x, which makes it v5") {
  const auto expiry = [](const client::Settings& about_us) {
    return about_us.properties.view().number(PropertyId::session_expiry_interval);
  };
  CHECK(expiry(settings({"-t", "a", "-c", "-i", "me", "-V", "5"})) == kNeverExpires);
  CHECK(expiry(settings({"-t", "a", "-c", "-i", "me"})) == std::nullopt);
  const auto given = settings({"-t", "a", "-x", "60", "-V", "311"});
  CHECK(given.version == Version::v5);
  CHECK(expiry(given) == 60);
  CHECK(expiry(settings({"-t", "a", "-x", "∞"})) == kNeverExpires);
}

TEST_CASE("mqpub at QoS 2 has a session that outlives a lost connection, but not the run") {
  const auto about = [](std::initializer_list<std::string> arguments) {
    Prng prng(1);
    return settings_of(pub(arguments), 42, prng);
  };
  const auto number = [](const wire::PropertyList& list) {
    return list.view().number(PropertyId::session_expiry_interval);
  };
  const auto v5 = about({"-t", "a", "-l", "-q", "2", "-V", "5"});
  CHECK(number(v5.properties) == 3600);
  CHECK(number(v5.goodbye) == 0);
  const auto v3 = about({"-t", "a", "-l", "-q", "2"});
  CHECK_FALSE(v3.clean_start);
  CHECK(v3.client_id.size() == 23);
  CHECK(v3.clearing == client::Clearing::after);
  CHECK(about({"-t", "a", "-l", "-q", "2", "-i", "me"}).clearing ==
        client::Clearing::before_and_after);
  CHECK(about({"--json-lines"}).clearing == client::Clearing::after);
  for (const auto& arguments : {std::initializer_list<std::string>{"-t", "a", "-l", "-q", "1"},
                                {"--json-lines", "-q", "1"},
                                {"-t", "a", "-l", "-q", "2", "-c", "-i", "me"}}) {
    const auto usual = about(arguments);
    CHECK(usual.clearing == client::Clearing::none);
    CHECK(number(usual.properties) == std::nullopt);
  }
  const auto kept = about({"-t", "a", "-l", "-q", "2", "-x", "60"});
  CHECK(number(kept.properties) == 60);
  CHECK(number(kept.goodbye) == std::nullopt);
}

TEST_CASE(
    "the will: topic, payload, QoS, retain; nothing without the topic [MQTT-3.1.2-12] "
    "[MQTT-3.1.3-11]") {
  const auto about_us = settings({"-t", "a", "--will-topic", "w", "--will-payload", "gone",
                                  "--will-qos", "2", "--will-retain"});
  REQUIRE(about_us.will);
  CHECK(about_us.will->topic == "w");
  CHECK(about_us.will->payload == "gone");
  CHECK(about_us.will->qos == QoS::exactly_once);
  CHECK(about_us.will->retain);
  CHECK(sub_error({"-t", "a", "--will-payload", "x"}) == "--will-payload needs --will-topic");
  CHECK(sub_error({"-t", "a", "--will-retain"}) == "--will-retain needs --will-topic");
  CHECK(sub_error({"-t", "a", "--will-qos", "1"}) == "--will-qos needs --will-topic");
  CHECK(sub_error({"-t", "a", "--will-topic", "w", "--will-qos", "3"}).contains("0, 1 or 2"));
  CHECK(sub_error({"-t", "a", "--will-topic", "w/#"}).contains("must be one topic"));
  CHECK(sub_error({"-t", "a", "--will-topic", "\xFF"}).contains("must be UTF-8"));
}

TEST_CASE("client id and user name are UTF-8 [MQTT-3.1.3-4] [MQTT-3.1.3-12]") {
  for (const auto* option : {"-i", "-I", "-u"}) {
    CHECK(sub_error({"-t", "a", option, "\xFF"}) == "client id and user name must be UTF-8");
  }
}

TEST_CASE("a password goes along with a user name, in v5 also alone [MQTT3-3.1.2-22]") {
  const auto both = settings({"-t", "a", "-u", "me", "-P", "secret"});
  CHECK(both.user_name == "me");
  CHECK(both.password == "secret");
  for (const auto* option : {"-P", "--pw-file", "--pw-env"}) {
    CHECK(sub_error({"-t", "a", option, "x"}) ==
          "a password needs -u with MQTT 3, which has none without a user name; or add -V 5");
  }
  CHECK(settings({"-t", "a", "-P", "secret", "-V", "5"}).password == "secret");
}

TEST_CASE("what is wrong with a secret is told without it") {
  for (const auto* url : {"mqtt://me:secret@h", "mqtts://me:secret@h:x/a", "mqtt://me:secret@h/a+",
                          "http://me:secret@h/a", "me:secret@h/a"}) {
    const std::string error = sub_error({"-L", url});
    CHECK(error.starts_with("-L: "));
    CHECK_FALSE(error.contains("secret"));
  }
  CHECK(sub_error({"-ta", "--psk", "0g", "--psk-identity", "me"}).starts_with("--psk: must be"));
  CHECK(sub_error({"-ta", "--proxy=http://me:secret@h"}).starts_with("--proxy: must be"));
}

TEST_CASE("a password is wiped from the command line, however it was given") {
  CommandLine line{"-t",         "P",   "-P",   "one",    "--pw", "two",
                   "--pw=three", "-vP", "four", "-Pfive", "-u",   "me"};
  const auto options = parse_sub(line.span());
  REQUIRE(options);
  CHECK(options->connection.password == "five");
  CHECK(line[1] == "P");
  CHECK(line[3] == "xxx");
  CHECK(line[5] == "xxx");
  CHECK(line[6] == "--pw=xxxxx");
  CHECK(line[8] == "xxxx");
  CHECK(line[9] == "-Pxxxx");
}

TEST_CASE("the value of another option is not taken for the password's") {
  CommandLine line{"-t", "a", "-m", "-P", "-i", "me"};
  REQUIRE(parse_pub(line.span()));
  CHECK(line[4] == "-i");
}

TEST_CASE("--help and --version are not asked for the rest") {
  CHECK(sub({"--help"}).connection.wants_help);
  CHECK(pub({"--version", "-q", "2"}).connection.wants_version);
}

TEST_CASE("-C asks a v5 server for no more than is wanted") {
  const auto receive_maximum = [](const client::Settings& about_us) {
    return about_us.properties.view().number(PropertyId::receive_maximum);
  };
  CHECK(receive_maximum(settings({"-t", "a", "-C", "3", "-V", "5"})) == 3);
  CHECK(receive_maximum(settings({"-t", "a", "-C", "20", "-V", "5"})) == std::nullopt);
  CHECK(receive_maximum(settings({"-t", "a", "-C", "3"})) == std::nullopt);
}

TEST_CASE("--retry, --connect-timeout, -k and -M arrive where they count") {
  const auto about_us =
      settings({"-t", "a", "--retry", "--connect-timeout", "0.5", "-k", "5", "-M", "7"});
  CHECK(about_us.retry == client::Retry::always);
  CHECK(about_us.connect_timeout == Millis(500));
  CHECK(about_us.keep_alive == 5);
  CHECK(about_us.in_flight_max == 7);
}

TEST_CASE("what remains: the flags of both programs") {
  const auto subscriber = sub({"-t", "a", "-N", "-R", "-E", "-C", "3", "-W", "1.5", "-T", "b", "-T",
                               "c", "--unix", "/run/mq", "--quiet"});
  CHECK_FALSE(subscriber.has_newline);
  CHECK_FALSE(subscriber.shows_retained);
  CHECK(subscriber.ends_after_subscribing);
  CHECK(subscriber.count == 3);
  CHECK(subscriber.timeout == Millis(1500));
  CHECK(subscriber.filters_out == std::vector<std::string>{"b", "c"});
  CHECK(subscriber.connection.endpoint.unix_path == "/run/mq");
  CHECK(subscriber.connection.is_quiet);
  const auto publisher =
      pub({"-t", "a", "-n", "-r", "--repeat", "3", "--repeat-delay", "0.25", "--ack-timeout", "7"});
  CHECK(publisher.is_retained);
  CHECK(publisher.repeat == 3);
  CHECK(publisher.repeat_delay == Millis(250));
  CHECK(publisher.connection.ack_timeout == Seconds(7));
}

TEST_CASE("what mqsub prints: the end of a message, colours, shares") {
  CHECK(format_of(sub({"-t", "a"}), Medium::file).end == "\n");
  CHECK(format_of(sub({"-t", "a", "-N"}), Medium::file).end.empty());
  CHECK(format_of(sub({"-t", "a", "-0"}), Medium::file).end == std::string_view("\0", 1));
  CHECK(sub_error({"-t", "a", "-0", "-N"}) == "-N and -0 exclude each other");
  CHECK(sub({"-t", "a", "--random-filter", "12.5"}).millionths == 125'000);
  CHECK(sub({"-t", "a", "--random-filter", "1e-1"}).millionths == 1'000);
  CHECK(sub_error({"-t", "a", "--random-filter", "0"}).contains("from 0.1 to 100"));
  CHECK(sub_error({"-t", "a", "-R", "--retained-only"}).contains("exclude each other"));
  CHECK(sub_error({"-t", "a", "-w", "--message-rate"}).contains("exclude each other"));
  CHECK(sub({"-t", "a", "--retain-handling", "new"}).retain_handling ==
        wire::RetainHandling::send_if_new);
  CHECK(sub_error({"-t", "a", "--retain-handling", "x"}).contains("always, new or never"));
  const auto request =
      pub({"--request", "-ta", "-n", "-R", "--retain-handling=always", "--retain-as-published"});
  CHECK_FALSE(request.shows_retained);
  CHECK(request.is_retain_kept);
  CHECK(request.retain_handling == wire::RetainHandling::send);
}

TEST_CASE("topics are coloured on a terminal, always or never; NO_COLOR speaks where nobody did") {
  const auto is_coloured = [](std::initializer_list<std::string> arguments, Medium medium,
                              const char* no_color = nullptr) {
    SubOptions options = sub(arguments);
    respect_no_color(options, no_color);
    return format_of(options, medium).is_coloured;
  };
  CHECK(is_coloured({"-t", "a"}, Medium::terminal));
  CHECK(is_coloured({"-t", "a"}, Medium::terminal, ""));
  CHECK_FALSE(is_coloured({"-t", "a"}, Medium::file));
  CHECK_FALSE(is_coloured({"-t", "a"}, Medium::terminal, "1"));
  CHECK(is_coloured({"-t", "a", "--color", "always"}, Medium::file, "1"));
  CHECK_FALSE(is_coloured({"-t", "a", "--color=never"}, Medium::terminal));
  CHECK(sub_error({"-t", "a", "--color", "red"}).contains("auto, always or never"));
}

TEST_CASE("no two options of a program share a name or a letter, and every one has its help") {
  const auto check_table = [](const auto& table, const std::string& help) {
    std::set<std::string_view> names;
    std::set<char> letters;
    for (const auto& row : table) {
      CHECK(names.insert(row.name.name).second);
      if (row.name.letter != 0) CHECK(letters.insert(row.name.letter).second);
      CHECK_FALSE(row.name.help.empty());
      CHECK(help.contains("--" + std::string(row.name.name)));
    }
  };
  check_table(sub_table(), sub_help());
  check_table(pub_table(), pub_help());
}

TEST_CASE("help fits a terminal of 80 columns") {
  for (const std::string& help : {sub_help(), pub_help()}) {
    std::size_t start = 0;
    while (start < help.size()) {
      const std::size_t end = help.find('\n', start);
      CHECK_MESSAGE(end - start <= 80, help.substr(start, end - start));
      start = end + 1;
    }
  }
}

TEST_CASE("any option about TLS means TLS, and with it another port") {
  CHECK_FALSE(sub({"-t", "a"}).connection.tls.has_value());
  for (const auto& arguments : {std::initializer_list<std::string>{"-t", "a", "--cafile", "f"},
                                {"-t", "a", "--capath", "d"},
                                {"-t", "a", "--tls-use-os-certs"},
                                {"-t", "a", "--insecure"},
                                {"-t", "a", "--tls-version", "tlsv1.3"},
                                {"-t", "a", "--cert", "f", "--key", "f"},
                                {"-t", "a", "-p", "8883"}}) {
    const auto options = sub(arguments);
    CHECK(options.connection.tls.has_value());
    CHECK(options.connection.endpoint.port == 8883);
  }
  CHECK(sub({"-t", "a", "--cafile", "f", "-p", "1"}).connection.endpoint.port == 1);
  const auto options = sub({"-t", "a", "--no-tls", "--cafile", "f"});
  CHECK_FALSE(options.connection.tls.has_value());
  CHECK(options.connection.endpoint.port == 1883);
}

TEST_CASE("options about TLS that make no sense are refused with a way out") {
  CHECK(sub_error({"-t", "a", "--cert", "f"}).contains("--cert needs --key"));
  CHECK(sub_error({"-t", "a", "--key", "f"}).contains("--key needs --cert"));
  CHECK(sub_error({"-t", "a", "--keyform", "pem"}).contains("--keyform needs --key"));
  CHECK(sub_error({"-t", "a", "--keyform", "engine"}).contains("engines are not supported"));
  CHECK(sub_error({"-t", "a", "--tls-engine", "x"}).contains("engines are not supported"));
  CHECK(sub_error({"-t", "a", "--tls-version", "tlsv1.1"}).contains("must be tlsv1.2 or tlsv1.3"));
}

TEST_CASE("a shared key and its name go together, and not with certificates") {
  const auto options = sub({"-t", "a", "--psk", "00fF", "--psk-identity", "me"});
  REQUIRE(options.connection.tls.has_value());
  CHECK(options.connection.tls->psk == std::string("\0\xff", 2));
  CHECK(options.connection.endpoint.port == 8883);
  CHECK(sub_error({"-t", "a", "--psk", "00"}).contains("go together"));
  CHECK(sub_error({"-t", "a", "--psk-identity", "me"}).contains("go together"));
  CHECK(sub_error({"-t", "a", "--psk", "00", "--psk-identity", "me", "--cafile", "f"})
            .contains("in place of certificates"));
  for (const auto* digits : {"0", "0g", "+1", "-1", "0x"}) {
    CHECK(sub_error({"-t", "a", "--psk", digits}).contains("must be hexadecimal digits"));
  }
}

TEST_CASE("an option about WebSockets means that there is to be one") {
  CHECK_FALSE(sub({"-t", "a"}).connection.websocket.has_value());
  CHECK(sub({"-t", "a", "--ws"}).connection.websocket->path == "/mqtt");
  CHECK(sub({"-t", "a", "--ws"}).connection.endpoint.port == 1883);
  const auto websocket =
      sub({"-t", "a", "--ws-path", "/x?y=1", "--ws-header", "A: b, c ", "--ws-header", "Host:d"})
          .connection.websocket;
  REQUIRE(websocket.has_value());
  CHECK(websocket->path == "/x?y=1");
  using Headers = std::vector<std::pair<std::string, std::string>>;
  CHECK(websocket->headers == Headers{{"A", "b, c"}, {"Host", "d"}});
}

TEST_CASE("what would spoil the request for a WebSocket is refused") {
  for (const auto* path : {"", "mqtt", "/a b", "/a\r\nB: c"}) {
    CHECK(
        sub_error({"-t", "a", "--ws-path", path}).contains("must begin with / and have no spaces"));
  }
  for (const auto* line : {"", "a", ": b", "a b: c", "a\n: c"}) {
    CHECK(sub_error({"-t", "a", "--ws-header", line}).contains("must be 'NAME: VALUE'"));
  }
  CHECK(sub_error({"-t", "a", "--ws-header", "a: b\r\nc: d"}).contains("must be one line"));
  for (const auto* line : {"Sec-WebSocket-Key: a", "upgrade: a", "Content-Length: 1"}) {
    CHECK(sub_error({"-t", "a", "--ws-header", line}).contains("is a matter of the WebSocket"));
  }
}
