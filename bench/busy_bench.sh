#!/usr/bin/env bash
# How much a net slows down when others want its cores, and what waiting patiently costs when they
# don't:
#
#   bench/busy_bench.sh COPPICE MODEL.onnx [rounds]
#
# The command's own way of waiting, the OpenMP library's and others take turns, first alone, then
# beside three busy processes a core; times are medians over the rounds, in milliseconds, with their
# range. A fair share is (3 + 1) times the quiet time. Run it on a machine with nothing else to do.
set -euo pipefail
program=$1 model=$2 rounds=${3:-5}
cores=$(nproc)
ways='own library 0 300 1000'
results=$(mktemp)
busy=()
trap 'rm -f "$results"; ((${#busy[@]} == 0)) || kill "${busy[@]}"' EXIT

median_ms() { # of one run of bench that waits the way $1
  local -a setting=(env -u GOMP_SPINCOUNT -u OMP_WAIT_POLICY)
  case $1 in
    own) ;;
    library) setting+=(GOMP_SPINCOUNT=300000) ;; # what libgomp takes where nothing is said
    *) setting+=(GOMP_SPINCOUNT="$1") ;;
  esac
  "${setting[@]}" "$program" bench "$model" --threads "$cores" --json 2>/dev/null |
    sed -n 's/.*"median": *\([0-9.]*\).*/\1/p' | head -1
}

measure() { # as $1
  local round way
  for ((round = 0; round < rounds; ++round)); do
    for way in $ways; do echo "$1 $way $(median_ms "$way")" >>"$results"; done
  done
}

measure quiet
for ((i = 0; i < 3 * cores; ++i)); do
  sh -c 'while :; do :; done' &
  busy+=($!)
done
sleep 2 # until they are spread over the cores
measure busy

echo 'machine  waiting        median      range'
for machine in quiet busy; do
  for way in $ways; do
    awk -v machine=$machine -v way="$way" '$1 == machine && $2 == way { print $3 }' "$results" |
      sort -n | awk -v machine=$machine -v way="$way" '
        { ms[NR] = $1 }
        END { printf "%-8s %-10s %10.2f   %.2f to %.2f\n", machine, way, ms[int((NR + 1) / 2)], ms[1], ms[NR] }'
  done
done
