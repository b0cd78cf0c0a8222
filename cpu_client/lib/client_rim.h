#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/core/incoming_frames.h"
#include "common/net/broker_links.h"
#include "common/net/outbox.h"
#include "common/net/same_host/same_host_links.h"
#include "common/net/waker.h"
#include "cpu_client/core/client_machine.h"

namespace farm {

/// The glue around ClientMachine: polls, decodes, steps, carries out the effects. Decides nothing.
///
/// Used by one thread at a time (LoopTurns sees to that); waker() may be used by any.
class ClientRim {
  public:
    struct Parts {
        std::shared_ptr<Context> context;
        ClientOptions options;
        std::optional<CurveClient> curve;
        std::filesystem::path quarantine_folder;  ///< empty: none is kept
    };
    /// Called from turn() and feed(); must not call back into the rim.
    struct Handlers {
        std::function<void(const Complete&, Payload)> complete;
        std::function<void(Reply)> reply;
        std::function<void(const Note&)> note;
    };

    /// Throws std::runtime_error when there is no descriptor left.
    ClientRim(Parts parts, Handlers handlers);
    ~ClientRim();
    ClientRim(const ClientRim&) = delete;
    ClientRim& operator=(const ClientRim&) = delete;

    Waker& waker() { return waker_; }

    /// Returns when there is something to do, or at `until`.
    void sleep(std::optional<TimePoint> until);
    /// Takes the time for what is fed from here on.
    void begin_turn() { now_ = steady_now(); }
    void submit(Submit&& submit, Payload&& payload);
    void feed(const ClientInput& input);
    /// Takes what has come.
    void receive();
    /// Does what is due, sends what has gathered.
    void finish_turn();

    bool has_session() const { return machine_.has_session(); }
    const std::string& last_problem() const { return machine_.last_problem(); }

  private:
    void take(LinkId link, std::vector<Buffer> frames);
    void take(LinkId link, Answer answer);
    void refuse(LinkId link, RefusedReason reason, const Error& why);
    SendResult send(LinkId link, Lane lane, std::span<const Buffer> frames);
    void close(LinkId link);
    void flush();

    void carry_out(const OpenLink& effect);
    void carry_out(const OpenDirect& effect);
    void carry_out(const OpenBulk& effect);
    void carry_out(const CloseLink& effect);
    void carry_out(const Transmit& effect);
    void carry_out(const TransmitChunk& effect);
    void carry_out(const ExpectFrames& effect);
    void carry_out(const StoreChunk& effect);
    void carry_out(const DropPayload& effect);
    void carry_out(const Complete& effect);
    void carry_out(const Reply& effect);
    void carry_out(const Quarantine& effect);
    void carry_out(const Note& effect);

    std::shared_ptr<Context> context_;
    std::filesystem::path quarantine_folder_;
    Handlers handlers_;
    ClientMachine machine_;
    Poller poller_;
    Waker waker_;
    BrokerLinks links_;
    std::unique_ptr<SameHostLinks> same_host_links_;  ///< null: workers are not called so
    Outbox outbox_;
    PayloadStore payloads_;
    std::vector<Message> messages_;  ///< of the message that is being taken
    std::unordered_map<PayloadId, IncomingFrames> downloads_;  ///< of chunked answers
    ClientEffects effects_;
    TimePoint now_;
};

}  // namespace farm
