#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cpu_client/core/attempt_verdict.h"
#include "cpu_client/core/broker_rotation.h"
#include "cpu_client/core/broker_session.h"
#include "cpu_client/core/call_table.h"
#include "cpu_client/core/client_io.h"
#include "cpu_client/core/direct_demand.h"
#include "cpu_client/core/direct_session.h"
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

    // Direct path (client_machine_direct.cc).
    void resolve(Step& step);
    void learn(const Lease& lease, Step& step);
    DirectSession* session_for(const LeaseGrant& grant, Step& step);
    DirectSession& open_direct(const DirectWay& way, const LeaseGrant& grant, Step& step);
    bool is_unreachable(const std::string& address, TimePoint now) const;
    void note_unreachable(const std::string& address, TimePoint now);
    void take_other_way(DirectSession worker, Step& step);
    void greet(DirectSession& worker, Step& step);
    void present(DirectSession& worker, const std::string& service, Step& step);
    void direct_message(DirectSession& worker, const Message& message, Step& step);
    void on(DirectSession& worker, const Welcome& welcome, Step& step);
    void on(DirectSession& worker, const Lease& lease, Step& step);
    void on(DirectSession& worker, const Attach& attach, Step& step);
    void on(DirectSession& worker, const Drain& drain, Step& step);
    void tick_direct(Step& step);
    void tick_direct(DirectSession& worker, Step& step);
    void leave_direct(DirectSession& worker, const std::string& reason, Step& step);
    enum class Ending : std::uint8_t { closed, given_up };  ///< by the worker, by us
    void lose_direct(LinkId link, Ending ending, const std::string& why, Step& step);
    bool has_calls_at(const DirectSession& worker) const;
    void drop_lease(DirectSession& worker, const std::string& service, TimePoint now);
    void open_bulk(DirectSession& worker, Step& step);
    DirectSession* direct_session(LinkId link);
    DirectSession* direct_way(const OpenCall& call, TimePoint now);
    std::optional<TimePoint> lease_wait_end(const OpenCall& call, TimePoint now) const;
    void note_answer(DirectSession& worker, Answer& answer, TimePoint now);
    std::optional<TimePoint> direct_deadline() const;

    // Calls.
    bool travels_whole(const OpenCall& call, LinkId link) const;
    const Chunking& chunking_of(LinkId link) const;
    bool is_live(LinkId link) const;
    bool has_bulk(LinkId link) const;
    void want_bulk(LinkId link, Step& step);
    bool may_route() const { return session_.is_open() && !session_.leave_at; }
    bool has_sending_room() const {
        return calls_.sent_count() < limits::open_calls_per_session_count;
    }
    std::optional<Finish> refusal_of(const Submit& submit, TimePoint now) const;
    void send_ready(Step& step);
    bool send_next(Step& step);
    OpenCall* first_chunked(Step& step);
    bool send_one(OpenCall& call, Step& step);
    bool send(OpenCall& call, const Welcome& session, LinkId link, Step& step);
    void send_chunks(OpenCall& call, Step& step);
    void take(const AnswerArrived& arrived, Step& step);
    void receive(OpenCall& call, const AnswerArrived& arrived, Step& step);
    void grant_more(OpenCall& call, Step& step);
    void conclude(OpenCall& call, const Answer& answer, Step& step);
    void try_again(OpenCall& call, const Answer& answer, TryAgain again, Step& step);
    void poison(OpenCall& call, Poisoned poisoned, Step& step);
    void broker_leaves(OpenCall& call, Step& step);
    void reset_transfers(OpenCall& call, Step& step);
    void expire(OpenCall& call, Step& step);
    void cancel_where_it_is(const OpenCall& call, Step& step);
    void finish(OpenCall& call, Finish finish, Step& step, const Answer& answer = {});
    void finish_all(const Finish& finish, Step& step);
    void reply(std::uint64_t ticket, std::string problem, Step& step);
    /// The message is made where it stays: moving one costs more than it seems.
    template <class M>
    static void transmit(LinkId link, M&& message, Step& step) {
        step.out.emplace_back(Transmit{link, std::forward<M>(message), false});
    }
    template <class M>
    void transmit(M&& message, Step& step) {
        transmit(session_.link, std::forward<M>(message), step);
    }

    ClientOptions options_;
    BrokerRotation rotation_;
    RetryBudget budget_;
    CallTable calls_;
    QuestionQueue questions_;
    BrokerSession session_;
    DirectDemand demand_;
    std::map<LinkId, DirectSession> direct_;
    std::map<std::string, TimePoint> unreachable_;  ///< workers' addresses, until when
    std::optional<TimePoint> lease_wait_until_;     ///< of the chunked calls, the first to give up
    std::uint64_t last_link_{0};
    TimePoint unreachable_since_{};  ///< when the last session ended
    std::string last_problem_;
    std::vector<std::optional<Refused>> refusals_;  ///< by address, since its last session
};

}  // namespace farm
