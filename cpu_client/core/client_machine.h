#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cpu_client/core/attempt_verdict.h"
#include "cpu_client/core/broker_rotation.h"
#include "cpu_client/core/broker_session.h"
#include "cpu_client/core/call_table.h"
#include "cpu_client/core/client_io.h"
#include "cpu_client/core/question_queue.h"
#include "cpu_client/core/retry_budget.h"

namespace farm {

/// Takes calls to a broker and gives each of them exactly one terminal status, whatever dies, and
/// never later than its deadline plus one beat (rule 1).
///
/// Decides: which broker, when to send, how an outcome becomes a status or another attempt (rule
/// 4), what is sent again after a break. Leaves to the rim: bytes, sockets, time, files. Owner: one
/// loop, one thread. Ids of calls are unique for ever and chosen by the caller. Bounds:
/// limits::waiting_calls_per_client_count and waiting_bytes_per_client for all unfinished calls
/// together, limits::open_calls_per_session_count of them with the broker,
/// QuestionQueue::largest_count questions.
/// Payloads: a call's inputs are the machine's from Submit on and dropped with its Complete, except
/// that Quarantine hands them over; the payload of a Complete passes to the rim.
/// A chunked CALL is transmitted with its whole payload: of that only the body travels.
class ClientMachine {
  public:
    explicit ClientMachine(ClientOptions options);

    void step(const ClientInput& input, TimePoint now, ClientEffects& out);
    /// When a Tick is due at the latest; a time that has passed means now.
    std::optional<TimePoint> next_deadline() const;

    /// A WELCOME has come and the session has not ended.
    bool has_session() const { return session_.is_open(); }
    std::size_t open_call_count() const { return calls_.count(); }
    /// Why there is no session, as told by the last attempt to get one; empty at first.
    const std::string& last_problem() const { return last_problem_; }

  private:
    /// The step under way.
    struct Step {
        TimePoint now;
        ClientEffects& out;
    };

    // Inputs.
    void on(const Tick&, Step& step);
    void on(const LinkOpened& opened, Step& step);
    void on(const LinkLost& lost, Step& step);
    void on(const Received& received, Step& step);
    void on(const AnswerArrived& arrived, Step& step);
    void on(const Submit& submit, Step& step);
    void on(const CancelCall& cancel, Step& step);
    void on(const Ask& ask, Step& step);
    void on(const Shutdown&, Step& step);

    // Messages of the session's broker.
    void on(const Welcome& welcome, Step& step);
    void on(const Refused& refused, Step& step);
    void on(const Attach& attach, Step& step);
    void on(const Goodbye& goodbye, Step& step);
    void on(const Send& grant, Step& step);
    void on(const Chunk& chunk, Step& step);

    // The session.
    void tick_session(Step& step);
    void connect(Step& step);
    void welcome_calls(const Welcome& welcome, Step& step);
    void refuse_session(const Refused& refused, Step& step);
    void open_bulk(Step& step);
    void leave_if_idle(Step& step);
    void end_session(Step& step, Duration pause, std::string problem);
    void drop_link(Step& step);
    void give_up(Step& step);
    std::optional<TimePoint> give_up_at() const;
    std::optional<TimePoint> session_deadline() const;

    // Calls.
    std::optional<Finish> refusal_of(const Submit& submit, TimePoint now) const;
    void send_ready(Step& step);
    OpenCall* next_to_send() const;
    void send(OpenCall& call, Step& step);
    void send_chunks(OpenCall& call, Step& step);
    void receive(OpenCall& call, const AnswerArrived& arrived, Step& step);
    void grant_more(OpenCall& call, Step& step);
    void conclude(OpenCall& call, const Answer& answer, Step& step);
    void try_again(OpenCall& call, const Answer& answer, TryAgain again, Step& step);
    void poison(OpenCall& call, Poisoned poisoned, Step& step);
    void broker_leaves(OpenCall& call, Step& step);
    void reset_transfers(OpenCall& call, Step& step);
    void expire(OpenCall& call, Step& step);
    void cancel_at_broker(const OpenCall& call, Step& step);
    void finish(OpenCall& call, Finish finish, Step& step, Answer answer = {});
    void finish_all(const Finish& finish, Step& step);
    void reply(std::uint64_t ticket, std::string problem, Step& step);
    void transmit(Message message, Step& step);

    ClientOptions options_;
    BrokerRotation rotation_;
    RetryBudget budget_;
    CallTable calls_;
    QuestionQueue questions_;
    BrokerSession session_;
    std::uint64_t last_link_{0};
    TimePoint unreachable_since_{};  ///< when the last session ended
    std::string last_problem_;
    std::vector<std::optional<Refused>> refusals_;  ///< by address, since its last session
};

}  // namespace farm
