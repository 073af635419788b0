# shellcheck shell=bash
# Sourced by the scripts whose steps run one after another, all of them or those that are named.
# `steps` are the names of all; each is a function. The first that fails ends the script.

time_limit=20m # for a command
title="no step"
times=()
trap 'status=$?; [ "$status" -eq 0 ] || echo "${0##*/}: failed (status $status) in: $title" >&2' EXIT

# run COMMAND...: shows the command and runs it. A test that hangs does not go on for ever, and is named.
run() {
    local log status=0
    log=$(mktemp)
    echo "+ $*"
    # What goes to stdout may be read by the caller: only the copy has both in their order.
    { timeout --kill-after=10 "$time_limit" "$@" 2>&3 | tee "$log"; } 3>&2 || status=$?
    if [ "$status" -eq 124 ]; then
        echo "stopped after $time_limit: $*" >&2
        unfinished_tests <"$log" >&2
    fi
    rm -f "$log"
    return "$status"
}

# Names the tests that libtest says to be slow, and for which it has no result.
unfinished_tests() {
    awk '
        $1 == "test" && / has been running for over / { slow[$2] }
        $1 == "test" && / \.\.\. / { delete slow[$2] }
        END { for (name in slow) print "still running: " name }
    '
}

# exits_with STATUS COMMAND...: expects the exit status.
exits_with() {
    local expected=$1 status=0
    shift
    run "$@" || status=$?
    [ "$status" -eq "$expected" ] || fail "expected exit status $expected, got $status"
}

# step NAME
step() {
    title=$1
    printf '\n==== %s ====\n' "$title"
    local start=$SECONDS seconds
    "$title"
    seconds=$((SECONDS - start))
    times+=("$(printf '%5d s  %s' "$seconds" "$title")")
    echo "---- $title: $seconds s"
}

# check_names [NAME...]: `--list` shows the names of all steps and ends the script; other names must be among them.
check_names() {
    local name
    if [ "${1-}" = --list ]; then
        printf '%s\n' "${steps[@]}"
        exit
    fi
    for name in "$@"; do
        grep -qxF -e "$name" <<<"$(printf '%s\n' "${steps[@]}")" ||
            fail "there is no step '$name': ${0##*/} --list shows the names of all"
    done
}

# run_steps [NAME...]: those, or all.
run_steps() {
    local name
    [ "$#" -gt 0 ] || set -- "${steps[@]}"
    for name in "$@"; do
        step "$name"
    done
    printf '\n'
    printf '%s\n' "${times[@]}"
    echo "${0##*/}: passed in $SECONDS s"
}

# What is set for other builds and tests must neither change nor break these.
isolate_tests() {
    local name target_dir
    target_dir=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
    isolate_build
    while IFS= read -r name; do unset "$name"; done < <(compgen -e SPANSHOT_ || true)
    unset RUST_LOG
    while IFS= read -r name; do
        case $name in
            INSTA_* | NEXTEST_* | RUST_TEST_* | PROPTEST_*) unset "$name" ;;
        esac
    done < <(compgen -e)
    export CARGO_TARGET_DIR=$target_dir CARGO_INCREMENTAL=0 CARGO_TERM_PROGRESS_WHEN=never CI=true INSTA_UPDATE=no
}

# names_of_features PACKAGE
names_of_features() {
    cargo metadata --locked --no-deps --format-version 1 | python3 -c '
import json, sys
packages = {package["name"]: package for package in json.load(sys.stdin)["packages"]}
print(*packages[sys.argv[1]]["features"], sep="\n")' "$1"
}
