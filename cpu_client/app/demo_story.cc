#include "cpu_client/app/demo_story.h"

namespace farm {

DemoStory::Action DemoStory::next(const Facts& facts) {
    switch (part_) {
        case Part::streaming:
            if (facts.done_count < pass_count_) return Action::none;
            part_ = Part::joining;
            return Action::start_newcomer;
        case Part::joining:
            if (facts.newcomer_answered) part_ = Part::before_kill;
            return Action::none;
        case Part::before_kill:
            if (!facts.victim_has_calls)
                return Action::none;  // a kill that hurts nobody shows nothing
            part_ = Part::recovering;
            return Action::kill_victim;
        case Part::recovering:
            if (!facts.victim_gone || facts.open_since_kill_count != 0) return Action::none;
            part_ = Part::closing;
            closing_done_count_ = facts.done_count + pass_count_;
            return Action::none;
        case Part::closing:
            if (facts.done_count < closing_done_count_) return Action::none;
            part_ = Part::over;
            return Action::finish;
        case Part::over: return Action::none;
    }
    return Action::none;
}

std::string_view DemoStory::waiting_for() const {
    switch (part_) {
        case Part::streaming: return "first pass";
        case Part::joining: return "third worker joins";
        case Part::before_kill: return "before the kill";
        case Part::recovering: return "recovery from the kill";
        case Part::closing: return "last pass";
        case Part::over: return "done";
    }
    return "";
}

}  // namespace farm
