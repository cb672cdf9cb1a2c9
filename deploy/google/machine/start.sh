#!/usr/bin/env bash
#
# What a machine does from its first second to its last: it reads its job from the metadata server, fetches the commit,
# copies the inputs, runs, and brings log, reports, checkpoints and results into the derived bucket. It is the
# `startup-script` of the machine, and of a machine of the local cloud, where GCE_METADATA_HOST names its metadata server.
#
# It asks for what Debian's cloud images and the Deep Learning images have: bash, coreutils, curl, python3 (for JSON and
# percent signs only). git and python3-venv are installed where they are missing.
#
# Nothing that fails on the way to the bucket ends the job, and a last report is written whatever happens. The
# environments `conda` and `container` have only been read through, never run.
#
# Most functions run by way of another one (SC2317). `a && b || c` stands where c is right for either failure (SC2015).
# shellcheck disable=SC2317,SC2015
set -Eeuo pipefail

WORK=${GAZELINE_WORK:-/opt/gazeline}
MEMORY=${GAZELINE_MEMORY:-/dev/shm}
METADATA=http://${GCE_METADATA_HOST:-metadata.google.internal}/computeMetadata/v1
TREE=$WORK/tree
LOG=$WORK/log.txt
# systemd gives a start-up script no home; git and pip want one.
export HOME=${HOME:-/root}
export LC_ALL=C.UTF-8 GIT_TERMINAL_PROMPT=0 DEBIAN_FRONTEND=noninteractive
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1

# ---------------------------------------------------------------------------------------------------- words and files

# Addresses may carry a token: https://x-access-token:TOKEN@github.com/…
mask() { sed -uE 's#([a-zA-Z][a-zA-Z0-9+.-]*://)[^/@[:space:]"'\'']*@#\1***@#g'; }

# To the log, and to the serial port, where it can still be read when nothing else works.
say() {
  local line
  line=$(printf '[gazeline %s] %s\n' "$(date -u +%H:%M:%S)" "$*" | mask)
  printf '%s\n' "$line" 2>/dev/null || true
  # The disk may be full.
  printf '%s\n' "$line" 2>/dev/null >>"$LOG" || true
}

# Why a step failed, in words for a person; to be followed by `return 1`.
because() { printf '%s' "$*" | mask >"$STATE/reason"; }
reason() { cat "$STATE/reason" 2>/dev/null || true; }

# name=text or name:=json; what is empty is left out. Bytes that are no UTF-8 become question marks.
json() {
  python3 -IS -c '
import json, sys
fields = {}
for argument in sys.argv[1:]:
    name, _, value = argument.encode("utf-8", "replace").decode().partition("=")
    if value: fields[name.rstrip(":")] = json.loads(value) if name.endswith(":") else value
print(json.dumps(fields))' "$@"
}

# One text field of a JSON object on standard input: `field error message`. Nothing if it is not there.
field() {
  python3 -IS -c '
import json, sys
try:
    value = json.load(sys.stdin)
    for name in sys.argv[1:]: value = value[name]
    print(value)
except Exception: pass' "$@"
}

encode() { python3 -IS -c 'import os, sys, urllib.parse; print(urllib.parse.quote(os.fsencode(sys.argv[1]), safe=""))' "$1"; }
# Not md5sum's own output: it has hexadecimal digits. Cloud Storage wants base64.
md5_of() {
  local hex bytes='' at
  hex=$(md5sum <"$1") || return 1
  for ((at = 0; at < 32; at += 2)); do bytes+="\x${hex:at:2}"; done
  printf '%b' "$bytes" | base64
}
generation_in() { sed -nE 's/.*"generation": *"([0-9]+)".*/\1/p' "$1"; }
free_disk() { df -Pk "$WORK" | awk 'NR == 2 { printf "%.0f", $4 * 1024 }'; }
# What tells a changed file from an unchanged one.
signature() { stat -c '%s:%.9Y' "$1"; }

# ------------------------------------------------------------------------------------------------------ metadata server

metadata() { curl -sS -f -g --connect-timeout 2 --max-time "${2:-10}" -H 'Metadata-Flavor: Google' "$METADATA/$1"; }

# An attribute of the machine, or the default. Only a 404 means that it is not there.
attribute() {
  local answer code pause=1
  for _ in 1 2 3 4 5 6; do
    answer=$(curl -sS -g --connect-timeout 2 --max-time 10 -H 'Metadata-Flavor: Google' -w '\n%{http_code}' \
      "$METADATA/instance/attributes/$1" 2>/dev/null) || true
    code=${answer##*$'\n'}
    case $code in
      200) printf '%s' "${answer%$'\n'*}" && return ;;
      404) printf '%s' "${2:-}" && return ;;
    esac
    sleep "$pause" && pause=$((pause * 2))
  done
  echo "The metadata server does not give $1 (HTTP $code)" >&2
  return 1
}

number() {
  local value
  value=$(attribute "$1" "$2")
  [[ $value =~ ^[0-9]+$ ]] && echo "$value" || echo "$2"
}

# A machine may be faster than its network.
wait_for_metadata() {
  until metadata instance/id >/dev/null 2>&1; do
    if ((SECONDS > 300)); then
      echo 'gazeline: the metadata server has not answered for 300 seconds'
      return 1
    fi
    sleep 0.5
  done
}

# curl reads the token from a file: what stands in a command line can be seen by every process. The metadata server keeps
# a token until five minutes before its end, so one that was asked for within four is good.
authorize() {
  local file=$STATE/authorization token until=0
  # Its time stands in its first line, a comment.
  [[ ! -e $file ]] || read -r _ until <"$file" || true
  ((EPOCHSECONDS < until)) && return
  token=$(metadata instance/service-accounts/default/token 2>/dev/null | field access_token) || true
  [[ -n $token ]] || return 1
  printf '# %s\nheader = "Authorization: Bearer %s"\n' $((EPOCHSECONDS + 240)) "$token" >"$file.$BASHPID"
  mv "$file.$BASHPID" "$file"
}

# -------------------------------------------------------------------------------------------------------- Cloud Storage

# One request; prints the HTTP status (000: no answer). The body of the answer goes to file $1.
call() {
  local out=$1
  shift
  authorize || { echo 000 && return; }
  curl -sS -g --config "$STATE/authorization" --connect-timeout 10 -H 'Expect:' -o "$out" -w '%{http_code}' "$@" \
    2>/dev/null || true
}

# What a refusal says, for a person.
refusal() {
  local code=$1 message
  message=$(field error message <"$2" 2>/dev/null)
  case $code in
    000) echo 'Cloud Storage did not answer' ;;
    *) echo "Cloud Storage answered ${code}: ${message:-$(head -c 200 "$2" 2>/dev/null)}" ;;
  esac
}

# GET with patience; the answer is in file $2.
get_json() {
  local code pause=1 deadline=$((SECONDS + PATIENCE))
  while :; do
    code=$(call "$2" --max-time 60 "$1")
    [[ $code == 200 ]] && return
    if [[ $code == 40[034] ]] || ((SECONDS >= deadline)); then
      because "$(refusal "$code" "$2")"
      return 1
    fi
    [[ $code == 401 ]] && rm -f "$STATE/authorization"
    sleep "$pause" && pause=$((pause < 30 ? pause * 2 : 30))
  done
}

# Sends a file as one resumable upload, and goes on where it was cut off. The server compares the MD5, so that a file that
# changes meanwhile becomes no object at all. Prints the HTTP status.
# https://cloud.google.com/storage/docs/performing-resumable-uploads
send() {
  local file=$1 name=$2 generation=$3 out=$4 size mtime md5 body code session sent
  read -r size mtime < <(stat -c '%s %Y' "$file") && md5=$(md5_of "$file") || { echo 404 && return; }
  body=$(printf '{"md5Hash":"%s","metadata":{"gazeline-attempt":"%s","goog-reserved-file-mtime":"%s"}}' \
    "$md5" "$ATTEMPT" "$mtime")
  code=$(call "$out" --max-time 60 -D "$out.headers" -H 'Content-Type: application/json' --data "$body" \
    -H "X-Upload-Content-Length: $size" -H "X-Upload-Content-Type: ${5:-application/octet-stream}" \
    "$STORAGE/upload/storage/v1/b/$BUCKET/o?uploadType=resumable&name=$name&ifGenerationMatch=$generation")
  [[ $code == 200 ]] || { echo "$code" && return; }
  session=$(sed -nE 's/^location: *([^[:space:]]+).*/\1/Ip' "$out.headers")
  code=$(call "$out" --speed-time 60 --speed-limit 1 -T "$file" "$session")
  for _ in 1 2 3; do
    [[ $code == 000 || $code == 308 || $code == 5* ]] || break
    code=$(call "$out" --max-time 60 -D "$out.headers" -X PUT -H "Content-Range: bytes */$size" -d '' "$session")
    [[ $code == 308 ]] || continue
    sent=$(sed -nE 's/^range: *bytes=0-([0-9]+).*/\1/Ip' "$out.headers")
    code=$(call "$out" --speed-time 60 --speed-limit 1 -C "$((${sent:--1} + 1))" -T "$file" "$session")
  done
  # It is the session that is not there any more.
  [[ $code != 404 ]] || code=410
  echo "$code"
}

# Brings file $1 to the object with the (encoded) name $2, generation $3 of which is replaced: 0 if it is new. Prints
# the new generation. What a later attempt has written is left alone.
# Ends with 3 if `new` is given, and there is something else already.
put() {
  local file=$1 name=$2 generation=$3 mode=${4:-replace} type=${5:-} code there pause=1 deadline=$((SECONDS + PATIENCE)) out
  out=$STATE/put.$BASHPID
  while :; do
    code=$(send "$file" "$name" "$generation" "$out" "$type")
    case $code in
      200 | 201)
        generation_in "$out"
        rm -f "$out" "$out.headers"
        return
        ;;
      412)
        # It may be ours: an answer got lost. Or that of an earlier attempt.
        there=$(call "$out" --max-time 60 "$STORAGE/storage/v1/b/$BUCKET/o/$name")
        if [[ $there == 200 && $(field md5Hash <"$out") == "$(md5_of "$file")" ]]; then
          generation_in "$out"
          rm -f "$out" "$out.headers"
          return
        fi
        [[ $there == 200 && $mode == new ]] && return 3
        if [[ $there == 200 && $(field metadata gazeline-attempt <"$out") -gt $ATTEMPT ]]; then
          because "A later attempt has written $(field name <"$out")"
          return 1
        fi
        generation=$([[ $there == 200 ]] && generation_in "$out" || echo 0)
        ;;
      401) rm -f "$STATE/authorization" ;;
    esac
    if [[ $code == 400 || $code == 404 ]] || ((SECONDS >= deadline)); then
      because "$(refusal "$code" "$out")"
      return 1
    fi
    [[ $code == 412 ]] || { sleep "$pause" && pause=$((pause < 30 ? pause * 2 : 30)); }
  done
}

# Lists everything below a prefix into file $4, NUL after each field: encoded name, path below folder $3, size, MD5,
# generation, content encoding, time of modification. A part of a name that no folder can hold is written with a percent
# sign, so that no name leads out of the folder.
list_objects() {
  local bucket=$1 prefix=$2 folder=$3 list=$4 token='' url
  : >"$list"
  url="$STORAGE/storage/v1/b/$bucket/o?maxResults=1000&prefix=$(encode "$prefix")"
  url+='&fields=nextPageToken,items(name,size,md5Hash,generation,contentEncoding,metadata)'
  while :; do
    get_json "$url${token:+&pageToken=$token}" "$list.page" || return 1
    token=$(python3 -IS -c '
import json, os, sys, urllib.parse
prefix, folder, out = sys.argv[1:]
safe = {"": "%2F", ".": "%2E", "..": "%2E%2E"}
page = json.load(sys.stdin)
with open(out, "ab") as records:
    for item in page.get("items", []):
        name = item["name"]
        # An empty object that stands for a folder.
        if name.endswith("/") and item["size"] == "0": continue
        parts = name[prefix.rfind("/") + 1:].split("/")
        path = os.path.join(folder, *(safe.get(part, part) for part in parts))
        mtime = item.get("metadata", {}).get("goog-reserved-file-mtime", "")
        values = (urllib.parse.quote(name, safe=""), path, item["size"], item.get("md5Hash", ""),
                  item["generation"], item.get("contentEncoding", ""), mtime if mtime.isdigit() else "")
        records.write(b"".join(value.encode() + b"\0" for value in values))
print(urllib.parse.quote(page.get("nextPageToken", ""), safe=""))' "$prefix" "$folder" "$list" <"$list.page") || return 1
    [[ -n $token ]] || return 0
  done
}

# Copies one object, exactly the generation that was listed, and compares it.
download() {
  local bucket=$1 name=$2 path=$3 size=$4 md5=$5 generation=$6 encoding=$7 mtime=$8 code why='' part=$3.gazeline-part
  mkdir -p "$(dirname "$path")" || { because "No folder can be made for $path" && return 1; }
  for pause in 1 2 4 8 0; do
    # As it is stored: without this header a gzipped object would come unpacked, and its MD5 would not fit.
    code=$(call "$part" --speed-time 60 --speed-limit 1 -H 'Accept-Encoding: gzip' \
      "$STORAGE/storage/v1/b/$bucket/o/$name?alt=media&generation=$generation")
    # curl makes no file where nothing comes.
    [[ $size == 0 && $code == 200 ]] && : >"$part"
    if [[ $code == 200 && $(stat -c %s "$part") == "$size" ]] && [[ -z $md5 || $(md5_of "$part") == "$md5" ]]; then
      if [[ $encoding == gzip ]]; then
        gunzip -c <"$part" >"$path" && rm "$part" || return 1
      else
        mv "$part" "$path" || return 1
      fi
      [[ -z $mtime ]] || touch -d "@$mtime" "$path"
      # A composed object has no MD5: then its size is all that is compared.
      return 0
    fi
    why=$(refusal "$code" "$part")
    [[ $code == 200 ]] && why='what arrived is not what was sent'
    [[ $code == 401 ]] && rm -f "$STATE/authorization"
    [[ $code == 404 || $code == 403 ]] && break
    sleep "$pause"
  done
  because "gs://$bucket/$(python3 -IS -c 'import sys, urllib.parse; print(urllib.parse.unquote(sys.argv[1]))' "$name"): $why"
  return 1
}

# Gives NUL-separated values from standard input, $1 at a time, to a function, 8 of which run at once. The first failure
# ends it (255): a thousand more would each be tried again for as long.
in_parallel() {
  local values=$1
  shift
  (
    export WORK LOG STATE METADATA STORAGE BUCKET ATTEMPT PATIENCE
    # shellcheck disable=SC2046 # names of functions have no spaces
    export -f $(compgen -A function)
    # shellcheck disable=SC2016 # the inner shell expands it
    xargs -0 -r -n "$values" -P 8 bash -uo pipefail -c '"$0" "$@" || exit 255' "$@"
  )
}

# ----------------------------------------------------------------------------------------------------- log and reports

# Sends what the log has grown by as the next piece, at most 1 MB, whole lines if there are any. A piece that could not be
# sent is sent again as it was.
ship_log() {
  local sequence offset piece size
  read -r sequence offset <"$STATE/shipped"
  piece=$STATE/piece.$offset
  if [[ ! -s $piece ]]; then
    tail -c "+$((offset + 1))" "$LOG" 2>/dev/null | head -c 1000000 >"$piece.new" || true
    [[ -s $piece.new ]] || return 1
    # An unfinished last line waits for its end, unless it is all there is.
    if [[ ${1:-} != all && -n $(tail -c 1 "$piece.new" | tr -d '\0') ]]; then
      size=$(python3 -IS -c 'import sys; print(open(sys.argv[1], "rb").read().rfind(b"\n") + 1)' "$piece.new")
      ((size == 0)) || truncate -s "$size" "$piece.new"
    fi
    mask <"$piece.new" >"$piece.masked"
    mv "$piece.new" "$piece"
  fi
  put "$piece.masked" "$PLACE%2Flog%2F$(printf %06d "$sequence").txt" 0 new 'text/plain; charset=utf-8' >/dev/null ||
    [[ $? == 3 ]] || return 2
  # Whoever is ended before this is done sends the piece again, and finds it there.
  echo "$((sequence + 1)) $((offset + $(stat -c %s "$piece")))" >"$STATE/shipped.new" && mv "$STATE/shipped.new" "$STATE/shipped"
  rm -f "$piece"
}

last_lines() { tail -c 20000 "$LOG" 2>/dev/null | tr '\r' '\n' | tail -n 20 | tail -c 4000 | mask || true; }

# The share of the time since the last report that the processors worked.
cpu_use() {
  [[ -r /proc/stat ]] || return 0
  awk -v before="$(cat "$STATE/cpu" 2>/dev/null)" -v file="$STATE/cpu" '
    $1 == "cpu" {
      total = 0; for (i = 2; i <= 9; i++) total += $i
      idle = $5 + $6
      split(before, old, " ")
      if (before != "" && total > old[1]) printf "%.3f", 1 - (idle - old[2]) / (total - old[1])
      print total, idle >file
    }' /proc/stat
}

gpu_use() {
  command -v nvidia-smi >/dev/null || return 0
  timeout 10 nvidia-smi --query-gpu=name,utilization.gpu,memory.used --format=csv,noheader,nounits 2>/dev/null |
    python3 -IS -c '
import json, sys
rows = [[part.strip() for part in line.split(",")] for line in sys.stdin if line.strip()]
number = lambda text, by: float(text) * by if text.replace(".", "").isdigit() else None
print(json.dumps([{"name": name, "use": number(use, 0.01), "memory": number(memory, 1048576)} for name, use, memory in rows]))' ||
    true
}

# Writes the next report, for the given phase. The fields are in files, since several processes know them.
report() {
  local sequence known=() code=0 name file=$STATE/report.json
  local texts=(commit checkpoint) numbers=()
  [[ $1 != uploading ]] || texts+=(reason)
  [[ $1 != finished ]] || texts+=(outcome reason) numbers+=(exitCode results)
  for name in "${texts[@]}"; do [[ ! -e $STATE/$name ]] || known+=("$name=$(<"$STATE/$name")"); done
  for name in "${numbers[@]}"; do [[ ! -e $STATE/$name ]] || known+=("$name:=$(<"$STATE/$name")"); done
  known+=("cpu:=$(cpu_use)" "gpu:=$(gpu_use)" "freeDisk:=$(free_disk || true)" "lastLines=$(last_lines)")
  while :; do
    sequence=$(<"$STATE/sequence")
    json "job=$JOB" "attempt:=$ATTEMPT" "sequence:=$sequence" "phase=$1" "at=$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
      "${known[@]}" >"$file" || return 1
    code=0
    put "$file" "$PLACE%2Freports%2F$(printf %06d "$sequence").json" 0 new application/json >/dev/null || code=$?
    # Another report has this number: written by an earlier boot of this machine, or its answer got lost.
    ((code == 0 || code == 3)) && echo $((sequence + 1)) >"$STATE/sequence"
    ((code == 3)) || return "$code"
  done
}

phase() {
  say "$1"
  echo "$1" >>"$STATE/phases"
}

# Sends log and reports for as long as the job runs; when it is told to stop, what is still to be sent.
keep_reporting() {
  local seen=0 current=starting next_report=0 next_log=0 phases last code
  local pause=1
  PATIENCE=0
  while :; do
    last=no
    [[ ! -e $STATE/stop ]] || last=yes
    mapfile -t phases <"$STATE/phases"
    while ((seen < ${#phases[@]} || SECONDS >= next_report)); do
      ((seen >= ${#phases[@]})) || current=${phases[seen]}
      if report "$current"; then
        pause=1
        next_report=$((SECONDS + REPORT_SECONDS))
        ((seen >= ${#phases[@]})) || seen=$((seen + 1))
      else
        next_report=$((SECONDS + pause)) pause=$((pause < 60 ? pause * 2 : 60))
        break
      fi
    done
    if ((SECONDS >= next_log)); then
      next_log=$((SECONDS + LOG_SECONDS))
      while ship_log; do :; done
    fi
    [[ $last == no ]] || return 0
    sleep 0.3
  done
}

# ----------------------------------------------------------------------------------------------------------- processes

stopped=no
can_report=no
helpers=()

# A process in the background with a group of its own, so that it can be ended with all its children.
background() {
  set -m
  "$@" &
  set +m
  helpers+=($!)
  # Its end is nothing that bash has to tell.
  disown
}

end_group() { kill -"${2:-TERM}" -- "-$1" 2>/dev/null || true; }

# Runs something long in a group of its own: bash heeds a signal only between commands, or while it waits. If the machine
# has to go, the group is told, has its seconds of grace, and is killed.
patiently() {
  local pid code=0 left
  set -m
  "$@" &
  set +m
  pid=$!
  while [[ $stopped == no ]]; do
    code=0
    wait "$pid" || code=$?
    kill -0 "$pid" 2>/dev/null && continue
    # What it left running goes with it.
    end_group "$pid" KILL
    return "$code"
  done
  end_group "$pid"
  left=$((GRACE_SECONDS * 10))
  while ((left-- > 0)) && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  end_group "$pid" KILL
  wait "$pid" 2>/dev/null || true
  return 143
}

# The notice comes 30 seconds before the end. https://cloud.google.com/compute/docs/instances/spot
watch_preemption() {
  local etag=0 headers=$STATE/preempted.headers said
  while :; do
    if said=$(curl -sS -f -g --connect-timeout 2 --max-time 90 -D "$headers" -H 'Metadata-Flavor: Google' \
      "$METADATA/instance/preempted?wait_for_change=true&timeout_sec=60&last_etag=$etag" 2>/dev/null); then
      etag=$(sed -nE 's/^etag: *([^[:space:]]+).*/\1/Ip' "$headers")
      if [[ $said == TRUE ]]; then
        kill -TERM $$
        return
      fi
    else
      sleep 1
    fi
  done
}

# Only for TPUs: virtual machines are ended by Compute Engine itself. Half a minute is for the checkpoint and the report.
watch_time() {
  local limit=$1
  sleep $((limit > 60 ? limit - 30 : limit / 2))
  touch "$STATE/over"
  kill -TERM $$
}

# ---------------------------------------------------------------------------------------------------------- checkpoints

# Lists the files of a folder that differ from what file $2 knows of them, NUL after each field: encoded name below the
# (encoded) prefix $3, path, signature, generation to be replaced. A file that was written to within the last second may
# not be whole: it waits for the next time, unless everything is wanted. Then come those that are not there any more.
changed_files() {
  python3 -IS -c '
import os, sys, time, urllib.parse
folder, state, prefix, everything = (os.fsencode(argument) for argument in sys.argv[1:])
known = {}
for line in open(state, "rb"):
    name, signature, generation = line.rstrip(b"\n").split(b"\t")
    known[name] = (signature, generation)
there = set()
for root, _, names in os.walk(folder):
    for name in names:
        path = os.path.join(root, name)
        if not os.path.isfile(path): continue
        stat = os.stat(path)
        parts = os.path.relpath(path, folder)
        encoded = prefix + urllib.parse.quote(parts, safe="").encode()
        there.add(encoded)
        signature = b"%d:%d.%09d" % (stat.st_size, stat.st_mtime_ns // 10**9, stat.st_mtime_ns % 10**9)
        old, generation = known.get(encoded, (b"", b"0"))
        if signature == old or (everything != b"yes" and time.time() - stat.st_mtime < 1): continue
        sys.stdout.buffer.write(b"".join(value + b"\0" for value in (encoded, path, signature, generation)))
# An emptied folder is no wish to lose everything.
for encoded, (signature, generation) in known.items():
    if there and encoded not in there and signature != b"gone":
        sys.stdout.buffer.write(b"".join(value + b"\0" for value in (encoded, b"", b"gone", generation)))
' "$@"
}

save_checkpoint() {
  local name=$1 path=$2 signature=$3 generation=$4 code
  if [[ $signature == gone ]]; then
    # Programs keep their last checkpoints only; so does the bucket, once the newer ones are there.
    [[ ! -e $STATE/checkpoint-failed ]] || return 0
    code=$(call /dev/null --max-time 60 -X DELETE "$STORAGE/storage/v1/b/$BUCKET/o/$name?ifGenerationMatch=$generation")
    [[ $code == 204 || $code == 404 || $code == 412 ]] || return 0
    generation=0
  else
    generation=$(put "$path" "$name" "$generation") || { touch "$STATE/checkpoint-failed" && return; }
  fi
  printf '%s\t%s\t%s\n' "$name" "$signature" "$generation" >>"$STATE/checkpoints"
}

# $1: yes for all files, also those that were written to a moment ago.
save_checkpoints() {
  [[ -n $CHECKPOINTS && -d $CHECKPOINTS ]] || return 0
  rm -f "$STATE/checkpoint-failed"
  changed_files "$CHECKPOINTS" "$STATE/checkpoints" "jobs%2F$JOB%2Fcheckpoints%2F" "$1" >"$STATE/changed" || return 1
  [[ -s $STATE/changed ]] || return 0
  # One that cannot be saved does not keep the others from it.
  if in_parallel 4 save_checkpoint <"$STATE/changed" && [[ ! -e $STATE/checkpoint-failed ]]; then
    date -u +%Y-%m-%dT%H:%M:%SZ >"$STATE/checkpoint.new" && mv "$STATE/checkpoint.new" "$STATE/checkpoint"
  else
    say "The checkpoint could not be saved whole: $(reason)"
    rm -f "$STATE/reason"
    return 1
  fi
}

keep_saving() {
  while sleep "$CHECKPOINT_SECONDS"; do save_checkpoints no || true; done
}

restore_checkpoint() {
  download "$BUCKET" "$@" || return 1
  printf '%s\t%s\t%s\n' "$1" "$(signature "$2")" "$5" >>"$STATE/checkpoints"
}

restore_checkpoints() {
  [[ -n $CHECKPOINTS ]] || return 0
  mkdir -p "$CHECKPOINTS"
  list_objects "$BUCKET" "jobs/$JOB/checkpoints/" "$CHECKPOINTS" "$STATE/list" || return 1
  [[ -s $STATE/list ]] || return 0
  enough_disk "$STATE/list" || return 1
  in_parallel 7 restore_checkpoint <"$STATE/list" || return 1
  say "restored $(tr -cd '\0' <"$STATE/list" | wc -c | awk '{ print $1 / 7 }') checkpoint files"
}

# ------------------------------------------------------------------------------------------------------- fetch and install

# $1: a command; $2: the package that brings it
need() {
  command -v "$1" >/dev/null || install_package "$2"
}

install_package() {
  say "installs $1"
  # Other things are installed too while a machine boots.
  { apt-get -qq update && apt-get -qq -y -o DPkg::Lock::Timeout=300 install "$1"; } >>"$LOG" 2>&1 ||
    { because "$1 is missing, and apt-get could not install it: $(tail -n 3 "$LOG")" && return 1; }
}

# The one commit with nothing before it; everything where a server does not give single commits, or only the beginning of
# its number is known.
fetch_commit() {
  local want=$1
  git fetch -q --depth 1 -- "$REPOSITORY" "$want" && git checkout -q --detach FETCH_HEAD && return
  git fetch -q --tags -- "$REPOSITORY" '+refs/heads/*:refs/remotes/origin/*' || return 1
  want=$(git rev-parse -q --verify --end-of-options "$want^{commit}" || git rev-parse -q --verify "origin/$want^{commit}") ||
    return 1
  git checkout -q --detach "$want"
}

fetch() {
  local want=${COMMIT:-$REF} words=$STATE/git.txt pause=1 deadline=$((SECONDS + PATIENCE))
  [[ -n $REPOSITORY ]] || { mkdir -p "$TREE" && return; }
  need git git || return 1
  mkdir -p "$TREE" && cd "$TREE" && git init -q || return 1
  until fetch_commit "${want:-HEAD}" 2>"$words"; do
    if grep -qiE 'could not resolve|timed out|connection|HTTP 5|early EOF|RPC failed' "$words" && ((SECONDS < deadline)); then
      sleep "$pause" && pause=$((pause * 2))
      continue
    fi
    because "$REPOSITORY has no ${want:-HEAD} that can be fetched. git says: $(grep -m 2 -E 'fatal|error' "$words" | tr '\n' ' ')" \
      'Is it pushed? May this machine read the repository? Submit the job again with a branch, tag or commit that' \
      "git ls-remote shows."
    return 1
  done
  # It holds the address, and so perhaps a token.
  rm -f .git/FETCH_HEAD
  git rev-parse HEAD >"$STATE/commit"
  if [[ -f .gitmodules ]]; then
    git submodule -q update --init --depth 1 2>"$words" ||
      { because "The submodules could not be fetched. git says: $(grep -m 2 -E 'fatal|error' "$words" | tr '\n' ' ')" && return 1; }
  fi
  say "is at commit $(<"$STATE/commit")"
}

# A venv that sees what the image has: torch and its drivers are not installed a second time.
make_venv() {
  python3 -m venv --system-site-packages "$WORK/venv" >>"$LOG" 2>&1 && return
  install_package python3-venv && python3 -m venv --system-site-packages "$WORK/venv" >>"$LOG" 2>&1 ||
    { because "python3 -m venv failed: $(tail -n 3 "$LOG")" && return 1; }
}

pip_install() {
  "$WORK/venv/bin/python" -m pip install -q "$@" >>"$LOG" 2>&1 ||
    { because "pip could not install $*: $(tail -n 5 "$LOG")" && return 1; }
}

install() {
  cd "$TREE" || return 1
  local file
  case $ENVIRONMENT in
    none | pip)
      if [[ $ENVIRONMENT == pip ]]; then
        file=${REQUIREMENTS:-requirements.txt}
        [[ -f $file ]] || { because "The repository has no file $file" && return 1; }
        make_venv && pip_install -r "$file" || return 1
      fi
      if [[ $RUN == notebook ]] && ! "$(python_of)" -c 'import papermill, ipykernel' 2>/dev/null; then
        [[ -d $WORK/venv ]] || make_venv || return 1
        pip_install papermill ipykernel || return 1
      fi
      ;;
    conda)
      command -v conda >/dev/null || { because 'The image of this machine has no conda' && return 1; }
      file=${REQUIREMENTS:-environment.yml}
      conda env create -q -y -p "$WORK/conda" -f "$file" >>"$LOG" 2>&1 ||
        { because "conda could not make the environment of $file: $(tail -n 5 "$LOG")" && return 1; }
      ;;
    container)
      command -v docker >/dev/null || { because 'The image of this machine has no docker' && return 1; }
      docker pull -q "$REQUIREMENTS" >>"$LOG" 2>&1 ||
        { because "The image $REQUIREMENTS could not be fetched: $(tail -n 3 "$LOG")" && return 1; }
      ;;
    *)
      because "The environment $ENVIRONMENT is none of: none, pip, conda, container"
      return 1
      ;;
  esac
}

python_of() { [[ -x $WORK/venv/bin/python ]] && echo "$WORK/venv/bin/python" || command -v python3; }

# --------------------------------------------------------------------------------------------------------------- inputs

# Said before it begins, not after an hour of copying. $1: a list as `list_objects` makes it
enough_disk() {
  local name path size rest total=0 free
  while IFS= read -r -d '' name && IFS= read -r -d '' path && IFS= read -r -d '' size; do
    for rest in 1 2 3 4; do IFS= read -r -d '' _; done
    total=$((total + size))
  done <"$1"
  free=$(free_disk)
  if ((total + SPARE_BYTES > free)); then
    because "The files need $total bytes and $SPARE_BYTES are to stay free, but the disk has only $free: ask for a larger disk"
    return 1
  fi
}

copy_inputs() {
  local line bucket prefix folder
  while IFS= read -r line; do
    [[ -n $line ]] || continue
    # Not by `read`, which takes two tabs for one: a prefix may be empty, for the whole bucket.
    bucket=${line%%$'\t'*} line=${line#*$'\t'} prefix=${line%%$'\t'*} folder=${line#*$'\t'}
    list_objects "$bucket" "$prefix" "$TREE/${folder:-.}" "$STATE/list" ||
      { because "gs://$bucket/$prefix cannot be listed. $(reason)" && return 1; }
    [[ -s $STATE/list ]] || { because "Nothing lies below gs://$bucket/$prefix" && return 1; }
    enough_disk "$STATE/list" || return 1
    in_parallel 7 download "$bucket" <"$STATE/list" || return 1
    say "copied gs://$bucket/$prefix to ${folder:-.}"
  done <<<"$INPUTS"
}

# ------------------------------------------------------------------------------------------------------------------ run

# The parameters as assignments, NUL after each: text as it is, everything else as JSON. What is no name of a variable, or
# would change one that is there, is in the file only.
assignments() {
  python3 -I -c '
import json, os, re, sys
for name, value in json.load(open(sys.argv[1])).items():
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) or name in os.environ or name.startswith("GAZELINE_"): continue
    text = value if isinstance(value, str) else json.dumps(value)
    if "\0" not in text: sys.stdout.buffer.write(f"{name}={text}\0".encode("utf-8", "surrogatepass"))' "$1"
}

run() {
  local command=() arguments=() variables=() before=() file=$WORK/parameters.json kernel=() path
  cd "$TREE" || return 1
  mapfile -d '' -t variables < <(assignments "$file")
  variables+=("GAZELINE_JOB=$JOB" "GAZELINE_ATTEMPT=$ATTEMPT" "GAZELINE_PARAMETERS=$file" "GAZELINE_RESULTS=${RESULTS[0]}"
    PYTHONUNBUFFERED=1)
  [[ -z $CHECKPOINTS ]] || variables+=("GAZELINE_CHECKPOINTS=$CHECKPOINTS")
  [[ ! -d $WORK/venv ]] || variables+=("PATH=$WORK/venv/bin:$PATH" "VIRTUAL_ENV=$WORK/venv")

  case $RUN in
    notebook)
      # A notebook that was written elsewhere names a kernel that may not be here; a Python one runs in this Python.
      if [[ $(field metadata kernelspec language <"$TARGET") =~ ^(python)?$ ]]; then kernel=(-k python3); fi
      # shellcheck disable=SC2016 # the inner shell expands it
      command=(bash -c 'python3 -c "import papermill" 2>/dev/null || python3 -m pip install -q papermill ipykernel
        exec python3 -m papermill "$@"' papermill --no-progress-bar --log-output --cwd "$(dirname "$TARGET")"
        -f "$file" "${kernel[@]}" "$TARGET" "$EXECUTED")
      ;;
    script)
      [[ -z $ARGUMENTS ]] || mapfile -t arguments <<<"$ARGUMENTS"
      path=./${TARGET#./}
      case $TARGET in
        *.py) command=(python3 "$path" "${arguments[@]}") ;;
        *.sh) command=(bash "$path" "${arguments[@]}") ;;
        *.R | *.r) command=(Rscript "$path" "${arguments[@]}") ;;
        *) command=("$path" "${arguments[@]}") ;;
      esac
      ;;
    command) command=(bash -c "$TARGET") ;;
  esac

  case $ENVIRONMENT in
    conda) before=(conda run --no-capture-output -p "$WORK/conda") ;;
    container)
      before=(docker run --rm --init --network host -v "$WORK:$WORK" -w "$TREE" --entrypoint '')
      command -v nvidia-smi >/dev/null && before+=(--gpus all)
      for path in "${variables[@]}"; do before+=(-e "$path"); done
      before+=("$REQUIREMENTS")
      ;;
  esac
  trap - PIPE
  exec env "${variables[@]}" "${before[@]}" "${command[@]}" >>"$LOG" 2>&1 </dev/null
}

explain() {
  local words
  case $1 in
    126) words='The command was found but cannot be run: is it executable?' ;;
    127) words='A command or file was not found.' ;;
    134) words='It was aborted (SIGABRT).' ;;
    137) words='It was killed (SIGKILL), most likely because memory ran out: ask for a machine with more.' ;;
    139) words='It read or wrote memory that is not its own (SIGSEGV).' ;;
    143) words='It was told to end (SIGTERM).' ;;
    *) words='The last lines of its log say more.' ;;
  esac
  local lines
  lines=$(tail -n 200 "$LOG" | tr -d '\0')
  # The words may not have fitted on the disk either.
  if grep -qiE 'no space left on device|ENOSPC|disk quota exceeded' <<<"$lines" || (($(free_disk) < 1000000)); then
    words='The disk is full (no space left on device): ask for a larger disk.'
  elif grep -qE 'DeadKernelError|Kernel died' <<<"$lines"; then
    words="The notebook's kernel died, most likely because memory ran out: ask for a machine with more."
  elif grep -qE 'CUDA out of memory|OutOfMemoryError' <<<"$lines"; then
    words='The memory of the accelerator ran out.'
  fi
  printf 'Exit code %s. %s' "$1" "$words"
}

# -------------------------------------------------------------------------------------------------------------- results

# Lists the files of the result folders: encoded path, file; NUL after each. The path begins below the folder, or below
# the working tree if there are several folders. What a bucket cannot hold in a name (line breaks, bytes that are no
# UTF-8) is written with a percent sign. Pipes and sockets are none; links to folders are not followed.
result_files() {
  python3 -IS -c '
import os, sys, urllib.parse
tree, *folders = (os.fsencode(argument) for argument in sys.argv[1:])
def name_of(path):
    try: path.decode()
    except UnicodeDecodeError: bad = range(128, 256)
    else: bad = ()
    if not bad and not (b"\n" in path or b"\r" in path): return path
    return b"".join(b"%%%02X" % byte if byte in (10, 13, 37) or byte in bad else bytes((byte,)) for byte in path)
for folder in folders:
    base = tree if len(folders) > 1 else folder
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(root, name)
            if not os.path.isfile(path): continue
            encoded = urllib.parse.quote(name_of(os.path.relpath(path, base)), safe="").encode()
            sys.stdout.buffer.write(encoded + b"\0" + path + b"\0")' "$TREE" "${RESULTS[@]}"
  if [[ -f $EXECUTED ]]; then printf '%s\0%s\0' "$(encode "${EXECUTED##*/}")" "$EXECUTED"; fi
}

upload_result() {
  local md5 size
  md5=$(md5_of "$3") && size=$(stat -c %s "$3") || return 1
  put "$3" "$1$2" 0 >/dev/null || return 1
  printf '%s\t%s\t%s\n' "$2" "$size" "$md5" >>"$STATE/uploaded"
}

# $1: results, or unsaved%2F<n>. The manifest comes last: with it, everything is there.
upload_results() {
  local prefix="jobs%2F$JOB%2F$1%2F"
  : >"$STATE/uploaded"
  result_files >"$STATE/results.list" || return 1
  in_parallel 2 upload_result "$prefix" <"$STATE/results.list" || return 1
  python3 -IS -c '
import json, sys, urllib.parse
files = [line.rstrip("\n").split("\t") for line in sys.stdin]
files = sorted(({"path": urllib.parse.unquote(path), "size": int(size), "md5": md5} for path, size, md5 in files), key=lambda file: file["path"])
print(json.dumps({"attempt": int(sys.argv[1]), "commit": sys.argv[2], "files": files}, indent=2))
with open(sys.argv[3], "w") as summary: json.dump({"files": len(files), "bytes": sum(file["size"] for file in files)}, summary)
' "$ATTEMPT" "$(cat "$STATE/commit" 2>/dev/null || true)" "$STATE/results.sum" <"$STATE/uploaded" >"$STATE/manifest.json" || return 1
  put "$STATE/manifest.json" "${prefix}manifest.json" 0 replace application/json >/dev/null || return 1
  mv "$STATE/results.sum" "$STATE/results"
}

# A fall-back prefix first; if that is refused too, the disk, for as long as somebody may come and fetch them.
rescue_results() {
  local why until machine zone
  why=$(reason)
  say "The results could not be uploaded: $why"
  if upload_results "unsaved%2F$ATTEMPT"; then
    because "The results could not be written to their place ($why). They are in gs://$BUCKET/jobs/$JOB/unsaved/$ATTEMPT/"
    return
  fi
  machine=$(metadata instance/name || echo MACHINE) zone=$(metadata instance/zone || echo ZONE)
  until=$((SECONDS + RESCUE_SECONDS))
  because "The results could not be uploaded ($why). They stay on the machine for $RESCUE_SECONDS seconds:" \
    "gcloud compute scp $machine:${RESULTS[0]} . --recurse --zone=${zone##*/}"
  cp "$STATE/reason" "$STATE/kept"
  say "$(reason)"
  echo uploading >>"$STATE/phases"
  while ((SECONDS < until)); do
    sleep $((until - SECONDS < 30 ? until - SECONDS : 30))
    if upload_results results; then
      rm -f "$STATE/reason"
      return 0
    fi
    cp "$STATE/kept" "$STATE/reason"
  done
  because "The results could not be uploaded ($why), and were kept for $RESCUE_SECONDS seconds"
}

# ------------------------------------------------------------------------------------------------------ beginning and end

end() {
  echo "$1" >"$STATE/outcome"
  [[ -z ${2:-} ]] || because "$2"
  exit 0
}

# After a step that did not succeed: the machine has to go, or the step failed.
end_unless_stopped() {
  [[ $stopped == no ]] || end_stopped
  end "$1" "${2:-$(reason)}"
}

end_stopped() {
  local preempted
  preempted=$(metadata instance/preempted 2 2>/dev/null || metadata instance/scheduling/preemptible 2 2>/dev/null || echo TRUE)
  for pid in "${helpers[@]}"; do end_group "$pid"; done
  helpers=()
  if [[ -e $STATE/over ]]; then
    echo failed >"$STATE/outcome"
    because 'It reached the limit of its time or money'
  elif [[ $preempted == TRUE ]]; then
    echo preempted >"$STATE/outcome"
    because 'Google took the machine back (preemption)'
  else
    echo cancelled >"$STATE/outcome"
    because 'The machine was stopped from outside: the job was cancelled, or its time was over'
  fi
  if [[ -e $STATE/ran ]]; then
    local why
    why=$(reason)
    # A third of the 30 seconds; a checkpoint is worth more than a line of the log.
    PATIENCE=5
    bounded 10 save_checkpoints yes || why+='; the last checkpoint could not be saved'
    because "$why"
  fi
  exit 0
}

# Runs a function for at most so many seconds.
bounded() {
  local left=$(($1 * 10)) pid
  shift
  set -m
  "$@" &
  set +m
  pid=$!
  while ((left-- > 0)) && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  end_group "$pid" KILL
  wait "$pid" 2>/dev/null
}

flush_log() { until code=0 && { ship_log all || code=$?; } && ((code == 1)); do ((code == 0)) || sleep 1; done; }

# Whatever happened: the rest of the log, the last report, and off.
finish() {
  local code=$? log_seconds=60 left pid
  trap - EXIT ERR
  trap '' TERM INT
  set +e
  if [[ $can_report == yes ]]; then
    touch "$STATE/stop"
    if [[ ! -s $STATE/outcome ]]; then
      [[ -e $STATE/ran ]] && echo failed >"$STATE/outcome" || echo setup-failed >"$STATE/outcome"
      because "The start-up script itself failed, ${broken:-with exit code $code}"
    fi
    say "ends: $(<"$STATE/outcome"). $(reason)"
    PATIENCE=120
    [[ $stopped == no ]] || { PATIENCE=5 && log_seconds=3; }
    # The one that reports may still have something to say.
    left=200
    [[ $stopped == no ]] || left=10
    while ((left-- > 0 && ${#helpers[@]} > 0)) && kill -0 "${helpers[0]}" 2>/dev/null; do sleep 0.1; done
    for pid in "${helpers[@]}"; do end_group "$pid" KILL; done
    bounded "$log_seconds" flush_log
    report finished || echo 'gazeline: the last report could not be written'
    last_lines 2>/dev/null
    touch "$WORK/finished-$JOB-$ATTEMPT"
  fi
  rm -rf "$STATE"
  # On a laptop, a machine is this process.
  if [[ -n ${GAZELINE_POWEROFF:-} ]]; then
    $GAZELINE_POWEROFF
  elif [[ -z ${GCE_METADATA_HOST:-} ]]; then
    poweroff
  fi
}

read_job() {
  ATTEMPT=$(attribute gazeline-attempt 1)
  BUCKET=$(attribute gazeline-derived-bucket)
  STORAGE=$(attribute gazeline-storage https://storage.googleapis.com)
  REPOSITORY=$(attribute gazeline-repository)
  COMMIT=$(attribute gazeline-commit)
  REF=$(attribute gazeline-ref)
  RUN=$(attribute gazeline-run command)
  TARGET=$(attribute gazeline-target)
  ARGUMENTS=$(attribute gazeline-arguments)
  ENVIRONMENT=$(attribute gazeline-environment none)
  REQUIREMENTS=$(attribute gazeline-requirements)
  INPUTS=$(attribute gazeline-inputs)
  CHECKPOINTS=$(attribute gazeline-checkpoints)
  CHECKPOINT_SECONDS=$(number gazeline-checkpoint-seconds 300)
  REPORT_SECONDS=$(number gazeline-report-seconds 30)
  LOG_SECONDS=$(number gazeline-log-seconds 5)
  RESCUE_SECONDS=$(number gazeline-rescue-seconds 900)
  GRACE_SECONDS=$(number gazeline-grace-seconds 8)
  # How long a request is tried again, and how much of the disk copies must leave free.
  PATIENCE=$(number gazeline-retry-seconds 120)
  SPARE_BYTES=$(number gazeline-spare-bytes 1000000000)
  PLACE="jobs%2F$JOB%2Fattempts%2F$ATTEMPT"
  EXECUTED=''
  if [[ $RUN == notebook ]]; then
    EXECUTED=${TARGET##*/} && EXECUTED=$WORK/executed/${EXECUTED%.ipynb}.executed.ipynb
  fi
  [[ -z $CHECKPOINTS ]] || CHECKPOINTS=$TREE/$CHECKPOINTS
  local folders
  folders=$(attribute gazeline-results)
  mapfile -t RESULTS < <(sed '/^$/d' <<<"$folders")
  RESULTS=("${RESULTS[@]/#/$TREE/}")
  # Who named none still finds a place in GAZELINE_RESULTS.
  ((${#RESULTS[@]} > 0)) || RESULTS=("$WORK/results")
}

check_target() {
  [[ $RUN == notebook || $RUN == script || $RUN == command ]] ||
    { because "gazeline-run is $RUN, and none of: notebook, script, command" && return 1; }
  [[ $RUN == command || -f $TREE/$TARGET ]] ||
    { because "The repository has no file $TARGET at commit $(cat "$STATE/commit" 2>/dev/null || true)" && return 1; }
}

main() {
  mkdir -p "$WORK"
  # A full disk must not stop the reports: what they need is in memory, where there is a place for it.
  STATE=$(mktemp -d -p "$MEMORY" gazeline.XXXXXX 2>/dev/null || mktemp -d "$WORK/state.XXXXXX")
  trap finish EXIT
  trap 'broken="at line $LINENO: $BASH_COMMAND"' ERR
  trap 'stopped=yes' TERM INT
  # Whoever reads the serial port may go away.
  trap '' PIPE
  : >>"$LOG"

  wait_for_metadata
  JOB=$(attribute gazeline-job)
  if [[ -z $JOB ]]; then
    echo 'gazeline: this machine has no job' && exit 1
  fi
  read_job
  if [[ -e $WORK/finished-$JOB-$ATTEMPT ]]; then
    echo 'gazeline: this attempt has ended before; it does not run twice' && exit 0
  fi
  mkdir -p "$WORK/executed"
  attribute gazeline-parameters '{}' >"$WORK/parameters.json"
  echo 1 >"$STATE/sequence" && echo 1 0 >"$STATE/shipped"
  : >"$STATE/checkpoints" && : >"$STATE/phases"
  [[ ! -d /opt/conda/bin ]] || PATH=$PATH:/opt/conda/bin
  can_report=yes

  phase starting
  background keep_reporting
  background watch_preemption
  local limit
  limit=$(attribute gazeline-seconds)
  [[ ! $limit =~ ^[0-9]+$ ]] || background watch_time "$limit"

  phase fetching
  patiently fetch || end_unless_stopped setup-failed
  patiently check_target || end_unless_stopped setup-failed
  phase installing
  patiently install || end_unless_stopped setup-failed
  phase copying-inputs
  patiently copy_inputs || end_unless_stopped inputs-failed
  patiently restore_checkpoints || end_unless_stopped inputs-failed

  phase running
  mkdir -p "${RESULTS[@]}"
  touch "$STATE/ran"
  local saver=''
  if [[ -n $CHECKPOINTS ]]; then
    background keep_saving
    saver=$!
  fi
  local code=0
  patiently run || code=$?
  [[ $stopped == no ]] || end_stopped
  [[ -z $saver ]] || end_group "$saver"
  echo $code >"$STATE/exitCode"
  say "exit code $code"

  phase uploading
  if ((code != 0)); then
    local why
    why=$(explain $code)
    patiently save_checkpoints yes || true
    # A notebook shows in its executed copy where it failed.
    if [[ -f $EXECUTED ]]; then
      patiently put "$EXECUTED" "jobs%2F$JOB%2Fresults%2F$(encode "${EXECUTED##*/}")" 0 >/dev/null || true
    fi
    # Hours of work may lie there, but they are not the results.
    if patiently upload_results "unsaved%2F$ATTEMPT"; then
      why+=" What it had written is in gs://$BUCKET/jobs/$JOB/unsaved/$ATTEMPT/"
    fi
    rm -f "$STATE/results" "$STATE/reason"
    end_unless_stopped failed "$why"
  fi
  if ! patiently upload_results results; then
    [[ $stopped == no ]] || end_stopped
    patiently rescue_results || true
    [[ -s $STATE/reason ]] && end_unless_stopped results-not-uploaded
  fi
  end succeeded
}

main "$@"
