#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "cpu_client/core/client_io.h"

namespace farm {

/// LIST, STATUS, DRAIN and RESOLVE on their way.
///
/// The protocol has no number that ties an answer to its question: a broker answers questions of
/// one kind in the order in which they came, and so they are matched here. A question whose
/// deadline passed keeps its place until its answer has come, so that the next of its kind does not
/// get it. At most `largest_count` at a time. One thread.
class QuestionQueue {
  public:
    static constexpr std::size_t largest_count = 256;

    struct Question {
        Ask ask;
        TimePoint asked;
        bool sent{false};
        bool over{false};  ///< replied to already: only its place is kept
    };

    /// False when the queue is full.
    bool add(Ask ask, TimePoint now);
    /// Questions to send now; from here on they count as sent.
    std::vector<Message> take_unsent();
    /// The question that this message answers, taken out; none when nobody asked.
    std::optional<Question> match(const Message& answer);
    /// The question that a REFUSED is about: a DRAIN before all others, since it needs a right.
    std::optional<Question> match_refused();
    /// Sent questions will be sent again: all of them may be asked twice.
    void session_ended();
    /// Those whose deadline has passed; they are over now.
    std::vector<Ask> expire(TimePoint now);
    /// Those asked at or before `asked`; they are over now.
    std::vector<Ask> give_up(TimePoint asked);

    std::optional<TimePoint> next_deadline() const;
    /// When the oldest that is not over was asked.
    std::optional<TimePoint> oldest() const;

  private:
    template <class Condition>
    std::vector<Ask> finish_where(Condition condition);
    void forget_unsent_over();

    std::deque<Question> questions_;
};

}  // namespace farm
