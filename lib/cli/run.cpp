#include "cli/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cli/connection_words.hpp"
#include "cli/exit_code.hpp"

namespace mq::cli {

Run::Run(client::Core& core, const ConnectOptions& options, Notices& notices)
    : core_(core), options_(options), notices_(notices) {
  if (options.tls && !options.tls->is_host_checked) {
    notices_.note("--insecure: it is not checked whether the certificate is the server's own");
  }
  if (options.is_debugging) trace_.emplace(core.version(), notices);
}

void Run::on_bytes_sent(ByteView bytes) {
  bytes_sent_ += bytes.size();
  if (trace_) trace_->on_sent(bytes);
}

void Run::on_bytes_received(ByteView bytes) {
  if (trace_) trace_->on_received(bytes);
}

void Run::on_events(Now now) {
  while (!is_done_) {
    const auto event = core_.next_event(now);
    if (!event) return;
    handle(*event, now);
  }
}

void Run::handle(const client::Event& event, Now now) {
  if (const auto* arrived = std::get_if<client::Arrived>(&event)) {
    on_arrived(*arrived, now);
  } else if (const auto* settled = std::get_if<client::Settled>(&event)) {
    on_settled(*settled, now);
  } else if (const auto* connected = std::get_if<client::Connected>(&event)) {
    if (std::exchange(is_away_told_, false)) {
      notices_.note("connected to " + place(endpoint()) + " again");
    }
    on_connected(*connected, now);
  } else if (const auto* subscribed = std::get_if<client::Subscribed>(&event)) {
    on_subscribed(*subscribed, now);
  } else if (const auto* unsubscribed = std::get_if<client::Unsubscribed>(&event)) {
    on_unsubscribed(*unsubscribed, now);
  } else if (const auto* lost = std::get_if<client::Lost>(&event)) {
    handle_lost(*lost, now);
  } else if (const auto* refused = std::get_if<client::Refused>(&event)) {
    handle_refused(*refused, now);
  } else if (const auto* ended = std::get_if<client::Ended>(&event)) {
    if (is_cut_short_) return;
    on_goodbye(*ended);
    end(exit_code_);
  }
}

void Run::handle_lost(const client::Lost& lost, Now now) {
  if (lost.retry_at != kNever) return tell_away(words_of(lost, options_), now);
  notices_.error(words_of(lost, options_));
  end(exit_code_of(lost));
}

void Run::handle_refused(const client::Refused& refused, Now now) {
  if (refused.retry_at != kNever) return tell_away(words_of(refused, endpoint()), now);
  notices_.error(words_of(refused, endpoint()));
  end(refused.code);
}

void Run::tell_away(const std::string& words, Now now) {
  if (!std::exchange(is_away_told_, true)) notices_.note(words + "; trying again");
  if (trace_) trace_->restart();
  on_away(now);
}

void Run::finish(int exit_code, Now now, wire::ReasonCode reason) {
  if (std::exchange(is_finishing_, true)) return;
  exit_code_ = exit_code;
  core_.disconnect(reason, now);
}

void Run::interrupt(int exit_code, Now now, wire::ReasonCode reason) {
  is_called_off_ = true;
  if (is_finishing_) return end(std::max(exit_code_, exit_code));
  finish(exit_code, now, reason);
}

void Run::time_out(Now now) {
  is_called_off_ = true;
  notices_.error("Timed out");
  if (is_cut_short_) return end(mq::cli::exit_code::kTimedOut);
  finish(mq::cli::exit_code::kTimedOut, now);
}

void Run::give_up_waiting(Now now) {
  notices_.error(fmt::format("{} acknowledged nothing for {} seconds", place(endpoint()),
                             static_cast<double>(options_.ack_timeout.count()) / 1000));
  finish(mq::cli::exit_code::kTimedOut, now);
}

void Run::note_unwritten() {
  const int error = errno;
  if (error == EPIPE || error == ECANCELED) return;
  notices_.error(std::string("cannot write: ") + std::strerror(error));
  if (exit_code_ == mq::cli::exit_code::kOk) exit_code_ = mq::cli::exit_code::kFailure;
}

void Run::give_up_printing(Now now) {
  if (errno == ECANCELED && !is_called_off_) is_cut_short_ = is_finishing_ = true;
  note_unwritten();
  core_.abandon();
  finish(exit_code_, now);
}

void Run::end(int exit_code) {
  exit_code_ = exit_code;
  is_done_ = true;
  on_ended();
}

}  // namespace mq::cli
