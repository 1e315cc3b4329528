#include "cli/output_format.hpp"

#include <algorithm>

#include "base/printable.hpp"

namespace mq::cli {

namespace {

constexpr std::string_view kCodes = "%ACDEFIJPRSUXdfjlmpqrtx";
constexpr std::string_view kTimes = "%aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ";
constexpr std::string_view kSeparators = "!\"#$&'()*+,-./:;<=>?@[\\]^_{|}~`";
constexpr std::string_view kEscapes = "\\0aenrtv";
constexpr std::string_view kMeant("\\\0\a\x1b\n\r\t\v", 8);
constexpr std::size_t kWidthMax = 10'000;

struct Fault {
  std::size_t at;
  std::string words;
  std::string allowed;
};

std::string spaced(std::string_view codes, std::string_view prefix) {
  std::string out;
  for (const char code : codes) {
    if (!out.empty()) out += ' ';
    out.append(prefix).push_back(code);
  }
  return out;
}

/// Columns that text takes, as printable() shows it.
std::size_t columns(std::string_view text) {
  const std::string shown = printable(text, text.size());
  return static_cast<std::size_t>(
      std::ranges::count_if(shown, [](char c) { return (c & '\xC0') != '\x80'; }));
}

class Reader {
 public:
  explicit Reader(std::string_view format) : format_(format) {}

  std::optional<Fault> read() {
    while (at_ < format_.size()) {
      start_ = at_;
      const char c = format_[at_++];
      std::optional<Fault> fault;
      if (c == '%') {
        fault = read_field();
      } else if (c == '@') {
        fault = read_time();
      } else if (c == '\\') {
        fault = read_escape();
      } else {
        add(c);
      }
      if (fault) return fault;
    }
    if (pieces_.empty()) pieces_.push_back({.precision = {}});
    return std::nullopt;
  }
  OutputFormat take() { return std::move(pieces_); }

 private:
  char next() const { return at_ < format_.size() ? format_[at_] : '\0'; }
  bool has(std::string_view characters) const {
    return at_ < format_.size() && characters.contains(next());
  }

  std::optional<Fault> read_field() {
    FormatPiece piece;
    for (; has("-0"); ++at_) (next() == '-' ? piece.is_left : piece.is_zero_padded) = true;
    if (auto fault = read_number(piece.width)) return fault;
    if (has(".")) {
      ++at_;
      if (auto fault = read_number(piece.precision.emplace(0))) return fault;
    }
    if (has(kSeparators)) {
      piece.separator = format_[at_++];
      if (!has("xX")) return fault_here(" has a separator, which is for hex digits only", "x X");
    }
    if (!has(kCodes)) return fault_here(" is no code", spaced(kCodes, "%"));
    piece.code = format_[at_++];
    if (piece.code == '%') {
      add('%');
    } else {
      pieces_.push_back(std::move(piece));
    }
    return std::nullopt;
  }

  std::optional<Fault> read_number(std::size_t& number) {
    for (; has("0123456789"); ++at_) {
      number = number * 10 + static_cast<std::size_t>(next() - '0');
      if (number > kWidthMax) return Fault{at_, "too wide", "a width up to 10000"};
    }
    return std::nullopt;
  }

  std::optional<Fault> read_time() {
    if (has("@")) {
      ++at_;
      add('@');
    } else if (has("N")) {
      ++at_;
      pieces_.push_back({.code = kNanoseconds, .precision = {}});
    } else if (has(kTimes)) {
      pieces_.push_back({.code = kTime, .precision = {}, .text = {'%', format_[at_++]}});
    } else {
      return fault_here(" is no code of time", spaced(kTimes, "@") + " @N @@");
    }
    return std::nullopt;
  }

  std::optional<Fault> read_escape() {
    if (!has(kEscapes)) return fault_here(" is no escape", spaced(kEscapes, "\\"));
    add(kMeant[kEscapes.find(format_[at_++])]);
    return std::nullopt;
  }

  /// What does not go on at `at_`; `words` are read behind the sequence up to there.
  Fault fault_here(std::string_view words, std::string allowed) const {
    if (at_ >= format_.size()) return {at_, "the format ends too early", std::move(allowed)};
    const std::string sequence(format_.substr(start_, at_ + 1 - start_));
    return {at_, sequence + std::string(words), std::move(allowed)};
  }

  void add(char c) {
    if (pieces_.empty() || pieces_.back().code != kLiteral) pieces_.push_back({.precision = {}});
    pieces_.back().text += c;
  }

  std::string_view format_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;  ///< of the sequence that is being read
  OutputFormat pieces_;
};

}  // namespace

std::expected<OutputFormat, Error> parse_format(std::string_view format) {
  Reader reader(format);
  const auto fault = reader.read();
  if (!fault) return reader.take();
  return std::unexpected(Error{"-F: " + fault->words + "\n  " + printable(format, format.size()) +
                               "\n  " + std::string(columns(format.substr(0, fault->at)), ' ') +
                               "^ allowed: " + fault->allowed});
}

}  // namespace mq::cli
