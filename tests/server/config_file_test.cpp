#include "server/config_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "wire/version.hpp"

using namespace mq;
using server::Config;

namespace {

/// The configuration that a text stands for, which must be right.
Config config_of(std::string_view text, const std::vector<std::uint16_t>& ports = {}) {
  const auto config = server::parse_config(text, "x.conf", ports);
  INFO(std::string(config ? "" : config.error().message));
  REQUIRE(config.has_value());
  return *config;
}

/// What is said about a text that is not right; empty when it is.
std::string mistake_in(std::string_view text) {
  const auto config = server::parse_config(text, "x.conf", {});
  return config ? "" : config.error().message;
}

/// A directory with files in it, gone at the end.
class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mq.XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("without a listener the broker serves this machine on port 1883 and lets anyone in") {
  for (const Config& config : {config_of(""), server::local_config({})}) {
    CHECK(config.is_local_only);
    REQUIRE(config.listeners.size() == 1);
    CHECK(config.listeners[0].is_loopback);
    CHECK(config.listeners[0].port == 1883);
    REQUIRE(config.broker.listeners.size() == 1);
    CHECK(config.broker.listeners[0].allow_anonymous);
  }
}

TEST_CASE("the ports of the command line replace 1883 where the file has no listener") {
  const Config config = config_of("max_keepalive 7\n", {1900, 1901});
  REQUIRE(config.listeners.size() == 2);
  CHECK(config.listeners[1].port == 1901);
  CHECK(config.listeners[1].is_loopback);
  CHECK(config.broker.listeners.size() == 2);
  CHECK(config.broker.max_keepalive == 7);
}

TEST_CASE("the ports of the command line do not count where the file has a listener") {
  const Config config = config_of("listener 1884\n", {1900});
  REQUIRE(config.listeners.size() == 1);
  CHECK(config.listeners[0].port == 1884);
  CHECK_FALSE(config.is_local_only);
}

TEST_CASE("a listener is a port of all interfaces, of one address, or a Unix socket") {
  const Config config = config_of("listener 1884\nlistener 1885 ::1\nlistener 0 /tmp/x.sock\n");
  REQUIRE(config.listeners.size() == 3);
  CHECK(config.listeners[0].host.empty());
  CHECK_FALSE(config.listeners[0].is_loopback);
  CHECK(config.listeners[1].host == "::1");
  CHECK(config.listeners[2].unix_path == "/tmp/x.sock");
}

TEST_CASE("with a listener nobody comes in unless the file says so") {
  CHECK_FALSE(config_of("listener 1884\n").broker.listeners[0].allow_anonymous);
  CHECK(config_of("listener 1884\nallow_anonymous true\n").broker.listeners[0].allow_anonymous);
  CHECK_FALSE(config_of("allow_anonymous false\n").broker.listeners[0].allow_anonymous);
}

TEST_CASE("a listener's own word about anonymous clients beats the general one") {
  const Config config = config_of(
      "allow_anonymous true\nlistener 1884\nlistener_allow_anonymous false\nlistener 1885\n");
  CHECK_FALSE(config.broker.listeners[0].allow_anonymous);
  CHECK(config.broker.listeners[1].allow_anonymous);
}

TEST_CASE("a listener's own prefix beats the general one") {
  const Config config = config_of(
      "auto_id_prefix all-\nlistener 1884\nlistener_auto_id_prefix one-\nlistener 1885\n");
  CHECK(config.broker.listeners[0].auto_id_prefix == "one-");
  CHECK(config.broker.listeners[1].auto_id_prefix == "all-");
}

TEST_CASE("port and bind_address open the default listener") {
  const Config one = config_of("port 1890\nbind_address 127.0.0.1\n");
  REQUIRE(one.listeners.size() == 1);
  CHECK(one.listeners[0].port == 1890);
  CHECK(one.listeners[0].host == "127.0.0.1");
  CHECK_FALSE(one.listeners[0].is_loopback);
  CHECK(config_of("bind_address 127.0.0.1\n").listeners[0].port == 1883);
  CHECK(config_of("port 1890\nlistener 1891\n").listeners.size() == 2);
}

TEST_CASE("what stands before the first listener is about the default one") {
  const Config config = config_of("socket_domain ipv6\nlistener 1884\n");
  CHECK(config.listeners[0].family == net::Family::any);
  CHECK(config_of("socket_domain ipv6\n").listeners[0].family == net::Family::ipv6);
  CHECK(config_of("listener 1\nsocket_domain ipv4\n").listeners[0].family == net::Family::ipv4);
}

TEST_CASE("limits of the broker come as the file has them") {
  const auto broker = config_of(
                          "max_packet_size 4096\nmax_inflight_messages 0\nmax_queued_messages 5\n"
                          "max_queued_bytes 6\nmax_topic_alias 7\nmax_topic_alias_broker 8\n"
                          "max_qos 1\nretain_available false\nqueue_qos0_messages true\n"
                          "upgrade_outgoing_qos 1\nallow_zero_length_clientid 0\nsys_interval 0\n"
                          "max_unread_bytes 9\nglobal_max_unread_bytes 14\nconnect_timeout 10\n"
                          "queue_window_messages 11\nqueue_window_bytes 12\n"
                          "retained_memory_limit 13\n")
                          .broker;
  CHECK(broker.max_packet_size == 4096);
  CHECK(broker.max_inflight_messages == 0);
  CHECK(broker.max_queued_messages == 5);
  CHECK(broker.max_queued_bytes == 6);
  CHECK(broker.retained_memory_limit == 13);
  CHECK(broker.queue_window == storage::Window{11, 12});
  CHECK(broker.listeners[0].max_topic_alias == 7);
  CHECK(broker.listeners[0].max_topic_alias_broker == 8);
  CHECK(broker.listeners[0].max_qos == wire::QoS::at_least_once);
  CHECK_FALSE(broker.retain_available);
  CHECK(broker.queue_qos0_messages);
  CHECK(broker.upgrade_outgoing_qos);
  CHECK_FALSE(broker.allow_zero_length_clientid);
  CHECK(broker.sys_interval == Seconds(0));
  CHECK(broker.max_unread_bytes == 9);
  CHECK(broker.global_max_unread_bytes == 14);
  CHECK(broker.connect_timeout == Seconds(10));
}

TEST_CASE("a time is a number and a letter, and a month has 30 days") {
  const auto time = [](std::string_view value) {
    return config_of("persistent_client_expiration " + std::string(value))
        .broker.persistent_client_expiration;
  };
  CHECK(time("5s") == Seconds(5));
  CHECK(time("2h") == Seconds(7200));
  CHECK(time("3d") == Seconds(3 * 86'400));
  CHECK(time("1w") == Seconds(7 * 86'400));
  CHECK(time("1m") == Seconds(30 * 86'400));
  CHECK(time("1y") == Seconds(365 * 86'400));
  for (const std::string wrong : {"5", "d", "0d", "-1d", "5x", "1 d", "99999999999y"}) {
    CHECK(mistake_in("persistent_client_expiration " + wrong) ==
          "x.conf:1: persistent_client_expiration: \"" + wrong +
              "\" should be a number and one of s h d w m y, such as 14d");
  }
}

TEST_CASE("comments, blank lines, indentation and foreign line ends mean nothing") {
  const Config config = config_of("# max_keepalive 1\r\n\r\n   \n  max_keepalive\t 5 \r\n#x");
  CHECK(config.broker.max_keepalive == 5);
}

TEST_CASE("a comment may follow a number, a switch and words, but not a text") {
  CHECK(config_of("max_keepalive 5 # seconds\n").broker.max_keepalive == 5);
  CHECK_FALSE(config_of("retain_available false #\n").broker.retain_available);
  CHECK(config_of("listener 1884 # all of them\n").listeners[0].host.empty());
  CHECK(config_of("auto_id_prefix a # b\n").broker.listeners[0].auto_id_prefix == "a # b");
  for (const char* line : {"listener 1 ::1",
                           "port 1884",
                           "bind_address ::1",
                           "socket_domain ipv4",
                           "socket_mode 0660",
                           "max_connections 10",
                           "accept_protocol_versions 4, 5",
                           "protocol websockets",
                           "websockets_origin https://a.example",
                           "enable_proxy_protocol 1",
                           "tls_keyform pem",
                           "global_max_clients 5",
                           "queue_policy reject",
                           "retain_expiry_interval 5",
                           "persistent_client_expiration 2w",
                           "persistence_sync interval 5",
                           "log_dest stdout",
                           "log_type all",
                           "log_format json",
                           "user root",
                           "autosave_interval 5",
                           "enable_control_api false",
                           "connection c\naddress a\ntopic #\nstart_type lazy"}) {
    CAPTURE(std::string(line));
    CHECK((config_of(std::string(line) + " \t# a # comment") == config_of(line)));
  }
  CHECK(config_of("listener 1\npassword_file /a #b").listeners[0].password_file.path == "/a #b");
  CHECK(config_of("max_keepalive 5 # was ${MQ_NONE}\n").broker.max_keepalive == 5);
  CHECK(config_of("log_dest file /a #b").log.file == "/a #b");
  CHECK(mistake_in("max_connections # 10") ==
        "x.conf:1: max_connections: its value is missing (NUMBER | -1)");
  CHECK(mistake_in("protocol mqtt#x") ==
        "x.conf:1: protocol: \"mqtt#x\" should be mqtt or websockets");
}

TEST_CASE("numbers are written as in C") {
  CHECK(config_of("max_keepalive 0x10\n").broker.max_keepalive == 16);
  CHECK(config_of("max_keepalive 010\n").broker.max_keepalive == 8);
  CHECK(config_of("max_keepalive +10\n").broker.max_keepalive == 10);
  CHECK(config_of("max_keepalive 0\n").broker.max_keepalive == 0);
}

TEST_CASE("the last of several numbers or switches counts") {
  CHECK(config_of("max_keepalive 1\nmax_keepalive 2\n").broker.max_keepalive == 2);
}

TEST_CASE("a text may be given once, or once for each listener") {
  CHECK(mistake_in("pid_file /a\n\npid_file /b\n") ==
        "x.conf:3: pid_file: it was given before, at x.conf:1");
  CHECK(mistake_in("listener 1\nlistener_auto_id_prefix a\nlistener 2\n"
                   "listener_auto_id_prefix b\n")
            .empty());
  CHECK(mistake_in("listener 1\nlistener_auto_id_prefix a\nlistener_auto_id_prefix b\n") ==
        "x.conf:3: listener_auto_id_prefix: it was given before, at x.conf:2");
}

TEST_CASE("the second names that mosquitto knows are known") {
  CHECK(config_of("maximum_qos 1\n").broker.listeners[0].max_qos == wire::QoS::at_least_once);
  CHECK(mistake_in("retained_persistence false\n").empty());
}

TEST_CASE("the log goes where the file says, and only there") {
  CHECK(config_of("").log.to_stderr);
  const auto log = config_of("log_dest stdout\nlog_dest file /tmp/a b.log\n").log;
  CHECK(log.to_stdout);
  CHECK_FALSE(log.to_stderr);
  CHECK(log.file == "/tmp/a b.log");
  const auto none = config_of("log_dest stdout\nlog_dest none\n").log;
  CHECK_FALSE(none.to_stdout);
  CHECK_FALSE(none.to_stderr);
}

TEST_CASE("log types add up, and the first one replaces the usual ones") {
  using enum server::LogType;
  const auto types = [](std::string_view text) { return config_of(text).log.types; };
  CHECK(types("") == server::kUsualLogTypes);
  CHECK(types("log_type error\nlog_type debug\n") ==
        (static_cast<int>(error) | static_cast<int>(debug)));
  CHECK(types("log_type none\n") == server::kNoLogTypes);
  CHECK(types("log_type all\n") == server::kAllLogTypes);
}

TEST_CASE("what concerns the process is read") {
  const Config config = config_of(
      "log_timestamp false\nlog_timestamp_format %H:%M:%S\nconnection_messages false\n"
      "set_tcp_nodelay false\nuser root\npid_file /run/x.pid\n");
  CHECK_FALSE(config.log.has_timestamp);
  CHECK(config.log.timestamp_format == "%H:%M:%S");
  CHECK_FALSE(config.log.tells_connections);
  CHECK_FALSE(config.has_nodelay);
  CHECK(config.user == "root");
  CHECK(config.pid_file == "/run/x.pid");
}

TEST_CASE("every mistake names the file, the line, the option and what would be right") {
  const std::string long_path = "listener 0 /" + std::string(107, 'x');
  const std::pair<const char*, const char*> mistakes[] = {
      {"\n\nmax_queued_mesages 5",
       "3: unknown option \"max_queued_mesages\" (did you mean "
       "max_queued_messages?)"},
      {"bogus", "1: unknown option \"bogus\" (see mqbroker.conf(5))"},
      {"\x1b[2J 1", "1: unknown option \"\\x1b[2J\" (see mqbroker.conf(5))"},
      {"max_keepalive", "1: max_keepalive: its value is missing (0-65535)"},
      {"max_keepalive ten", "1: max_keepalive: \"ten\" should be a number from 0 to 65535"},
      {"max_keepalive 65536", "1: max_keepalive: \"65536\" should be a number from 0 to 65535"},
      {"max_keepalive -1", "1: max_keepalive: \"-1\" should be a number from 0 to 65535"},
      {"max_keepalive 5 6", "1: max_keepalive: \"6\" is too much: it takes one value (0-65535)"},
      {"max_queued_bytes x", "1: max_queued_bytes: \"x\" should be a number from 0 on"},
      {"max_packet_size 19", "1: max_packet_size: \"19\" should be a number from 20 to 268435460"},
      {"max_qos 3", "1: max_qos: \"3\" should be a number from 0 to 2"},
      {"retain_available yes", "1: retain_available: \"yes\" should be true or false"},
      {"listener", "1: listener: its value is missing (PORT [ADDRESS] | 0 PATH)"},
      {"listener mqtt", "1: listener: \"mqtt\" should be a port, 1-65535"},
      {"listener 65536", "1: listener: \"65536\" should be a port, 1-65535"},
      {long_path.c_str(),
       "1: listener: the path of a Unix socket has at most 107 bytes, this one 108"},
      {"listener 0", "1: listener: port 0 is for a Unix socket: its path is missing (0 PATH)"},
      {"listener 1 a b", "1: listener: \"b\" is too much (PORT [ADDRESS], or 0 PATH)"},
      {"port 0", "1: port: \"0\" should be a port, 1-65535"},
      {"socket_domain ipx", "1: socket_domain: \"ipx\" should be ipv4 or ipv6"},
      {"log_dest mail",
       "1: log_dest: \"mail\" should be none, stdout, stderr, syslog, topic or file FILE"},
      {"log_dest file", "1: log_dest: the name of the file is missing (file FILE)"},
      {"log_dest file a\nlog_dest file b",
       "2: log_dest: there is a file already, and there can be one only"},
      {"log_type loud",
       "1: log_type: \"loud\" should be one of none error warning notice information debug "
       "subscribe unsubscribe websockets internal all"},
      {"auto_id_prefix 123456789012345678901234567890123456789012345678901",
       "1: auto_id_prefix: it is longer than 50 bytes"},
      {"persistence_sync sometimes",
       "1: persistence_sync: \"sometimes\" should be always, off, or interval and a number of "
       "seconds"},
      {"persistence_sync interval 0",
       "1: persistence_sync: \"interval 0\" should be interval and the number of seconds, 1 to "
       "3600"},
      {"bind_interface sixteen-letters-",
       "1: bind_interface: \"sixteen-letters-\" should be a network "
       "interface, such as eth0"},
      {"max_connections many", "1: max_connections: \"many\" should be a number, or -1 for any"},
      {"socket_mode 0778", "1: socket_mode: \"0778\" should be an octal number, such as 0660"},
      {"socket_mode 1777", "1: socket_mode: \"1777\" should be an octal number, such as 0660"},
      {"socket_group nobodys-group", "1: socket_group: there is no group \"nobodys-group\""},
      {"enable_proxy_protocol 3",
       "1: enable_proxy_protocol: \"3\" should be the version of the protocol, 1 or 2"},
      {"listener 1\nproxy_protocol_v2_require_tls true\nenable_proxy_protocol 1",
       "2: proxy_protocol_v2_require_tls: it needs enable_proxy_protocol 2, for the same listener"},
      {"listener 1\nenable_proxy_protocol 2\ncertfile a\nkeyfile b",
       "2: enable_proxy_protocol 2: TLS ends at the proxy, so leave out certfile, keyfile and "
       "psk_hint"},
      {"listener 1\nenable_proxy_protocol 2\nuse_subject_as_username true",
       "2: enable_proxy_protocol 2: the proxy tells no subject, so leave out "
       "use_subject_as_username"},
      {"protocol http", "1: protocol: \"http\" should be mqtt or websockets"},
      {"protocol http_api", "1: protocol: http_api is not in this version of mqbroker"},
      {"websockets_origin *",
       "1: websockets_origin: \"*\" is none: leave the option out to let pages from everywhere in"},
      {"websockets_origin https://example.org/",
       "1: websockets_origin: \"https://example.org/\" should be https://example.org: leave off "
       "the slash"},
      {"websockets_origin example.org",
       "1: websockets_origin: \"example.org\" should be scheme, host and port of the pages, such "
       "as https://example.org"},
      {"mount_point a/#",
       "1: mount_point: \"a/#\" should be the beginning of a topic, without + and #, such as "
       "house/"},
      {"mount_point $SYS/",
       "1: mount_point: \"$SYS/\" should be the beginning of a topic, without + "
       "and #, such as house/"},
      {"accept_protocol_versions 4, 6",
       "1: accept_protocol_versions: \"4, 6\" should be some of "
       "3,4,5, which are MQTT 3.1, 3.1.1 and 5.0"},
      {"accept_protocol_versions 4 5",
       "1: accept_protocol_versions: \"4 5\" should be some of "
       "3,4,5, which are MQTT 3.1, 3.1.1 and 5.0"},
      {"listener 1\ncertfile a", "2: certfile: it needs keyfile beside it, for the same listener"},
      {"listener 1\nkeyfile a", "2: keyfile: it needs certfile beside it, for the same listener"},
      {"listener 1\ncafile a", "2: cafile: it needs certfile and keyfile, for the same listener"},
      {"listener 1\n\nuse_subject_as_username true",
       "3: use_subject_as_username: it needs certfile and keyfile, for the same listener"},
      {"listener 1 a\nlistener 2\nlistener 1 a",
       "3: listener: it is the one of x.conf:1 again: give it another port or address"},
      {"listener 1\nlistener 1 127.0.0.1",
       "2: listener: the one of x.conf:1 has that port of all addresses: give it another port or "
       "address"},
      {"listener 1 127.0.0.1\nlistener 1 0.0.0.0",
       "2: listener: the one of x.conf:2 has that port of all addresses: give it another port or "
       "address"},
      {"listener 2\nport 2\nsocket_domain ipv4",
       "1: listener: it is the one of x.conf:2 again: give it another port or address"},
      {"listener 1 ::1\nsocket_domain ipv4",
       "2: socket_domain: ::1, the address of the listener, is no ipv4 address"},
      {"listener 1 127.0.0.1\nsocket_domain ipv6",
       "2: socket_domain: 127.0.0.1, the address of the listener, is no ipv6 address"},
      {"ciphers none",
       "1: ciphers: no cipher of \"none\" is known (see openssl-ciphers(1)): no cipher match"},
      {"ciphers_tls1.3 none",
       "1: ciphers_tls1.3: not every cipher of \"none\" is known (see openssl-ciphers(1)): no "
       "cipher match"},
      {"password_file ${file:/run/name",
       "1: password_file: ${file:/run/name is not closed by } (write $${ for ${)"},
      {"listener 0 /s\nlistener 0 /s",
       "2: listener: it is the one of x.conf:1 again: give it another path"},
      {"listener 1\nper_listener_settings true",
       "2: per_listener_settings: it belongs before the first listener"},
      {"listener 1\ncertfile a\nkeyfile b\ncafile c\ncrlfile d",
       "5: crlfile: it needs require_certificate true"},
      {"listener 1\npsk_hint h", "2: psk_hint: it needs psk_file, which holds the keys"},
      {"psk_file f\nlistener 1\npsk_hint h\ncertfile a\nkeyfile b",
       "3: psk_hint: it is in place of certificates, so leave out certfile"},
      {"tls_version tlsv1.1", "1: tls_version: \"tlsv1.1\" should be tlsv1.2 or tlsv1.3"},
      {"tls_engine x",
       "1: tls_engine: OpenSSL's engines are not supported: give the key as a PEM file, with "
       "keyfile"},
      {"auto_id_prefix \xff", "1: the line is not UTF-8 text"},
      {"include_dir /nowhere/at/all",
       "1: include_dir: cannot read /nowhere/at/all: No such file or directory"},
  };
  for (const auto& [text, words] : mistakes) {
    CAPTURE(text);
    CHECK(mistake_in(text) == std::string("x.conf:") + words);
  }
}

TEST_CASE("listeners of one port with different addresses, families or interfaces are no mistake") {
  for (const char* text :
       {"listener 1 127.0.0.1\nlistener 1 ::1", "listener 1 127.0.0.1\nlistener 1 127.0.0.2",
        "listener 1\nsocket_domain ipv4\nlistener 1 ::1",
        "listener 1 ::\nsocket_domain ipv6\nlistener 1 0.0.0.0",
        "listener 1\nbind_interface a\nlistener 1\nbind_interface b",
        "listener 1 ::1\nsocket_domain ipv6", "listener 1 localhost\nsocket_domain ipv6"}) {
    CAPTURE(text);
    CHECK(mistake_in(text).empty());
  }
}

TEST_CASE("port and bind_address open the default listener wherever they stand") {
  const Config config = config_of("listener 1\nport 2\nbind_address ::1\nmax_qos 1\n");
  REQUIRE(config.listeners.size() == 2);
  CHECK(config.listeners[0].port == 2);
  CHECK(config.listeners[0].host == "::1");
  CHECK(config.listeners[1].port == 1);
  CHECK(config.listeners[1].host.empty());
  CHECK(config.broker.listeners[1].max_qos == wire::QoS::at_least_once);
}

TEST_CASE("without cafile nobody has a certificate that is good, and a warning says so") {
  const Config config =
      config_of("listener 1\ncertfile a\nkeyfile b\nuse_identity_as_username true");
  CHECK(config.warnings ==
        std::vector<std::string>{"x.conf:4: use_identity_as_username: nobody comes in by this "
                                 "listener: cafile or capath would say whose certificates are "
                                 "good"});
  CHECK(config_of("listener 1\ncertfile a\nkeyfile b\nrequire_certificate true").warnings.size() ==
        1);
}

TEST_CASE("a copy for each subscription is what there is, and allow_duplicate_messages says so") {
  CHECK(config_of("allow_duplicate_messages true").warnings.empty());
  CHECK(config_of("allow_duplicate_messages false").warnings ==
        std::vector<std::string>{"x.conf:1: allow_duplicate_messages: it has no effect: mqbroker "
                                 "always delivers a copy for each subscription, as mosquitto 2.1 "
                                 "does by default"});
}

TEST_CASE("an option that does nothing where it stands is a warning with its place") {
  const auto warnings_in = [](const std::string& text) {
    const auto config = server::parse_config(text, "x.conf", {});
    REQUIRE(config.has_value());
    return config->warnings.empty() ? std::string() : config->warnings.front();
  };
  CHECK(warnings_in("listener 1\nwebsockets_origin http://a") ==
        "x.conf:2: websockets_origin: it has no effect: the listener speaks no WebSockets "
        "(protocol websockets)");
  CHECK(
      warnings_in("listener 1\nsocket_mode 0600") ==
      "x.conf:2: socket_mode: it has no effect: the listener is no Unix socket (listener 0 PATH)");
  CHECK(warnings_in("listener 0 /s\nsocket_domain ipv4") ==
        "x.conf:2: socket_domain: it has no effect: the listener is a Unix socket");
  CHECK(warnings_in("psk_file f\nlistener 1") ==
        "x.conf:1: psk_file: it has no effect: no listener has psk_hint");
  CHECK(warnings_in("psk_file f\nlistener 1\npsk_hint h\nlistener 0 /s\nsocket_mode 0600") == "");
}

TEST_CASE("a file is read from the disk, and its name stands in the error line as it was given") {
  const Directory directory;
  const auto path = directory.write("a.conf", "listener 1884\nmax_keepalive 5");
  const auto config = server::read_config_file(path, {});
  REQUIRE(config.has_value());
  CHECK(config->broker.max_keepalive == 5);

  directory.write("a.conf", "nonsense x\n");
  const auto wrong = server::read_config_file(path, {});
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().message.starts_with(path + ":1: unknown option \"nonsense\""));
}

TEST_CASE("a byte order mark at the beginning of a file is passed over") {
  const Directory directory;
  const std::string file = directory.write("mark.conf", "\xef\xbb\xbflistener 7\n");
  CHECK(server::read_config_file(file, {}).value().listeners[0].port == 7);
}

TEST_CASE("a file that cannot be read is named, with the reason") {
  const Directory directory;
  const auto missing = server::read_config_file(directory.path("missing.conf"), {});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().message ==
        "cannot read " + directory.path("missing.conf") + ": No such file or directory");
  const auto folder = server::read_config_file(directory.path(""), {});
  REQUIRE_FALSE(folder.has_value());
  CHECK(folder.error().message == "cannot read " + directory.path("") + ": it is a directory");
}

TEST_CASE("include_dir reads the .conf files in the order of their names, whatever their case") {
  const Directory directory;
  directory.write("more/b.conf", "max_keepalive 2\nmax_queued_messages 2\n");
  directory.write("more/A.conf", "max_keepalive 1\nmax_inflight_messages 1\n");
  directory.write("more/c.text", "nonsense\n");
  const Config config = config_of("include_dir " + directory.path("more") + "\n");
  CHECK(config.broker.max_keepalive == 2);
  CHECK(config.broker.max_queued_messages == 2);
  CHECK(config.broker.max_inflight_messages == 1);

  directory.write("more/B.conf", "max_keepalive 3\n");
  CHECK(config_of("include_dir " + directory.path("more")).broker.max_keepalive == 2);
}

TEST_CASE(
    "an included file starts with the default listener, and the main file goes on with its own") {
  const Directory directory;
  directory.write("more/a.conf", "socket_domain ipv6\nlistener 1885\nsocket_domain ipv4\n");
  const Config config = config_of("listener 1884\ninclude_dir " + directory.path("more") +
                                  "\nlistener_auto_id_prefix main-\n");
  REQUIRE(config.listeners.size() == 2);
  CHECK(config.listeners[0].family == net::Family::any);
  CHECK(config.listeners[1].family == net::Family::ipv4);
  CHECK(config.broker.listeners[0].auto_id_prefix == "main-");
  CHECK(config.broker.listeners[1].auto_id_prefix == "auto-");
}

TEST_CASE("a mistake in an included file names that file, and it cannot include others") {
  const Directory directory;
  const auto path = directory.write("more/a.conf", "# fine\nmax_qos 9\n");
  CHECK(mistake_in("include_dir " + directory.path("more")) ==
        path + ":2: max_qos: \"9\" should be a number from 0 to 2");
  directory.write("more/a.conf", "include_dir /tmp\n");
  CHECK(mistake_in("include_dir " + directory.path("more")) ==
        path + ":1: include_dir: an included file cannot include others");
}

TEST_CASE("TLS belongs to the listener above it") {
  const auto config = server::parse_config(
      "listener 1\nlistener 2\ncertfile c\nkeyfile k\ncafile a\nrequire_certificate true\n"
      "tls_version tlsv1.3\nuse_identity_as_username true\ndisable_client_cert_date_checks true\n"
      "listener 3\n",
      "x.conf", {});
  REQUIRE(config.has_value());
  CHECK(config->listeners[0].tls == crypto::TlsServerOptions());
  CHECK(config->listeners[2].tls == crypto::TlsServerOptions());
  const auto& tls = config->listeners[1].tls;
  CHECK(tls.certificate == "c");
  CHECK(tls.key == "k");
  CHECK(tls.ca_file == "a");
  CHECK(tls.requires_certificate);
  CHECK_FALSE(tls.checks_dates);
  CHECK(tls.version == crypto::TlsVersion::v1_3);
  CHECK(tls.user_name == crypto::UserName::common_name);
}

TEST_CASE("persistence puts location and file together as mosquitto does, and is off by default") {
  CHECK(config_of("").data_file.empty());
  CHECK(!config_of("").broker.persistence);
  const auto here = config_of("persistence true\n");
  CHECK(here.data_file == "mqbroker.db");
  CHECK(here.broker.persistence);
  CHECK(here.sync.kind == storage::SyncPolicy::Kind::always);
  const auto there = config_of(
      "retained_persistence true\npersistence_location /var/lib/x/\npersistence_file y.db\n"
      "persistence_sync interval 5\nautosave_interval 1800\n");
  CHECK(there.data_file == "/var/lib/x/y.db");
  CHECK(there.sync == storage::SyncPolicy{storage::SyncPolicy::Kind::interval, Seconds(5)});
  CHECK(config_of("persistence true\npersistence_location /usr\n").data_file == "/usr/mqbroker.db");
  CHECK(config_of("persistence true\npersistence_location /usr/\n").data_file ==
        "/usr/mqbroker.db");
  CHECK(config_of("persistence true\npersistence_location /usr/x-\n").data_file ==
        "/usr/x-mqbroker.db");
  CHECK(config_of("persistence_sync off\n").sync.kind == storage::SyncPolicy::Kind::off);
  CHECK(config_of("persistence false\npersistence_file y.db\n").data_file.empty());
}

TEST_CASE("password_file is for all listeners, wherever it stands, and is known with its place") {
  const auto config = config_of("listener 1\nlistener 2\npassword_file /u\n");
  for (const auto& listener : config.listeners) {
    CHECK(listener.password_file == server::NamedFile{"/u", "x.conf:3: password_file"});
  }
  CHECK(config.broker.listeners[0].has_passwords);
  CHECK_FALSE(config.broker.listeners[0].allow_anonymous);
  CHECK_FALSE(config_of("listener 1\n").broker.listeners[0].has_passwords);
}

TEST_CASE("per_listener_settings makes them the listener's above them") {
  const auto config = config_of(
      "per_listener_settings true\nlistener 1\npassword_file /u\nlistener 2\n"
      "allow_anonymous true\npassword_file /v\nlistener 3\n");
  CHECK(config.listeners[0].password_file.path == "/u");
  CHECK(config.listeners[1].password_file.path == "/v");
  CHECK(config.listeners[2].password_file.path.empty());
  CHECK_FALSE(config.broker.listeners[0].allow_anonymous);
  CHECK(config.broker.listeners[1].allow_anonymous);
  CHECK_FALSE(config.broker.listeners[2].allow_anonymous);
  CHECK(mistake_in("password_file /u\nlistener 1\npassword_file /v\n") ==
        "x.conf:3: password_file: it was given before, at x.conf:1");
}

TEST_CASE("a listener for WebSockets has its origins, and all have the same limit for the header") {
  const auto config = mq::server::parse_config(
      "websockets_headers_size 8192\nlistener 1\nprotocol websockets\n"
      "websockets_origin https://A.example\nwebsockets_origin http://b:8080\nlistener 2\n",
      "x.conf", {});
  REQUIRE(config.has_value());
  const mq::server::Listener& first = config->listeners[0];
  CHECK(first.is_websocket);
  CHECK(first.web.origins == std::vector<std::string>{"https://a.example:443", "http://b:8080"});
  CHECK(first.web.header_size_max == 8192);
  CHECK_FALSE(config->listeners[1].is_websocket);
  CHECK(config->listeners[1].web.origins.empty());
}

TEST_CASE("behind a proxy of version 2, what is said about certificates is about the proxy's") {
  const auto config = mq::server::parse_config(
      "listener 1\nenable_proxy_protocol 2\nrequire_certificate true\n"
      "use_identity_as_username true\nproxy_protocol_v2_require_tls true\n"
      "listener 2\nenable_proxy_protocol 1\n",
      "x.conf", {});
  REQUIRE(config.has_value());
  const mq::net::ProxyOptions everything{
      .version = 2, .requires_tls = true, .requires_certificate = true, .names_user = true};
  CHECK(config->listeners[0].proxy == everything);
  CHECK(config->listeners[1].proxy == mq::net::ProxyOptions{.version = 1});
}

TEST_CASE("a bridge is read, checked, and left out with a word") {
  const Config config = config_of(
      "connection home\naddress broker.example:8883 [::1]:1883 fe80::1\n"
      "topic # both 2 \"\" \"far away/\"\ntopic sensors/+/state in\ntopic \"a b\" out 1\n"
      "topic \"\" out 0 here there # a comment\nusername me\npassword p#1\n"
      "bridge_cafile ca.crt\nstart_type lazy\nrestart_timeout 5 30\ncleansession 1\n"
      "connection second\naddress a\ntopic #\n");
  REQUIRE(config.warnings.size() == 2);
  CHECK(config.warnings[0] ==
        "x.conf:1: connection home: bridges are not in this version of mqbroker; it is left out");
  CHECK(config.warnings[1].starts_with("x.conf:13: connection second"));
  CHECK(config.is_local_only);
}

TEST_CASE("a mistake in a bridge names the line, the option and what would be right") {
  CHECK(mistake_in("address a\n") ==
        "x.conf:1: address: it belongs below the connection that it is about");
  const auto in_bridge = [](const std::string& lines) {
    return mistake_in("connection b\naddress a\ntopic #\n" + lines);
  };
  CHECK(in_bridge("topic a/# sideways\n") ==
        "x.conf:4: topic: \"sideways\" should be in, out or both");
  CHECK(in_bridge("topic a/# in 3\n") == "x.conf:4: topic: \"3\" should be 0, 1 or 2");
  CHECK(in_bridge("topic a/#/b\n") == "x.conf:4: topic: \"a/#/b\" should be a topic filter");
  CHECK(in_bridge("topic a in 0 x/# y\n") ==
        "x.conf:4: topic: \"x/#\" should be a prefix without wildcards, or \"\"");
  CHECK(in_bridge("topic \"\" in 0 x\n") ==
        "x.conf:4: topic: an empty pattern needs both prefixes");
  CHECK(in_bridge("keepalive_interval 4\n") ==
        "x.conf:4: keepalive_interval: \"4\" should be a number from 5 to 65535");
  CHECK(in_bridge("start_type sometimes\n") ==
        "x.conf:4: start_type: \"sometimes\" should be automatic, lazy or once");
  CHECK(in_bridge("address b\n") == "x.conf:4: address: it was given before, at x.conf:2");
  CHECK(in_bridge("connection b\n") == "x.conf:4: connection: there is a connection \"b\" already");
  CHECK(in_bridge("bridge_certfile c\n") ==
        "x.conf:1: connection b: bridge_certfile and bridge_keyfile need each other");
  CHECK(in_bridge("bridge_identity me\n") ==
        "x.conf:1: connection b: bridge_identity and bridge_psk need each other");
  CHECK(in_bridge("remote_password p\n") ==
        "x.conf:1: connection b: remote_password needs remote_username beside it");
  CHECK(mistake_in("connection b\naddress a:0\n") ==
        "x.conf:2: address: \"a:0\" should be HOST or HOST:PORT");
  CHECK(mistake_in("connection b\naddress a\n") ==
        "x.conf:1: connection b: topic is missing: nothing would be passed on");
  CHECK(mistake_in("connection b\ntopic #\n") ==
        "x.conf:1: connection b: address is missing: it names the other broker");
}

TEST_CASE("mosquitto's own plugins are options of ours") {
  const Config config = config_of(
      "global_plugin /usr/lib/mosquitto_password_file.so\nplugin_opt_password_file p.txt\n"
      "plugin /usr/lib/mosquitto_acl_file.so\nplugin_opt_acl_file a.txt\n"
      "plugin_load store /usr/lib/mosquitto_persist_sqlite.so\n"
      "plugin_opt_db_file /var/lib/mosquitto/mosquitto.sqlite3\nplugin_opt_sync full\n");
  CHECK(config.listeners[0].password_file.path == "p.txt");
  CHECK(config.listeners[0].acl_file.path == "a.txt");
  CHECK(config.listeners[0].acl_file.place == "x.conf:4: plugin_opt_acl_file");
  CHECK(config.data_file == "/var/lib/mosquitto/mqbroker.db");
  CHECK(config.warnings ==
        std::vector<std::string>{"x.conf:7: plugin_opt_sync: it has no effect: mqbroker has a file "
                                 "of its own (see persistence_sync)"});
}

TEST_CASE("with per_listener_settings a plugin is for the listener above it") {
  const Config config = config_of(
      "per_listener_settings true\nlistener 1\nplugin x/acl-file.so\nplugin_opt_acl_file a\n"
      "listener 2\nauth_plugin password-file.so\nauth_opt_password_file p\n");
  CHECK(config.listeners[0].acl_file.path == "a");
  CHECK(config.listeners[0].password_file.path.empty());
  CHECK(config.listeners[1].acl_file.path.empty());
  CHECK(config.listeners[1].password_file.path == "p");
}

TEST_CASE("another plugin is a mistake that says what there is instead") {
  const auto words = mistake_in("plugin /usr/lib/mosquitto_dynamic_security.so\n");
  CHECK(words.starts_with("x.conf:1: plugin: \"/usr/lib/mosquitto_dynamic_security.so\""));
  CHECK(words.find("loads no plugins") != std::string::npos);
  CHECK(words.ends_with("(users and rules: password_file, acl_file)"));
  CHECK(mistake_in("plugin_opt_x 1\n") ==
        "x.conf:1: plugin_opt_x: it belongs behind the plugin that it is about");
  CHECK(mistake_in("plugin acl_file.so\nplugin_opt_x 1\n") ==
        "x.conf:2: plugin_opt_x: mosquitto's plugin has no option \"x\"");
  CHECK(mistake_in("plugin_use x\n") ==
        "x.conf:1: plugin_use: no plugin \"x\" was named by plugin_load");
}

TEST_CASE("values may come from the environment and from files") {
  setenv("MQ_TEST_PORT", "1899", 1);
  CHECK(config_of("listener ${MQ_TEST_PORT}\n").listeners[0].port == 1899);
  CHECK(mistake_in("listener 1\nkeyfile ${MQ_TEST_MISSING}\n") ==
        "x.conf:2: keyfile: the environment has no variable MQ_TEST_MISSING (write $${ for ${)");
}

TEST_CASE("a listener may keep to some versions of MQTT") {
  const auto versions_of = [](const std::string& value) {
    const auto config =
        mq::server::parse_config("listener 1\naccept_protocol_versions " + value, "x.conf", {});
    REQUIRE(config.has_value());
    return config->broker.listeners[0].versions;
  };
  using enum mq::wire::Version;
  using Versions = std::vector<mq::wire::Version>;
  CHECK(versions_of("5") == Versions{v5});
  CHECK(versions_of("4, 3,4") == Versions{v311, v31});
  CHECK(versions_of("5,3,4").empty());
}
