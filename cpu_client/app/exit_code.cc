#include "cpu_client/app/exit_code.h"

#include <cstdio>

#include "cpu_client/app/table.h"

namespace farm {

namespace {

constexpr int first_status_exit_code = 9;  // OK would be 9, so INVALID is 10

void print_problem(const std::string& text) {
    std::fprintf(stderr, "farm: error: %s\n", printable(text).c_str());
}

}  // namespace

int exit_code(CallStatus status) {
    return status == CallStatus::ok ? 0 : first_status_exit_code + static_cast<int>(status);
}

int exit_code(const Error& error) {
    switch (error.code) {
        case ErrorCode::invalid:
        case ErrorCode::not_found:
        case ErrorCode::too_large:
        case ErrorCode::io: return 1;
        case ErrorCode::unauthorized: return exit_code(CallStatus::unauthorized);
        case ErrorCode::unavailable:
        case ErrorCode::protocol: return exit_code(CallStatus::unavailable);
        case ErrorCode::device:
        case ErrorCode::internal: return exit_code(CallStatus::internal);
    }
    return 1;
}

std::string exit_code_help() {
    std::string text =
        "Exit codes: 0 success, 1 files, values or processes here, 2 usage; of calls and brokers";
    for (int i = 1; i <= static_cast<int>(CallStatus::internal); ++i) {
        const auto status = static_cast<CallStatus>(i);
        text += i == 1 ? ":\n  " : i % 5 == 1 ? ",\n  " : ", ";
        text += std::to_string(exit_code(status)) + ' ' + std::string(to_string(status));
    }
    return text;
}

int report(const Error& error) {
    print_problem(error.message);
    return exit_code(error);
}

int report(CallStatus status, const std::string& detail) {
    print_problem(std::string(to_string(status)) + (detail.empty() ? "" : ": " + detail));
    return exit_code(status);
}

}  // namespace farm
