#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "server/config_options.hpp"
#include "support/packet_table.hpp"
#include "wire/framer.hpp"

// Writes what the fuzzers start from, out of the tables of packets and of options: one file for
// each input, in a folder for each fuzzer.

namespace {

namespace fs = std::filesystem;
using mq::Byte;
using Bytes = std::vector<Byte>;

class Folder {
 public:
  explicit Folder(fs::path path) : path_(std::move(path)) { fs::create_directories(path_); }

  void write(const Bytes& input) {
    std::ofstream file(path_ / std::to_string(count_++), std::ios::binary);
    file.write(reinterpret_cast<const char*>(input.data()),
               static_cast<std::streamsize>(input.size()));
  }

 private:
  fs::path path_;
  unsigned count_ = 0;
};

std::vector<Bytes> table_frames() {
  std::vector<Bytes> frames;
  for (const auto& row : mq::support::good_packets()) frames.push_back(row.bytes);
  for (const auto& row : mq::support::bad_packets()) frames.push_back(row.bytes);
  return frames;
}

/// Each frame as it is, and as first byte and body without the length between them.
void write_decode_seeds(Folder folder) {
  for (const Bytes& frame : table_frames()) {
    folder.write(frame);
    std::size_t header = 1;
    while (header < frame.size() && frame[header] > 127) ++header;
    if (header >= frame.size()) continue;
    Bytes stripped = {frame[0]};
    stripped.insert(stripped.end(), frame.begin() + static_cast<std::ptrdiff_t>(header) + 1,
                    frame.end());
    folder.write(stripped);
  }
}

/// Runs of eight frames, behind the two bytes that say how to cut them.
void write_framer_seeds(Folder folder) {
  Bytes stream;
  Byte seed = 0;
  for (const Bytes& frame : table_frames()) {
    if (stream.empty()) stream = {seed, 20};
    stream.insert(stream.end(), frame.begin(), frame.end());
    if (++seed % 8 != 0) continue;
    folder.write(stream);
    stream.clear();
  }
  folder.write({1, 0x80 | 20, 0x30, 0xFF, 0xFF, 0x01, 0, 1, 't'});
}

/// A script in which a client of each version connects and sends one frame of the table.
void write_broker_seeds(Folder folder) {
  for (const Bytes& frame : table_frames()) {
    if (frame.size() > 255) continue;
    for (const Byte version : Bytes{0, 1, 2}) {
      Bytes script(6);  // the configuration
      const Bytes acts = {0, 0, version, 0, 0, 0, 15, 0, static_cast<Byte>(frame.size())};
      script.insert(script.end(), acts.begin(), acts.end());
      script.insert(script.end(), frame.begin(), frame.end());
      folder.write(script);
    }
  }
}

/// A script in which the server accepts the client and sends one frame of the table.
void write_client_seeds(Folder folder) {
  for (const Bytes& frame : table_frames()) {
    if (frame.size() > 255) continue;
    for (const Byte version : Bytes{0, 2}) {
      Bytes script = {version, 0, 0, 0, 0};  // the settings
      const Bytes acts = {31, 26, 0, 0, 0, 0, 16, 0, 0, static_cast<Byte>(frame.size())};
      script.insert(script.end(), acts.begin(), acts.end());
      script.insert(script.end(), frame.begin(), frame.end());
      folder.write(script);
    }
  }
}

/// The default, or the first of what the option takes; a number is a file, a name and a port, too.
std::string value_of(const mq::server::ConfigOption& option) {
  if (!option.default_value.empty()) return std::string(option.default_value);
  const std::string form = mq::server::form_of(option);
  return form[0] >= 'A' && form[0] <= 'Z' ? "1" : form.substr(0, form.find_first_of(" -"));
}

/// Each option, below what it is about.
void write_config_seeds(Folder folder) {
  using enum mq::server::Scope;
  for (const auto& option : mq::server::config_options()) {
    std::string text;
    if (option.scope == listener) text = "listener 1883\n";
    if (option.scope == bridge) text = "connection 1\naddress 1\ntopic #\n";
    text.append(option.name).append(" ").append(value_of(option)).append("\n");
    folder.write(Bytes(text.begin(), text.end()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: write_seeds FOLDER\n", stderr);
    return 1;
  }
  const fs::path folder = argv[1];
  write_decode_seeds(Folder(folder / "decode"));
  write_framer_seeds(Folder(folder / "framer"));
  write_broker_seeds(Folder(folder / "broker"));
  write_client_seeds(Folder(folder / "client"));
  write_config_seeds(Folder(folder / "config"));
}
