#pragma once

#include <string>
#include <vector>

#include "schemas/messages.h"

namespace farm {

/// "[n, 3]": -1 as '?'.
std::string dims_text(const Shape& dims);
/// Hexadecimal, all 64 digits.
std::string hash_text(const ContentHash& hash);

/// `farm models`: for each service its backend, batch rule and workers, then its inputs and
/// outputs; at most 80 columns.
std::string models_text(const std::vector<CatalogEntry>& catalog);
/// The same for scripts: an array of {"model", "version", "latest", "hash", "backend", "batch",
/// "device", "workers", "inputs": [{"name", "type", "dims", "optional"}], "outputs": [...]}.
std::string models_json(const std::vector<CatalogEntry>& catalog);

}  // namespace farm
