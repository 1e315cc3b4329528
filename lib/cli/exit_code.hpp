#pragma once

/// What the programs' exit codes mean. From 1 to 5 (v3) or 128 on (v5) they may also be the code
/// that the server gave.
namespace mq::cli::exit_code {

inline constexpr int kOk = 0;
inline constexpr int kFailure = 1;  ///< usage, or the first connection did not come about
inline constexpr int kProtocol = 2;
inline constexpr int kConnectionLost = 7;
inline constexpr int kKeepAlive = 19;
inline constexpr int kTimedOut = 27;
inline constexpr int kInterruptedEarly = 255;
inline constexpr int kSignal = 128;  ///< added to the number of the signal

}  // namespace mq::cli::exit_code
