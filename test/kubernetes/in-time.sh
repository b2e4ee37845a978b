#!/usr/bin/env bash
# `test/kubernetes/in-time.sh SECONDS`: what `npm run test:kubernetes` does, as part of a run that has so many seconds left.
# When they do not do, or when packages and modules that it needs cannot be had, it says that it is left out, which is no failure;
# the last line is `N passed, N failed, N skipped` in any case.
set -uo pipefail
cd "$(dirname "$0")/../.."
ends_s=$((SECONDS + $1))
# What two processors take that have nothing else to do.
tests_s=1080
whole_s=1860

left_out() {
  printf 'left out: %s\n0 passed, 0 failed, 0 skipped\n' "$1"
  exit 0
}
begun_with() { # begun_with SECONDS
  local left=$((ends_s - SECONDS))
  [ "$left" -ge "$1" ] || left_out "no time: $left s are left, it is not begun with less than $1"
}
# Interrupted when the time is up, so that each waits for what it has started; it ends with 124 then.
in_time() { # in_time COMMAND...
  local code
  timeout --signal=INT --kill-after=60 $((ends_s - SECONDS)) "$@"
  code=$?
  [ "$SECONDS" -lt "$ends_s" ] || code=124
  return "$code"
}
output=$(mktemp)
trap 'rm -f "$output"' EXIT

begun_with "$whole_s"
in_time bash test/kubernetes/prepare.sh
code=$?
case $code in
  0) ;;
  69) left_out "what it needs cannot be had here, as said above" ;;
  124) left_out "no time: its programs and images were not made within $1 s" ;;
  *)
    printf 'failed: our programs or images cannot be made, as said above\n0 passed, 1 failed, 0 skipped\n'
    exit "$code"
    ;;
esac
begun_with "$tests_s"
in_time bash test/kubernetes/run.sh >"$output"
code=$?
[ "$code" != 124 ] || left_out "no time: its tests have not ended within $1 s"
cat "$output"
exit "$code"
