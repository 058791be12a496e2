// The options of all methods in one list, and whose they are.
#pragma once

#include <functional>
#include <string>

#include "methods/method.h"

namespace coppice {

// Those of methods with some property, as options_of_all_methods has them.
OptionList options_of_methods(const std::function<bool(const Method&)>& wanted);
// Each option once. What one method alone has stands under its name, and defaults that differ are
// named by method.
OptionList options_of_all_methods();

// "--method fpgm", "--method slimming, deep-compression or dsd", or "a method that cuts channels",
// "every method" where those and no others have it.
std::string methods_with(const Option& option);

}  // namespace coppice
