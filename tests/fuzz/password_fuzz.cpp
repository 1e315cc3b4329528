#include "base/check.hpp"
#include "server/password_file.hpp"

// A password file is read, or there is one line about what is wrong; a user who is put into one
// that can be read is there, and who is dropped is not.

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  using namespace mq;
  using namespace server::password_text;
  const auto text = text_of({data, size});
  const auto file = server::PasswordFile::parse(text, "users");
  if (!file) {
    MQ_CHECK(!file.error().message.empty());
    MQ_CHECK(file.error().message.find('\n') == std::string::npos);
    return 0;
  }
  constexpr std::string_view kHash =
      "$7$101$RLubJFE4iWoqfj2f$"
      "j3YrcnLfBykw5kjwJS+grkCT0CCjN6TQVFOLGq7Sg3bl7bYNLuFkf7/vl4ceKwhvylrzi/QctKi8EhOjFXHRfw==";
  const auto with = server::PasswordFile::parse(put(text, "fuzz", kHash).text, "users");
  MQ_CHECK(with.has_value() && with->find("fuzz").is_known);
  const auto without = server::PasswordFile::parse(drop(text, "fuzz").text, "users");
  MQ_CHECK(without.has_value() && !without->find("fuzz").is_known);
  return 0;
}
