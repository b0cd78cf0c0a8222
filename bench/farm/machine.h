#pragma once

#include <string>

namespace farm::bench {

/// One line: processor, cores, kernel, version and commit; goes above every table.
std::string machine_line();
/// The same as a JSON object, with compiler, C library, libzmq and what else decides the figures.
std::string machine_json();

}  // namespace farm::bench
