#pragma once

#include <string>

namespace farm {

/// Plays the commands of a transcript to a WorkerMachine and gives the transcript back with the
/// effects below each command, indented by four blanks. Lines of the input that are indented are
/// what was recorded before, and are left out; '#' lines and empty lines are kept. Brokers count
/// from 1, calls are written <n> or <n>.<attempt>.
///
///   brokers 2                                   how many addresses (first line only)
///   model <index> [rows <max>] [instances <n>] [once] [failed]
///   tick <ms> | drain | drain <broker> | opened <broker> | lost <broker>
///   welcome <broker> [epoch <n>] [knows <call>...]
///   attach <broker> | goodbye <broker> | refused <broker> <reason>
///   call <broker> <call> [model <index>] [deadline <ms>] [rows <n>] [priority <n>] [suspect]
///   [large <bytes>]
///        [result <bytes>] [bad]
///   cancel <broker> <call> | send <broker> <call> <bytes> | chunk <broker> <call> <offset>
///   <length> beat <broker> [queued <index> <n>]          acknowledges all CREDITs and RESULTs so
///   far hush <broker>                               a BEAT that acknowledges nothing finish <run>
///   [<outcome>] [bytes <n>] | tested <index> passed|failed
///
/// Payloads are not shown, but what the rim of tests/support finds wrong with them is, and how many
/// the machine still owns once it has finished.
std::string play_worker_transcript(const std::string& text);

}  // namespace farm
