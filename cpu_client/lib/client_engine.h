#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/core/flat_map.h"
#include "cpu_client/core/follow_up_calls.h"
#include "cpu_client/lib/client_rim.h"
#include "cpu_client/lib/future.h"
#include "cpu_client/lib/inference.h"
#include "cpu_client/lib/loop_turns.h"

namespace farm {

using InferenceCallback = std::function<void(Inference)>;

/// What a Client and its Futures share: the rim, whose turn it is to run it, and who waits for
/// what.
///
/// Calls are handed over through an inbox (bounded like the machine: what does not fit ends
/// OVERLOADED); results are handed back under the mutex; callbacks run on the thread that leads,
/// without it. Any thread.
class ClientEngine : public std::enable_shared_from_this<ClientEngine> {
  public:
    struct Options {
        ClientRim::Parts parts;
        bool background_thread{true};
        std::function<void(NoteLevel, const std::string&)> log;  ///< on the leading thread
    };

    explicit ClientEngine(Options options);

    /// Gives `submit` (id, service, deadline, options filled in) to the machine. Exactly one of
    /// future and callback gets the result; a callback may be empty: nobody wants to know.
    Future<Inference> infer(Submit&& submit, Payload&& payload);
    void infer(Submit&& submit, Payload&& payload, InferenceCallback callback);
    /// A call that ends before it starts: the same ways back.
    Future<Inference> refuse(Inference inference);
    void refuse(Inference inference, InferenceCallback callback);

    void cancel(CallId id);
    Result<Message> ask(Message question, Duration timeout);
    /// Drives the loop until there is a session, or `timeout`.
    bool wait_for_session(Duration timeout);
    /// Ends all calls CANCELLED and the connection. Later calls end at once.
    void shut_down();

    LoopTurns& turns() { return turns_; }

  private:
    struct Slot : FutureState<Inference> {
        InferenceCallback callback;
        bool has_callback{false};
        bool cancelled{false};
        TimePoint submitted;
    };
    struct NewCall {
        Submit submit;
        Payload payload;
    };
    using Order = std::variant<NewCall, CancelCall, Ask, Shutdown>;

    void start(const std::shared_ptr<Slot>& slot, Submit&& submit, Payload&& payload);
    bool has_room_for(const Submit& submit) const;
    Result<void> start_background();
    void order(Order order);
    void turn(std::optional<TimePoint> until);
    bool has_orders();
    void carry_out(Order& order);
    void deliver_completed();
    void deliver_replies();
    void deliver(const Complete& complete, const Payload& payload);
    void fulfil(std::unique_lock<std::mutex> lock, Slot& slot, Inference&& inference);

    ClientRim rim_;
    std::function<void(NoteLevel, const std::string&)> log_;
    bool background_thread_;

    // The leader's.
    std::vector<Order> orders_;  ///< what it took from the inbox
    std::vector<std::pair<Complete, Payload>> completed_;
    std::size_t delivered_count_{0};  ///< of these
    std::deque<Reply> replies_;

    // Guarded by the mutex of turns_.
    std::vector<Order> inbox_;
    std::uint64_t inbox_bytes_{0};
    std::size_t callback_count_{0};  ///< calls under way that have one
    FollowUpCalls follow_ups_;
    FlatMap<CallId, std::shared_ptr<Slot>> slots_;
    std::unordered_map<std::uint64_t, std::shared_ptr<FutureState<Reply>>> questions_;
    std::shared_ptr<Awaited> session_wanted_;
    std::shared_ptr<Awaited> closed_;
    std::uint64_t last_ticket_{0};

    LoopTurns turns_;
};

}  // namespace farm
