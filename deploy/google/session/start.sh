#!/usr/bin/env bash
#
# What makes the machine of a session ready for a person, after Workbench has started its Jupyter: the repository is cloned,
# and the data is copied to where a job finds it as well, so that a notebook runs here as it does there. It is the
# `post-startup-script` of the instance, run by root at every start; on a laptop the local Workbench runs it.
#
# What is there already is the person's: a clone is never touched again, a file that was changed is never overwritten, and
# nothing is removed. How it goes stands in gazeline-session.log beside the work.
set -Eeuo pipefail

METADATA=http://${GCE_METADATA_HOST:-metadata.google.internal}/computeMetadata/v1
PLACE=${GAZELINE_HOME:-/home/jupyter}
PERSON=jupyter
export LC_ALL=C.UTF-8 GIT_TERMINAL_PROMPT=0

# An attribute of the machine, or nothing; only a 404 means that it is not there.
attribute() {
  local answer code pause=1
  for _ in 1 2 3 4 5 6; do
    answer=$(curl -sS -g --connect-timeout 2 --max-time 10 -H 'Metadata-Flavor: Google' -w '\n%{http_code}' \
      "$METADATA/instance/attributes/$1" 2>/dev/null) || true
    code=${answer##*$'\n'}
    case $code in
      200) printf '%s' "${answer%$'\n'*}" && return ;;
      404) return ;;
    esac
    sleep "$pause" && pause=$((pause * 2))
  done
  echo "The metadata server does not give $1 (HTTP $code)" >&2
  return 1
}

# Jupyter does not run as root, and what root makes it could not change.
as_person() {
  if ((EUID == 0)) && id "$PERSON" >/dev/null 2>&1; then
    runuser -u "$PERSON" -- env HOME="$PLACE" "$@"
  else
    "$@"
  fi
}

# Also to the serial port. Addresses may carry a password.
say() {
  printf '[gazeline %s] %s\n' "$(date -u +%H:%M:%S)" "$*" | sed -uE 's#(://)[^/@[:space:]]*@#\1***@#g' |
    as_person tee -a "$PLACE/gazeline-session.log" || true
}

# Each line of standard input.
aloud() {
  local line
  while IFS= read -r line; do say "$line"; done
}

# The folder of the clone: the last part of the address.
folder_of() {
  local name=${1%/}
  name=${name##*/} name=${name%.git}
  case $name in
    '' | . | .. | -* | *[!A-Za-z0-9._-]*) echo repository ;;
    *) echo "$name" ;;
  esac
}

# Beside its place, so that half a clone is never taken for a whole one.
clone() {
  local repository=$1 ref=$2 tree=$3 part=$3.gazeline-part
  if [[ -e $tree ]]; then
    echo "${tree##*/} is there, and is left as it is; git pull brings what is new"
    return
  fi
  echo "clones $repository"
  rm -rf "$part"
  as_person git clone --quiet -- "$repository" "$part" || return
  if [[ $ref != HEAD ]]; then as_person git -C "$part" checkout --quiet "$ref" -- || return; fi
  mv "$part" "$tree" && echo "${tree##*/} is at $(as_person git -C "$tree" rev-parse --short HEAD)"
}

# One line for each folder: bucket, prefix, folder. It only needs what Python itself has.
copy_inputs() {
  as_person env INPUTS="$1" STORAGE="$2" METADATA="$METADATA" python3 -IS - "$3" <<'PYTHON'
import base64, concurrent.futures, hashlib, json, os, sys, threading, time, urllib.error, urllib.parse, urllib.request

tree, storage, metadata = sys.argv[1], os.environ["STORAGE"], os.environ["METADATA"]
lock, token = threading.Lock(), {"until": 0}

def authorization():
    with lock:
        # The metadata server keeps a token until five minutes before its end.
        if time.time() > token["until"]:
            url = metadata + "/instance/service-accounts/default/token"
            with urllib.request.urlopen(urllib.request.Request(url, headers={"Metadata-Flavor": "Google"}), timeout=10) as answer:
                token.update(json.load(answer), until=time.time() + 240)
        return "Bearer " + token["access_token"]

def patiently(work):
    for pause in (1, 2, 4, 8, 16, None):
        try:
            return work()
        except urllib.error.HTTPError as error:
            if pause is None or error.code in (400, 403, 404): raise
            if error.code == 401: token["until"] = 0
        except (OSError, ValueError):
            if pause is None: raise
        time.sleep(pause)

def get(url):
    # As it is stored: a gzipped object would come unpacked, and its checksum would not fit.
    headers = {"Authorization": authorization(), "Accept-Encoding": "gzip"}
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60)

def listed(bucket, prefix):
    fields, page = "nextPageToken,items(name,size,md5Hash,generation,updated,metadata)", ""
    while True:
        query = urllib.parse.urlencode({"prefix": prefix, "maxResults": 1000, "fields": fields, **({"pageToken": page} if page else {})})
        def read():
            with get(f"{storage}/storage/v1/b/{bucket}/o?{query}") as answer: return json.load(answer)
        answer = patiently(read)
        yield from answer.get("items", [])
        page = answer.get("nextPageToken", "")
        if not page: return

# Of names that no folder can hold, as `start.sh` of jobs does: no name leads out of the folder.
safe = {"": "%2F", ".": "%2E", "..": "%2E%2E"}

def path_of(prefix, folder, name):
    parts = name[prefix.rfind("/") + 1:].split("/")
    return os.path.join(tree, folder, *(safe.get(part, part) for part in parts))

def time_of(item):
    given = item.get("metadata", {}).get("goog-reserved-file-mtime", "")
    return int(given) if given.isdigit() else int(time.mktime(time.strptime(item["updated"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone)

def md5(path):
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(1 << 20): digest.update(block)
    return base64.b64encode(digest.digest()).decode()

# What was copied is known by size and time, so that a start with much data is quick.
def state_of(path, item):
    if not os.path.lexists(path): return "missing"
    there = os.stat(path)
    if there.st_size == int(item["size"]) and int(there.st_mtime) == time_of(item): return "same"
    return "same" if "md5Hash" in item and os.path.isfile(path) and md5(path) == item["md5Hash"] else "other"

def fetch(bucket, item, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = path + ".gazeline-part"
    name = urllib.parse.quote(item["name"], safe="")
    def read():
        digest, size = hashlib.md5(usedforsecurity=False), 0
        with get(f"{storage}/storage/v1/b/{bucket}/o/{name}?alt=media&generation={item['generation']}") as answer, open(part, "wb") as file:
            while block := answer.read(1 << 20):
                file.write(block); digest.update(block); size += len(block)
        # A composed object has no MD5.
        whole = base64.b64encode(digest.digest()).decode() == item.get("md5Hash", base64.b64encode(digest.digest()).decode())
        if size != int(item["size"]) or not whole: raise ValueError("what arrived is not what was sent")
    try:
        patiently(read)
        os.utime(part, (time_of(item), time_of(item)))
        # Somebody may have made one meanwhile.
        os.link(part, path)
    finally:
        if os.path.exists(part): os.unlink(part)

counts = {"copied": 0, "same": 0, "kept": 0, "failed": 0}
def bring(bucket, prefix, folder, item):
    path = path_of(prefix, folder, item["name"])
    try:
        state = state_of(path, item)
        if state == "missing": fetch(bucket, item, path)
        what = {"missing": "copied", "same": "same", "other": "kept"}[state]
        if what == "kept": print(f"kept: {os.path.relpath(path, tree)!r} is another one than in the bucket; remove it, and the next start brings that", flush=True)
    except Exception as error:
        what = "failed"
        print(f"failed: {item['name']!r}: {error}", flush=True)
    with lock: counts[what] += 1

with concurrent.futures.ThreadPoolExecutor(16) as pool:
    for line in os.environ["INPUTS"].splitlines():
        bucket, prefix, folder = line.split("\t")
        os.makedirs(os.path.join(tree, folder), exist_ok=True)
        try:
            # An empty object may stand for a folder.
            items = [item for item in listed(bucket, prefix) if not (item["name"].endswith("/") and item["size"] == "0")]
        except Exception as error:
            counts["failed"] += 1
            print(f"failed: gs://{bucket}/{prefix}: {error}", flush=True)
            continue
        list(pool.map(lambda item: bring(bucket, prefix, folder, item), items))
print(f"data: {counts['copied']} copied, {counts['same']} there already, {counts['kept']} kept as they are, {counts['failed']} failed", flush=True)
sys.exit(1 if counts["failed"] else 0)
PYTHON
}

# So that Git does not offer it to be committed.
ignore_inputs() {
  local folder exclude=$2/.git/info/exclude
  [[ -e $exclude ]] || return 0
  while IFS=$'\t' read -r _ _ folder; do
    grep -qxF "/$folder/" "$exclude" || echo "/$folder/" >>"$exclude"
  done <<<"$1"
}

main() {
  local repository ref inputs storage tree=$PLACE isReady=yes
  until curl -sS -f -o /dev/null --max-time 2 -H 'Metadata-Flavor: Google' "$METADATA/instance/id" 2>/dev/null; do sleep 0.5; done
  repository=$(attribute gazeline-repository)
  ref=$(attribute gazeline-ref)
  inputs=$(attribute gazeline-inputs)
  storage=$(attribute gazeline-storage)
  mkdir -p "$PLACE"
  if [[ -n $repository ]]; then
    tree=$PLACE/$(folder_of "$repository")
    clone "$repository" "${ref:-HEAD}" "$tree" 2>&1 | aloud || isReady=no
    if [[ ! -d $tree ]]; then
      say 'It could not be cloned; the data is put beside where it would be'
      tree=$PLACE isReady=no
    fi
  fi
  if [[ -n $inputs ]]; then
    say 'copies the data'
    ignore_inputs "$inputs" "$tree"
    copy_inputs "$inputs" "${storage:-https://storage.googleapis.com}" "$tree" 2>&1 | aloud || isReady=no
  fi
  if [[ $isReady == yes ]]; then say 'ready'; else say 'not all is there; stop and resume the session to try again'; fi
}

main "$@"
