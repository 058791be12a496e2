#!/usr/bin/env bash
# CLI11 (Debian 12: libcli11-dev 2.1.2): Option::get_name() of an option that is hidden from --help by
# group("") is the empty string, though the option works and counts what it was given. Whoever names
# it in a message must take get_lnames(). A good guess is that a group is about the help text alone.
#
# Run first on 2026-11-27, g++ 12.2: prints "shown: '--rate', count 1" and "hidden: '', count 1, long
# name 'rate'". Needs apt-get (downloads, doesn't install) and g++.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q libcli11-dev=2.1.2+ds-1 >/dev/null
dpkg -x libcli11-dev_*.deb .
cat >program.cpp <<'CPP'
#include <CLI/CLI.hpp>
#include <iostream>

int main() {
  for (const bool hidden : {false, true}) {
    CLI::App app;
    double rate = 0;
    CLI::Option* option = app.add_option("--rate", rate);
    if (hidden) option->group("");
    app.parse("--rate 2");
    std::cout << (hidden ? "hidden" : "shown") << ": '" << option->get_name() << "', count "
              << option->count();
    if (hidden) std::cout << ", long name '" << option->get_lnames().front() << "'";
    std::cout << "\n";
  }
}
CPP
g++ -std=c++17 -Iusr/include program.cpp -o program
./program | tee seen
diff seen - <<'SEEN'
shown: '--rate', count 1
hidden: '', count 1, long name 'rate'
SEEN
