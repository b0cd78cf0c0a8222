#pragma once

#include <cstdio>
#include <deque>
#include <string>
#include <utility>

#include "common/core/clock.h"

namespace farm::sim {

/// The first broken rule of a simulation, and the transcript (when somebody wants it).
class Verdict {
  public:
    Verdict(bool keep_transcript, bool print) : keep_(keep_transcript), print_(print) {}

    void violate(std::string rule, std::string text) {
        if (failed()) return;
        rule_ = std::move(rule);
        text_ = std::move(text);
    }
    bool failed() const { return !rule_.empty(); }
    const std::string& rule() const { return rule_; }
    const std::string& text() const { return text_; }

    /// False: log() would be for nobody.
    bool listening() const { return keep_; }
    void log(TimePoint now, const std::string& line) {
        if (!keep_) return;
        char stamp[32];
        std::snprintf(stamp, sizeof(stamp), "%10.4f  ",
                      static_cast<double>(now.time_since_epoch().count()) * 1e-9 - 1000.0);
        if (print_) std::printf("%s%s\n", stamp, line.c_str());
        tail_.push_back(stamp + line);
        if (tail_.size() > tail_count) tail_.pop_front();
    }
    const std::deque<std::string>& tail() const { return tail_; }

  private:
    static constexpr std::size_t tail_count = 120;
    bool keep_;
    bool print_;
    std::string rule_;
    std::string text_;
    std::deque<std::string> tail_;
};

}  // namespace farm::sim
