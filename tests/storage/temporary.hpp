#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/check.hpp"

namespace mq::support {

/// A directory that goes with its content.
class TemporaryTree {
 public:
  TemporaryTree() {
    path_ = (std::filesystem::temp_directory_path() / "mq.XXXXXX").string();
    MQ_CHECK(mkdtemp(path_.data()) != nullptr);
  }
  ~TemporaryTree() { std::filesystem::remove_all(path_); }
  TemporaryTree(const TemporaryTree&) = delete;
  TemporaryTree& operator=(const TemporaryTree&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace mq::support
