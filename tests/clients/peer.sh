# What every group of real peers needs; sourced by tests/clients/GROUP/run.
#   python_peers        a virtual environment of the group's requirements.txt (pinned, hashed): $PYTHON
#   npm_peers           the group's package-lock.json, installed: $NODE_PATH
#   jar_peers           the group's pom.xml, each jar checked against jars.sha256: $JARS
#   start_house FLAG…   a pinpipe of the group's own on free ports: $DATA, and $HOUSE_X for each X of `pinpipe env`
#   check NAME COMMAND… one line a check, its output when it fails
#   finish              the closing line, and the exit code
# Peers are kept in build/peers; everything else lives in a temporary folder that is removed.
set -uo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
GROUP_FOLDER=$(cd "$(dirname "$0")" && pwd)
GROUP=$(basename "$GROUP_FOLDER")
PINPIPE=${PINPIPE:-$ROOT/build/release/src/app/pinpipe}
PEERS=$ROOT/build/peers
SCRATCH=$(mktemp -d)
passed=0
failed=0
house_pid=

end_house() {
  [ -n "$house_pid" ] || return 0
  kill -TERM "$house_pid" 2>/dev/null
  wait "$house_pid" 2>/dev/null
  house_pid=
}
trap 'end_house; rm -rf "$SCRATCH"' EXIT

python_peers() {  # [NAME]: another requirements file of the group, NAME.txt
  local list=$GROUP_FOLDER/${1:-requirements}.txt
  local home; home=$PEERS/$GROUP-${1:-python}-$(sha256sum "$list" | cut -c1-12)
  if [ ! -e "$home/ready" ]; then
    rm -rf "$home"; python3 -m venv "$home" || return 1
    "$home/bin/pip" install --quiet --require-hashes -r "$list" || return 1
    touch "$home/ready"
  fi
  PYTHON=$home/bin/python
}

npm_peers() {
  local home; home=$PEERS/$GROUP-npm-$(sha256sum "$GROUP_FOLDER/package-lock.json" | cut -c1-12)
  if [ ! -e "$home/ready" ]; then
    rm -rf "$home"; mkdir -p "$home"
    cp "$GROUP_FOLDER"/package.json "$GROUP_FOLDER"/package-lock.json "$home"/
    (cd "$home" && npm ci --silent --no-audit --no-fund --ignore-scripts) || return 1
    touch "$home/ready"
  fi
  export NODE_PATH=$home/node_modules
}

jar_peers() {
  JARS=$PEERS/$GROUP-jars-$(sha256sum "$GROUP_FOLDER/pom.xml" | cut -c1-12)
  if [ ! -e "$JARS/ready" ]; then
    rm -rf "$JARS"; mkdir -p "$JARS"
    mvn -q -B -f "$GROUP_FOLDER/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
      -DoutputDirectory="$JARS" || return 1
    (cd "$JARS" && sha256sum --quiet --strict -c "$GROUP_FOLDER/jars.sha256") || return 1
    touch "$JARS/ready"
  fi
}

start_house() {
  DATA=$SCRATCH/data
  "$PINPIPE" --data "$DATA" up --ports auto "$@" >>"$SCRATCH/server.log" 2>&1 &
  house_pid=$!
  for _ in $(seq 200); do
    if grep -q "\"pid\": *$house_pid\b" "$DATA/run/endpoints.json" 2>/dev/null; then
      eval "$("$PINPIPE" --data "$DATA" env -o json | python3 -c '
import json, shlex, sys
for row in json.load(sys.stdin):
    print("HOUSE_" + row["name"] + "=" + shlex.quote(str(row["value"])))')"
      return 0
    fi
    kill -0 "$house_pid" 2>/dev/null || break
    sleep 0.05
  done
  echo "pinpipe did not start:"; tail -n 20 "$SCRATCH/server.log"
  return 1
}

check() {
  local name=$1 began=$SECONDS; shift
  if "$@" >"$SCRATCH/check.log" 2>&1; then
    passed=$((passed + 1)); printf 'ok      %s (%s s)\n' "$name" "$((SECONDS - began))"
  else
    failed=$((failed + 1)); printf 'FAILED  %s\n' "$name"; tail -n "${CHECK_LINES:-40}" "$SCRATCH/check.log" | sed 's/^/        /'
  fi
}

finish() {
  printf '%s passed, %s failed\n' "$passed" "$failed"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
  exit
}
