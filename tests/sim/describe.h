#pragma once

#include <string>

#include "schemas/messages.h"

namespace farm::sim {

/// One line of a transcript: the verb and what matters of it.
std::string describe(const Message& message);

}  // namespace farm::sim
