#pragma once

#include <string>

namespace farm {

/// Plays the commands of a transcript to a ClientMachine and gives the transcript back with the
/// effects below each command, indented by four blanks. Lines of the input that are indented are
/// what was recorded before, and are left out; '#' lines and empty lines are kept.
///
///   brokers 2                        how many addresses (first line only)
///   submit <n> [deadline <ms>] [once]
///   cancel <n> | shutdown | tick <ms>
///   opened | lost                    the link last asked for
///   welcome <broker> [knows <n>...]
///   answer <n> <attempt> <outcome> [<reason>] [running] [retry <ms>]
///   refused <reason> | goodbye | beat
std::string play_transcript(const std::string& text);

}  // namespace farm
