#include "cpu_client/app/screen.h"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "cpu_client/app/table.h"

namespace farm {

namespace {

constexpr std::size_t bar_columns = 30;

}  // namespace

std::string progress_bar(double fraction, std::string_view text, std::size_t width) {
    fraction = std::clamp(fraction, 0.0, 1.0);
    const auto filled = static_cast<std::size_t>(fraction * bar_columns);
    std::string bar = fmt::format("[{}{}] {:3.0f} %  {}", std::string(filled, '#'),
                                  std::string(bar_columns - filled, '.'), fraction * 100, text);
    if (bar.size() > width) bar.resize(width);
    return bar;
}

Screen::Screen(std::FILE* stream)
    : stream_(stream), is_terminal_(::isatty(::fileno(stream)) != 0) {}

void Screen::write(std::string_view text) const {
    std::fwrite(text.data(), 1, text.size(), stream_);
}

void Screen::line(std::string_view text) {
    const std::lock_guard lock(mutex_);
    erase_bar();
    write(text);
    write("\n");
    write(bar_);
    std::fflush(stream_);
}

void Screen::bar(double fraction, std::string_view text) {
    if (!is_terminal_) return;
    const std::lock_guard lock(mutex_);
    erase_bar();
    bar_ = progress_bar(fraction, text, terminal_columns - 1);
    write(bar_);
    std::fflush(stream_);
}

void Screen::close() {
    const std::lock_guard lock(mutex_);
    erase_bar();
    bar_.clear();
    std::fflush(stream_);
}

void Screen::erase_bar() {
    if (!bar_.empty()) write("\r\x1b[K");
}

}  // namespace farm
