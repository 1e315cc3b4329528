#include "server/transition.hpp"

#include <doctest/doctest.h>

#include <string>

#include "server/config_file.hpp"

using namespace mq::server;

namespace {

Config config_of(const std::string& text) {
  const auto config = parse_config(text, "x.conf", {});
  INFO(std::string(config ? "" : config.error().message));
  REQUIRE(config.has_value());
  return *config;
}

using Indexes = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a configuration that has not changed changes nothing") {
  const Config config = config_of("listener 1\nlistener 2\npersistence true\n");
  const auto next = transition(config, {true, true}, config);
  CHECK((next.config == config));
  CHECK(next.opened.empty());
  CHECK(next.closed.empty());
  CHECK(next.postponed.empty());
}

TEST_CASE("listeners keep their index, whatever comes before them in the file") {
  const Config before = config_of("listener 1\nlistener 2\n");
  const auto next = transition(before, {true, true},
                               config_of("listener 3\nlistener 2\nmax_qos 1\nlistener 1\n"));
  REQUIRE(next.config.listeners.size() == 3);
  CHECK(next.config.listeners[0].port == 1);
  CHECK(next.config.listeners[1].port == 2);
  CHECK(next.config.broker.listeners[1].max_qos == mq::wire::QoS::at_least_once);
  CHECK(next.config.listeners[2].port == 3);
  CHECK(next.opened == Indexes{2});
  CHECK(next.closed.empty());
}

TEST_CASE("a listener that is gone stays as it was, and opens again at its index") {
  const Config before = config_of("listener 1\nmax_qos 1\nlistener 2\n");
  const auto gone = transition(before, {true, true}, config_of("listener 2\n"));
  CHECK(gone.closed == Indexes{0});
  CHECK(gone.is_open == std::vector<bool>{false, true});
  CHECK(gone.config.broker.listeners[0].max_qos == mq::wire::QoS::at_least_once);
  const auto back = transition(gone.config, gone.is_open, config_of("listener 2\nlistener 1\n"));
  CHECK(back.opened == Indexes{0});
  CHECK(back.config.listeners.size() == 2);
}

TEST_CASE("another address of the same port is another listener") {
  const Config before = config_of("listener 1 127.0.0.1\n");
  const auto next = transition(before, {true}, config_of("listener 1\n"));
  CHECK(next.closed == Indexes{0});
  CHECK(next.opened == Indexes{1});
}

TEST_CASE("a listener whose limits, mode or proxy change stays open") {
  const Config before = config_of("listener 1\nlistener 0 /s\n");
  const auto next = transition(
      before, {true, true},
      config_of("set_tcp_nodelay false\nlistener 1\nmax_connections 5\nenable_proxy_protocol 1\n"
                "listener 0 /s\nsocket_mode 0600\n"));
  CHECK(next.closed.empty());
  CHECK(next.opened.empty());
  CHECK(next.kept == Indexes{0, 1});
  CHECK(next.config.listeners[0].connections_max == 5);
  CHECK(next.config.listeners[1].socket_mode == 0600);
}

TEST_CASE("a listener of another interface is another") {
  const Config before = config_of("listener 1\nbind_interface a\n");
  const auto next = transition(before, {true}, config_of("listener 1\nbind_interface b\n"));
  CHECK(next.closed == Indexes{0});
  CHECK(next.opened == Indexes{1});
}

TEST_CASE("allow_anonymous is about a listener that is gone, too, unless it had its own word") {
  const Config before = config_of(
      "allow_anonymous true\nlistener 1\nlistener 2\nlistener_allow_anonymous true\nlistener 3\n");
  const auto next = transition(before, {true, true, true}, config_of("listener 3\n"));
  CHECK_FALSE(next.config.broker.listeners[0].allow_anonymous);
  CHECK(next.config.broker.listeners[1].allow_anonymous);
  CHECK_FALSE(next.config.broker.listeners[2].allow_anonymous);
}

TEST_CASE("the files of all bind who came through a listener that is gone; its own stay its own") {
  const auto files_of_the_gone = [](const std::string& before, const std::string& after) {
    const auto next = transition(config_of(before), {true}, config_of(after)).config;
    return next.listeners[0].password_file.path + " " + next.listeners[0].acl_file.path +
           (next.broker.listeners[0].has_passwords ? " passwords" : "");
  };
  const std::string before = "password_file p\nacl_file a\nlistener 1\n";
  CHECK(files_of_the_gone(before, "password_file q\nacl_file b\nlistener 2\n") == "q b passwords");
  CHECK(files_of_the_gone(before, "listener 2\n") == " ");
  const std::string each = "per_listener_settings true\nlistener 2\npassword_file q\nacl_file b\n";
  CHECK(files_of_the_gone(before, each) == "p a passwords");
}

TEST_CASE("a listener with another mount_point is another: who is there keeps the old one") {
  const Config before = config_of("listener 1\nmount_point a/\n");
  const auto next = transition(before, {true}, config_of("listener 1\nmount_point b/\n"));
  CHECK(next.closed == Indexes{0});
  CHECK(next.opened == Indexes{1});
  CHECK(next.config.broker.listeners[0].mount_point == "a/");
  CHECK(next.config.broker.listeners[1].mount_point == "b/");
}

TEST_CASE("options that count at the start only are named, and do not change") {
  const Config before = config_of("persistence true\nuser root\nmax_qos 1\n");
  const auto next = transition(
      before, {true}, config_of("persistence true\npersistence_file other.db\nmax_qos 0\n"));
  CHECK(next.postponed == std::vector<std::string>{"persistence_file", "user"});
  CHECK(next.config.data_file == before.data_file);
  CHECK(next.config.user == "root");
  CHECK(next.config.broker.listeners[0].max_qos == mq::wire::QoS::at_most_once);
}
