#include <algorithm>
#include <string>

#include "base/check.hpp"
#include "server/config_file.hpp"

// A configuration is read, or there is one line about what is wrong: of one that can be read, about
// the line that is then added, by its number. include_dir is left out: what
// it says would be this machine's files.

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  const auto text = mq::text_of({data, size});
  if (text.find("include_dir") != std::string_view::npos) return 0;
  const auto config = mq::server::parse_config(text, "x.conf", {});
  if (config) {
    const auto wrong = mq::server::parse_config(std::string(text) + "\nwrong 1\n", "x.conf", {});
    const auto line = std::count(text.begin(), text.end(), '\n') + 2;
    MQ_CHECK(!wrong);
    MQ_CHECK(wrong.error().message.starts_with("x.conf:" + std::to_string(line) + ": unknown"));
    return 0;
  }
  MQ_CHECK(!config.error().message.empty());
  MQ_CHECK(config.error().message.find('\n') == std::string::npos);
  return 0;
}
