// What there is, as data: methods with their options, criteria and forms of data sets.
#pragma once

#include "methods/method.h"
#include "report/json.h"

namespace coppice {

const char* name_of(Method::Kind kind);  // "structured"

// A list of {"name", "about", "needs", "kind", "paper", "differs", "options": [{"name", "type",
// "expected", "repeats", "about", "default"}]}
Json methods_json();
Json criteria_json();  // {"name", "about", "scope", "paper"}
Json data_json();      // {"name", "form", "about"}

}  // namespace coppice
