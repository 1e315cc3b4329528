#include "server/check.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "server/acl_file.hpp"
#include "server/check_listener.hpp"
#include "server/config_file.hpp"
#include "server/process.hpp"

using namespace mq;
using namespace mq::server;
using broker::Right;

namespace {

const std::string kHash =
    "$7$101$RLubJFE4iWoqfj2f$"
    "j3YrcnLfBykw5kjwJS+grkCT0CCjN6TQVFOLGq7Sg3bl7bYNLuFkf7/vl4ceKwhvylrzi/QctKi8EhOjFXHRfw==";

AccessFiles files_of(std::string_view users, std::string_view rules) {
  AccessFiles files;
  auto& entry = files.listeners.emplace_back();
  entry.passwords = std::make_shared<PasswordFile>(PasswordFile::parse(users, "users").value());
  entry.rules = std::make_shared<broker::AccessRules>(parse_acl_file(rules, "acl").value());
  return files;
}

}  // namespace

TEST_CASE("an answer names the rule and its line") {
  const auto config =
      parse_config("listener 1883\npassword_file users\nacl_file acl\n", "c", {}).value();
  const auto files = files_of("alice:" + kHash,
                              "user alice\ntopic house/#\ntopic deny house/door\n"
                              "pattern read id/%c\n");
  const auto asked = [&](const Question& question) {
    return answer(config, files, 0, question).words;
  };
  CHECK(asked({"alice", "", Right::write, "house/x"}) ==
        "port 1883: user alice may write house/x: acl:2 (readwrite house/#)");
  CHECK(asked({"alice", "one", Right::read, "house/door"}) ==
        "port 1883: user alice as client one may not read house/door: acl:3 (deny house/door)");
  CHECK(
      asked({"alice", "one", Right::read, "id/+"}).ends_with("may read id/+: acl:4 (read id/one)"));
  CHECK(asked({"alice", "", Right::read, "id/+"}).ends_with("no rule of acl allows it"));
  CHECK(asked({"alice", "", Right::write, "$SYS/x"})
            .ends_with("only the broker itself publishes "
                       "there"));
  CHECK(asked({"bob", "", Right::read, "x"}).contains("there is no user bob in users"));
  CHECK(asked({"", "", Right::read, "x"}).contains("allow_anonymous is false"));
}

TEST_CASE("behind a mount point the rules are about the whole topic, and the answer says which") {
  const auto config =
      parse_config("listener 1\nmount_point a/\npassword_file u\nacl_file acl\n", "c", {}).value();
  const auto files = files_of("alice:" + kHash, "user alice\ntopic a/house/#\npattern read b/#\n");
  const auto asked = [&](const Question& question) {
    return answer(config, files, 0, question).words;
  };
  CHECK(asked({"alice", "", Right::write, "house/x"}) ==
        "port 1: user alice may write house/x, which is a/house/x behind mount_point: acl:2 "
        "(readwrite a/house/#)");
  CHECK(asked({"alice", "", Right::read, "$share/g/house/+"})
            .ends_with("which is a/house/+ behind mount_point: acl:2 (readwrite a/house/#)"));
  CHECK(asked({"alice", "", Right::read, "b/x"}).ends_with("no rule of acl allows it"));
}

TEST_CASE("what a listener makes of the client id counts in a question") {
  const auto files = files_of("alice:" + kHash, "pattern write id/%c\n");
  const std::string text = "listener 1\npassword_file u\nacl_file acl\n";
  const auto named = parse_config(text + "use_username_as_clientid true\n", "c", {}).value();
  CHECK(answer(named, files, 0, {"alice", "x", Right::write, "id/alice"}).is_allowed);
  const auto prefixed = parse_config(text + "clientid_prefixes dev-\n", "c", {}).value();
  CHECK(answer(prefixed, files, 0, {"alice", "dev-1", Right::write, "id/dev-1"}).is_allowed);
  CHECK(answer(prefixed, files, 0, {"alice", "x", Right::write, "id/x"})
            .words.ends_with("its id does not begin with clientid_prefixes, dev-"));
}

TEST_CASE("who has no name does not come in where everybody needs one") {
  const std::string text = "allow_anonymous true\nlistener 1\n";
  const std::string proved = text + "certfile a\nkeyfile b\nrequire_certificate true\n";
  AccessFiles none;
  none.listeners.resize(1);
  const auto asked = [&none](const std::string& configuration, const std::string& user) {
    const auto config = parse_config(configuration, "c", {}).value();
    return answer(config, none, 0, {user, "", Right::read, "a"});
  };
  const Answer unnamed = asked(text + "use_username_as_clientid true\n", "");
  CHECK(!unnamed.is_allowed);
  CHECK(
      unnamed.words.ends_with("it has no user name to take for the client id "
                              "(use_username_as_clientid)"));
  CHECK(asked(text + "use_username_as_clientid true\n", "alice").is_allowed);
  const Answer unproved = asked(proved + "use_identity_as_username true\n", "");
  CHECK(!unproved.is_allowed);
  CHECK(unproved.words.ends_with("every client has a name here, which it proves"));
  CHECK(asked(proved + "use_identity_as_username true\n", "alice").is_allowed);
  CHECK(asked(proved, "").is_allowed);
}

TEST_CASE("a question may be about one listener, by its port or path") {
  const auto config = parse_config("listener 1\nlistener 0 /s\n", "c", {}).value();
  CHECK(listeners_named(config, "") == std::vector<std::size_t>{0, 1});
  CHECK(listeners_named(config, "/s") == std::vector<std::size_t>{1});
  CHECK(listeners_named(config, "2").error().message == "there is no listener 2; there is 1, /s");
}

TEST_CASE("a listener is told with who comes in, how, and what they may do") {
  const auto told = [](const std::string& text, const AccessFiles& files) {
    const auto config = parse_config(text, "c", {}).value();
    std::string all;
    for (const auto& line :
         lines_about(config.listeners[0], config.broker.listeners[0], files.listeners[0])) {
      all += line + "\n";
    }
    return all;
  };
  AccessFiles none;
  none.listeners.resize(1);
  const std::string everything = "  they may read and write everything: there is no acl_file\n";
  CHECK(told("listener 1\nallow_anonymous true\nprotocol websockets\nmount_point a/\n", none) ==
        "port 1: MQTT in WebSockets, not encrypted, all topics below a/\n"
        "  clients come in under any name that they give, or none, unasked\n" +
            everything);
  CHECK(told("listener 1\nallow_anonymous true\nuse_username_as_clientid true\n", none)
            .contains("  clients come in under any name that they give, unasked\n"));
  CHECK(told("listener 1\npassword_file u\nacl_file a\nallow_anonymous true\n"
             "use_username_as_clientid true\n",
             files_of("alice:" + kHash, "topic read open\n")) ==
        "port 1: MQTT, not encrypted\n"
        "  users in u come in with their passwords: 1\n"
        "  clients without a name do not come in\n"
        "  what they may do, as acl says:\n"
        "    all others: nothing\n");
  CHECK(told("listener 1\n", none) ==
        "port 1: MQTT, not encrypted\n"
        "  nobody comes in: allow_anonymous is false, and there is no password_file\n" +
            everything);
  CHECK(told("listener 1\ncertfile a\nkeyfile b\ncafile ca\nrequire_certificate true\n"
             "use_identity_as_username true\nallow_anonymous true\n",
             none) ==
        "port 1: MQTT, encrypted by TLS\n"
        "  clients need a certificate issued by ca\n"
        "  a client comes in under the common name of its certificate, without a "
        "password\n" +
            everything);
  CHECK(told("listener 1\ncertfile a\nkeyfile b\nrequire_certificate true\n", none)
            .contains("  clients need a certificate, and there is no cafile or capath to say whose "
                      "is good\n"));
  CHECK(told("password_file u\nacl_file acl\nlistener 1\npsk_hint h\npsk_file keys\n"
             "use_identity_as_username true\nallow_anonymous true\n",
             files_of("alice:" + kHash, "topic read open\nuser bob\ntopic b\n")) ==
        "port 1: MQTT, encrypted by TLS\n"
        "  clients need a key of keys\n"
        "  a client comes in under the identity of its key, without a password\n"
        "  what they may do, as acl says:\n"
        "    user bob: readwrite b\n"
        "    all others: nothing\n");
  CHECK(told("psk_file keys\nlistener 1\npsk_hint h\nallow_anonymous true\n", none) ==
        "port 1: MQTT, encrypted by TLS\n"
        "  clients need a key of keys\n"
        "  clients come in under any name that they give, or none, unasked\n" +
            everything);
  CHECK(told("listener 0 /s\npassword_file users\nacl_file acl\nallow_anonymous true\n",
             files_of("alice:" + kHash,
                      "topic read open\nuser bob\ntopic b\nuser alice\ntopic house/#\n"
                      "topic deny house/door\npattern write %u/#\n")) ==
        "/s: MQTT, not encrypted\n"
        "  users in users come in with their passwords: 1\n"
        "  clients without a name come in, too\n"
        "  what they may do, as acl says:\n"
        "    without a name: read open\n"
        "    user alice: readwrite house/#, deny house/door\n"
        "    user bob, who has no password here: readwrite b\n"
        "    everybody, besides: write %u/#\n");
}

TEST_CASE("every file that cannot be used is a mistake with the line that names it") {
  const auto config = parse_config(
      "per_listener_settings true\nlistener 1\npassword_file /nowhere/users\n", "c", {});
  const auto found = look_into(config.value());
  REQUIRE(found.mistakes.size() == 1);
  CHECK(found.mistakes[0] ==
        "c:3: password_file: cannot read /nowhere/users: No such file or directory");
}

TEST_CASE("a directory without a certificate that OpenSSL could find is a warning") {
  const std::string directory = std::string(MQ_SOURCE_DIR) + "/man";
  const auto config = parse_config(
      "listener 1\ncertfile a\nkeyfile b\ncapath " + directory + "\nrequire_certificate true\n",
      "c", {});
  const auto warnings = look_into(config.value()).warnings;
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0] == "c:4: capath: there is no certificate in " + directory +
                           " by a name that OpenSSL looks for, so no client's is good (openssl "
                           "rehash " +
                           directory + " makes the names)");
}

TEST_CASE("what could not be written is a mistake, too") {
  const auto config =
      parse_config("pid_file /nowhere/pid\nlog_dest file /nowhere/log\nlog_dest stderr\n", "c", {});
  const auto found = look_into(config.value());
  CHECK(found.mistakes ==
        std::vector<std::string>{
            "c:2: log_dest: cannot write /nowhere/log: No such file or directory",
            "c:1: pid_file: cannot write /nowhere/pid: No such file or directory"});
}

TEST_CASE("a directory is no file to write") {
  const std::string directory = std::string(MQ_SOURCE_DIR) + "/man";
  const auto config =
      parse_config("pid_file " + directory + "\nlog_dest file " + directory + "\n", "c", {});
  CHECK(look_into(config.value()).mistakes ==
        std::vector<std::string>{"c:2: log_dest: cannot write " + directory + ": Is a directory",
                                 "c:1: pid_file: cannot write " + directory + ": Is a directory"});
}

TEST_CASE("a directory for the state that cannot be made is a mistake") {
  const std::string file = std::string(MQ_SOURCE_DIR) + "/README.md";
  const auto config = parse_config(
      "persistence true\npersistence_location " + file + "/a/b/\nuser root\n", "c", {});
  CHECK(look_into(config.value()).mistakes ==
        std::vector<std::string>{"c:2: persistence_location: cannot make the data directory " +
                                 file + "/a/b: Not a directory"});
}

TEST_CASE("where a listener could not be is a mistake with its line, and the reason") {
  const std::string file = std::string(MQ_SOURCE_DIR) + "/README.md";
  const std::string text = "listener 0 /nowhere/at/all\nlistener 0 " + file +
                           "\nlistener 1883 192.0.2.1\nlistener 1884 127.0.0.1\nlistener 1885 ::1\n"
                           "socket_domain ipv6\n";
  const auto mistakes = look_into(parse_config(text, "c", {}).value()).mistakes;
  REQUIRE(mistakes.size() >= 3);
  CHECK(mistakes[0] ==
        "c:1: listener: cannot listen on Unix socket /nowhere/at/all: no such file or directory");
  CHECK(mistakes[1] == "c:2: listener: cannot listen on Unix socket " + file +
                           ": it is a file already, and no socket (move it away)");
  CHECK(mistakes[2] ==
        "c:3: listener: cannot listen on 192.0.2.1 port 1883: address not available (ip address "
        "lists those of this machine)");
}

TEST_CASE("an address without the interface that it belongs to is a mistake") {
  const auto mistakes =
      look_into(parse_config("listener 1883 fe80::1\n", "c", {}).value()).mistakes;
  REQUIRE(mistakes.size() == 1);
  CHECK(mistakes[0].starts_with("c:1: listener: cannot listen on fe80::1 port 1883: "));
}

TEST_CASE("a port that this process may not have is a mistake") {
  int first_free = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_unprivileged_port_start") >> first_free;
  if (geteuid() != 0 || first_free < 2) return;
  const auto config = parse_config("listener 1 127.0.0.1\n", "c", {}).value();
  CHECK(look_into(config).mistakes.empty());
  const auto nobody = AsUser::become(**user_after_root("nobody"));
  CHECK(look_into(config).mistakes ==
        std::vector<std::string>{
            "c:1: listener: cannot listen on 127.0.0.1 port 1: permission denied (ports below "
            "1024 are for root: choose a higher one)"});
}

TEST_CASE("two listeners on one address and port are a mistake, however it is written") {
  const auto mistakes_of = [](const std::string& text) {
    return look_into(parse_config(text, "c", {}).value()).mistakes;
  };
  const std::string words =
      "c:2: listener: cannot listen on 127.0.0.1 port 1883: that is where the one of c:1 listens "
      "(choose another port or address)";
  CHECK(mistakes_of("listener 1883 127.0.0.1\nlistener 1883 127.0.1\n") ==
        std::vector<std::string>{words});
  CHECK(mistakes_of("listener 1883 127.0.1\nlistener 1883 localhost\n") ==
        std::vector<std::string>{words});
  CHECK(mistakes_of("listener 1883 127.0.0.1\nlistener 1884 127.0.1\n").empty());
  CHECK(mistakes_of("listener 1883 127.0.0.1\nlistener 1883 127.0.0.2\n").empty());
  CHECK(mistakes_of("listener 1883 0.0.0.0\nlistener 1883 localhost\n").size() == 1);
}

TEST_CASE("names that this machine does not know are mistakes with their places") {
  const auto config = parse_config(
      "listener 1 no.such.host.invalid\nlistener 2 ::1\nbind_interface nowhere\n"
      "user no-such-user\n",
      "c", {});
  const auto missing = missing_here(config.value());
  CHECK(missing[0] ==
        "c:3: bind_interface: there is no network interface \"nowhere\" (ip link lists them)");
  if (geteuid() == 0) {
    CHECK(missing.at(1).starts_with("c:4: user: user \"no-such-user\" does not exist"));
  }
  const auto found = look_into(*config);
  CHECK(
      found.mistakes.back().starts_with("c:1: listener: cannot listen on no.such.host.invalid: "));
}

TEST_CASE("a file of TLS that cannot be used is a mistake with the option that names it") {
  const auto config = parse_config(
      "listener 1\ncertfile /nowhere/crt\nkeyfile /nowhere/key\n"
      "psk_file /nowhere/psk\nlistener 2\npsk_hint x\n",
      "c", {});
  CHECK(look_into(config.value()).mistakes ==
        std::vector<std::string>{
            "c:2: certfile: cannot read the certificate /nowhere/crt: No such file or directory",
            "c:4: psk_file: cannot read the psk_file /nowhere/psk: No such file or directory"});
}
