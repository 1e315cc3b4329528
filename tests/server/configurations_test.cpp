#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "server/config_file.hpp"

using namespace mq;

// Configurations as one meets them: what packages, images and how-tos write.

namespace {

struct Expected {
  std::size_t listeners;
  std::size_t warnings;  ///< what is left out, or does nothing
};

const std::map<std::string, Expected> kExpected{
    {"before_version_2", {1, 1}},    {"bridge_between_houses", {1, 2}},
    {"bridge_to_a_cloud", {1, 1}},   {"busy_factory", {1, 0}},
    {"client_certificates", {1, 0}}, {"cloud_tenants", {1, 0}},
    {"debian_default", {1, 0}},      {"docker_image", {1, 0}},
    {"docker_secrets", {1, 2}},      {"home_assistant", {3, 0}},
    {"lets_encrypt", {2, 1}},        {"old_words", {1, 3}},
    {"open_to_the_network", {1, 0}}, {"plugins_of_2_1", {1, 2}},
    {"shared_keys", {1, 0}},         {"small_board", {1, 0}},
    {"subject_as_name", {1, 0}},     {"tasmota_fleet", {2, 0}},
    {"unix_socket", {1, 0}},         {"websockets_for_browsers", {3, 0}},
    {"zigbee2mqtt", {1, 0}},
};

}  // namespace

TEST_CASE("configurations as people have them are understood") {
  setenv("MQTT_PORT", "1883", 1);
  setenv("MQTT_SECRETS", "/run/secrets", 1);
  setenv("BRIDGE_PASSWORD", "secret", 1);
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(MQ_SOURCE_DIR "/tests/server/configurations")) {
    const std::string name = entry.path().stem().string();
    CAPTURE(name);
    const auto config = server::read_config_file(entry.path().string(), {});
    INFO(std::string(config ? "" : config.error().message));
    REQUIRE(config.has_value());
    REQUIRE(kExpected.contains(name));
    CHECK(config->listeners.size() == kExpected.at(name).listeners);
    CHECK(config->warnings.size() == kExpected.at(name).warnings);
    ++count;
  }
  CHECK(count == kExpected.size());
}
