#pragma once

#include <string>
#include <vector>

#include "schemas/messages.h"

namespace farm::test {

/// A message whose bytes are pinned in golden/<name>.hex.
struct Specimen {
    std::string name;
    std::vector<Message> items;
};

/// Every verb with every field away from its default, then the usual short forms.
std::vector<Specimen> specimens();

CallBody call_body_specimen();
AnswerBody answer_body_specimen();

}  // namespace farm::test
