#include "cpu_client/app/track_events.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <system_error>

namespace farm {

namespace {

namespace fs = std::filesystem;
constexpr std::string_view hits_ending = "-hits.csv";

EventFiles of_prefix(const fs::path& prefix) { return {prefix.filename().string(), prefix}; }

EventFiles of_hit_file(const fs::path& file) {
    std::string prefix = file.string();
    prefix.resize(prefix.size() - hits_ending.size());
    return of_prefix(prefix);
}

bool is_hit_file(const fs::path& path) { return path.string().ends_with(hits_ending); }

Result<std::vector<EventFiles>> events_in(const fs::path& folder) {
    std::vector<EventFiles> events;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        if (is_hit_file(entry->path())) events.push_back(of_hit_file(entry->path()));
    }
    if (error) {
        return fail(ErrorCode::io, "folder '" + folder.string() + "' cannot be read (" +
                                       error.message() + "): give another");
    }
    if (events.empty()) {
        return fail(ErrorCode::not_found,
                    "folder '" + folder.string() +
                        "' has no events (files ...-hits.csv): make some with `farm events --out " +
                        folder.string() + "`");
    }
    std::ranges::sort(events, {}, &EventFiles::name);
    return events;
}

Result<std::vector<EventFiles>> events_of(const fs::path& argument) {
    std::error_code ignored;
    if (fs::is_directory(argument, ignored)) return events_in(argument);
    const EventFiles event = is_hit_file(argument) ? of_hit_file(argument) : of_prefix(argument);
    const fs::path hits = event.prefix.string() + std::string(hits_ending);
    if (fs::exists(hits, ignored)) return std::vector{event};
    return fail(ErrorCode::not_found, "event '" + argument.string() + "' is not there ('" +
                                          hits.string() +
                                          "' does not exist): give DIR/event000000001, its hit "
                                          "file, or a folder of events");
}

}  // namespace

Result<std::vector<EventFiles>> find_events(const std::vector<std::string>& arguments) {
    std::vector<EventFiles> events;
    std::set<std::string> names;
    for (const std::string& argument : arguments) {
        const auto more = events_of(argument);
        if (!more) return tl::unexpected(more.error());
        for (const EventFiles& event : *more) {
            if (names.insert(event.name).second) {
                events.push_back(event);
                continue;
            }
            return fail(ErrorCode::invalid, "event '" + event.name + "' is there twice, also as '" +
                                                event.prefix.string() +
                                                "' (files of the output have its name): track "
                                                "the two one after the other");
        }
    }
    return events;
}

}  // namespace farm
