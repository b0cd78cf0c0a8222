#pragma once

#include <cstdint>
#include <string_view>

namespace farm {

/// The plot of `farm demo`: events stream, a worker joins, another is killed, its calls are
/// answered by the others, the stream goes on for a while. Pure: decides from facts what happens
/// next.
class DemoStory {
  public:
    /// What is known now; everything counts from the start of the stream.
    struct Facts {
        std::uint64_t done_count{0};    ///< events that have ended
        bool newcomer_answered{false};  ///< an event was answered by the worker that joined
        bool victim_has_calls{false};   ///< the worker to be killed holds calls at the moment
        bool victim_gone{false};        ///< the broker does not list it as ready any more
        std::uint64_t open_since_kill_count{0};  ///< events open at the kill and not yet ended
    };
    enum class Action : std::uint8_t { none, start_newcomer, kill_victim, finish };

    /// A pass is once through all events.
    explicit DemoStory(std::uint64_t pass_count) : pass_count_(pass_count) {}

    /// At most one action for each change of the facts; each action is given once.
    Action next(const Facts& facts);
    /// What is being waited for, for people.
    std::string_view waiting_for() const;
    bool is_over() const { return part_ == Part::over; }

  private:
    enum class Part : std::uint8_t { streaming, joining, before_kill, recovering, closing, over };

    std::uint64_t pass_count_;
    Part part_{Part::streaming};
    std::uint64_t closing_done_count_{0};
};

}  // namespace farm
