#include "cli/pace.hpp"

#include <chrono>

#include "cli/number.hpp"

namespace mq::cli {

namespace {

/// Takes text apart from the left. What does not fit is remembered.
class Digits {
 public:
  explicit Digits(std::string_view text) : rest_(text) {}

  int take(std::size_t count, int maximum) {
    const auto number = parse_number<int>(rest_.substr(0, count), 0, maximum);
    fits_ = fits_ && rest_.size() >= count && number;
    rest_.remove_prefix(std::min(count, rest_.size()));
    return number.value_or(0);
  }
  void skip(char expected) {
    if (!skip_if(expected)) fits_ = false;
  }
  bool skip_if(char expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool at_digit() const { return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; }
  bool is_well_read() const { return fits_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool fits_ = true;
};

std::chrono::microseconds take_fraction(Digits& digits) {
  std::chrono::microseconds fraction(0);
  std::chrono::microseconds unit = Seconds(1);
  if (!digits.skip_if('.')) return fraction;
  while (digits.at_digit()) {
    unit /= 10;
    fraction += unit * digits.take(1, 9);
  }
  return fraction;
}

std::chrono::minutes take_zone(Digits& digits) {
  digits.skip_if('Z');  // mosquitto 2.0 writes Z and an offset
  const bool is_west = digits.skip_if('-');
  if (!is_west && !digits.skip_if('+')) return std::chrono::minutes(0);
  const int hours = digits.take(2, 23);
  digits.skip_if(':');
  const std::chrono::minutes offset(60 * hours + digits.take(2, 59));
  return is_west ? -offset : offset;
}

}  // namespace

std::optional<WallTime> parse_stamp(std::string_view text) {
  Digits digits(text);
  const int year = digits.take(4, 9999);
  digits.skip('-');
  const int month = digits.take(2, 12);
  digits.skip('-');
  const int day = digits.take(2, 31);
  if (!digits.skip_if('T')) digits.skip(' ');
  const int hour = digits.take(2, 23);
  digits.skip(':');
  const int minute = digits.take(2, 59);
  digits.skip(':');
  const int second = digits.take(2, 60);
  const auto fraction = take_fraction(digits);
  const auto zone = take_zone(digits);
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!digits.is_well_read() || !date.ok()) return std::nullopt;
  const auto since_epoch = std::chrono::sys_days(date).time_since_epoch();
  return WallTime(since_epoch + std::chrono::hours(hour) + std::chrono::minutes(minute) +
                  Seconds(second) + fraction - zone);
}

}  // namespace mq::cli
