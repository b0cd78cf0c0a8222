#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/core/transfer.h"
#include "cpu_client/core/client_io.h"

namespace farm {

/// A chunked answer of which chunks are still to come.
struct Download {
    Answer answer;
    IncomingTransfer transfer;
};

/// A call between its Submit and its Complete.
struct OpenCall {
    /// What is known: `ready` has not left this client in its present attempt (or the broker says
    /// that it has not got it); `pausing` waits for a retry time; `sent` has left to the broker and
    /// `direct` to a worker, so it may run.
    enum class State : std::uint8_t { ready, pausing, sent, direct };

    Submit what;
    std::uint64_t sequence{0};  ///< order of submission
    TimePoint submitted;
    State state{State::ready};
    std::uint8_t attempt{1};
    bool suspect{false};  ///< rule 7: it was in the run of a worker that died
    LinkId via;           ///< by which it left
    SessionId avoid;      ///< worker session of the attempt before
    TimePoint retry_at;   ///< while pausing
    std::optional<OutgoingTransfer> upload;
    std::optional<Download> download;
    std::string last_problem;  ///< of the attempt before, for the detail of a DEADLINE

    bool chunked() const { return !what.large.empty(); }
    CallKey key() const { return {what.id, attempt}; }
    bool is_under_way() const { return state == State::sent || state == State::direct; }
};

}  // namespace farm
