#!/usr/bin/env bash
#
# Says each minute what goes on on a machine, in its guest attribute gazeline/heartbeat (shared/machines/idle/heartbeat.ts),
# so that the idle sweep neither stops somebody at work nor waits for somebody who has gone. It is optional, needs no
# rights in the project, and only reads. To install it on a machine with the metadata enable-guest-attributes=TRUE:
#
#   sudo install -m 755 gazeline-agent.sh /usr/local/bin/gazeline-agent
#   sudo install -m 644 gazeline-agent.service /etc/systemd/system/
#   sudo systemctl enable --now gazeline-agent
#
# Work that looks quiet may say so: `touch /run/gazeline/busy/long-download`, at least once an hour.
#
# --once: a single look, and an error if it cannot be told.
set -Eeuo pipefail

METADATA=http://${GCE_METADATA_HOST:-metadata.google.internal}/computeMetadata/v1
BUSY=${GAZELINE_BUSY:-/run/gazeline/busy}
# Where Jupyter's servers write down where they are; one folder for each person.
RUNTIMES=${GAZELINE_JUPYTER_RUNTIMES:-/root/.local/share/jupyter/runtime /home/*/.local/share/jupyter/runtime}
PERIOD=${GAZELINE_AGENT_PERIOD:-60}
# Between two looks at the GPUs, which may be in use for seconds only.
readonly GLANCE=10
# Bytes a second that count as work.
readonly MUCH=1000000
export LC_ALL=C.UTF-8

utc() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }

# The busiest GPU in per cent; nothing where there is none.
gpu() {
  command -v nvidia-smi >/dev/null || return 0
  timeout 20 nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits 2>/dev/null |
    awk '/^ *[0-9]+ *$/ { if ($1 + 0 >= most) most = $1 + 0; any = 1 } END { if (any) print most }' || true
}

# All bytes of all networks but the machine's own.
network() { awk -F: 'NR > 2 && $1 !~ /^ *lo$/ { split($2, n, " "); sum += n[1] + n[9] } END { printf "%.0f\n", sum }' /proc/net/dev; }

# What says of itself that it is at work: the name of the newest file that was touched within the hour.
busy() {
  [[ -d $BUSY ]] || return 0
  find "$BUSY" -maxdepth 1 -type f -mmin -60 -printf '%T@ %f\n' | sort -rn | head -n 1 | cut -d' ' -f2- |
    tr -cd 'A-Za-z0-9 ._-' | cut -c 1-100
}

# `sessions seconds`: how many there are, and when something was last heard of one. A terminal knows when a key was
# pressed; what has none, as an editor's connection, is known by what it last received.
ssh_sessions() {
  local terminal count=0 last=0 at idle
  while read -r terminal; do
    at=$(stat -c %X "/dev/$terminal" 2>/dev/null) || continue
    count=$((count + 1))
    ((at > last)) && last=$at
  done < <(who 2>/dev/null | awk '{ print $2 }' | grep '^pts/' || true)
  while read -r idle; do
    # Those of the terminals are among them.
    ((count > 0)) && break
    at=$((EPOCHSECONDS - idle / 1000))
    ((at > last)) && last=$at
    others=$((${others:-0} + 1))
  done < <(ss -Htni state established '( sport = :22 )' 2>/dev/null | grep -oE 'lastrcv:[0-9]+' | cut -d: -f2 || true)
  echo "$((count > 0 ? count : ${others:-0})) $last"
}

# {"count":…,"busy":…,"at":…} of all Jupyter servers; nothing if there is none, or one does not answer.
kernels() {
  command -v python3 >/dev/null || return 0
  # shellcheck disable=SC2086 # They are several, and may be patterns.
  timeout 30 python3 -IS - $RUNTIMES <<'PYTHON' 2>/dev/null || true
import glob, json, os, sys, urllib.request
kernels, servers = [], 0
for folder in sys.argv[1:]:
    for file in glob.glob(folder + "/jpserver-*.json") + glob.glob(folder + "/nbserver-*.json"):
        with open(file) as opened: server = json.load(opened)
        # A server that was killed leaves its file.
        if not os.path.exists("/proc/%d" % server["pid"]): continue
        request = urllib.request.Request("http://127.0.0.1:%d%sapi/kernels" % (server["port"], server.get("base_url", "/")))
        if server.get("token"): request.add_header("Authorization", "token " + server["token"])
        with urllib.request.urlopen(request, timeout=10) as answer: kernels += json.load(answer)
        servers += 1
if servers:
    said = {"count": len(kernels), "busy": sum(one["execution_state"] == "busy" for one in kernels)}
    times = [one["last_activity"] for one in kernels if one.get("last_activity")]
    # "2026-11-20T12:00:00.123456Z": seconds are enough.
    if times: said["at"] = max(times)[:19] + "Z"
    print(json.dumps(said))
PYTHON
}

# What is known, as JSON.
heartbeat() {
  local now=$EPOCHSECONDS word sessions last said
  printf '{"at":"%s"' "$(utc "$now")"
  word=$(busy)
  [[ -z $word ]] || printf ',"busy":"%s"' "$word"
  [[ -z $gpu_at ]] || printf ',"gpuAt":"%s"' "$(utc "$gpu_at")"
  [[ -z $network_at ]] || printf ',"networkAt":"%s"' "$(utc "$network_at")"
  said=$(kernels)
  [[ -z $said ]] || printf ',"kernels":%s' "$said"
  read -r sessions last < <(ssh_sessions)
  printf ',"ssh":{"sessions":%d' "$sessions"
  ((last == 0)) || printf ',"at":"%s"' "$(utc "$last")"
  printf '}}'
}

tell() {
  curl -sS -f --connect-timeout 2 --max-time 10 -o /dev/null -X PUT -H 'Metadata-Flavor: Google' \
    --data-binary "$1" "$METADATA/instance/guest-attributes/gazeline/heartbeat"
}

# Sets gpu_at and network_at to now if there was something.
glance() {
  local share bytes seconds
  share=$(gpu)
  # Since the agent began, at the latest: what was before it does not know.
  if [[ -n $share ]] && { [[ -z $gpu_at ]] || ((share >= 5)); }; then gpu_at=$EPOCHSECONDS; fi
  bytes=$(network)
  seconds=$((EPOCHSECONDS - glanced_at))
  if ((seconds > 0 && (bytes - glanced_bytes) / seconds >= MUCH)); then network_at=$EPOCHSECONDS; fi
  glanced_at=$EPOCHSECONDS glanced_bytes=$bytes
}

gpu_at='' network_at='' glanced_at=$EPOCHSECONDS glanced_bytes=$(network)
if [[ ${1:-} == --once ]]; then
  glance
  tell "$(heartbeat)"
  exit
fi
mkdir -p "$BUSY" && chmod 1777 "$BUSY"
told_at=0
while true; do
  glance
  if ((EPOCHSECONDS - told_at >= PERIOD)); then
    # The metadata server may be restarted; the next minute is as good.
    tell "$(heartbeat)" || true
    told_at=$EPOCHSECONDS
  fi
  sleep "$GLANCE"
done
