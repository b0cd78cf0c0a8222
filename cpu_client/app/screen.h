#pragma once

#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

namespace farm {

/// "[#####.....]  50 %  text", `width` columns at most. `fraction` is clamped to 0..1.
std::string progress_bar(double fraction, std::string_view text, std::size_t width);

/// Lines on stdout or stderr with a progress bar below them, when that is a terminal; else the
/// lines only. Thread-safe.
class Screen {
  public:
    explicit Screen(std::FILE* stream = stdout);
    ~Screen() { close(); }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    /// `text` may hold several lines; a line end is added.
    void line(std::string_view text);
    void bar(double fraction, std::string_view text);
    void close();  ///< takes the bar away

  private:
    void erase_bar();

    void write(std::string_view text) const;

    std::mutex mutex_;
    std::FILE* stream_;
    bool is_terminal_;
    std::string bar_;
};

}  // namespace farm
