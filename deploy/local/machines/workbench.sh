#!/bin/bash
# What the image of a Workbench instance does when it starts, as far as it is needed here: the start-up scripts in the order
# in which Google runs them, and a Jupyter, if this computer has one.
# https://cloud.google.com/vertex-ai/docs/workbench/instances/manage-metadata#startup-script-order
set -u
METADATA=http://$GCE_METADATA_HOST/computeMetadata/v1/instance
# At Google it is /home/jupyter, on the data disk.
export GAZELINE_HOME=$HOME/jupyter
mkdir -p "$GAZELINE_HOME"

attribute() { curl -sS -f -H 'Metadata-Flavor: Google' "$METADATA/attributes/$1" 2>/dev/null; }
# For the page behind the link to this instance.
tell() {
  curl -sS -f -o /dev/null -X PUT -H 'Metadata-Flavor: Google' --data-binary "$2" "$METADATA/guest-attributes/notebooks/$1"
}

# Without a token, as behind Google's proxy: whoever reaches this port may as well ask the local cloud for a machine with a
# script of their own. Jupyter itself keeps out the pages of other sites, by their Host, their Origin and its XSRF cookie.
serve() {
  local port idle options=()
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  idle=$(attribute idle-timeout-seconds)
  # At the end it shuts down by itself, and the machine with it.
  [[ -z $idle ]] || options+=("--ServerApp.shutdown_no_activity_timeout=$idle" "--MappingKernelManager.cull_idle_timeout=$idle")
  ((EUID != 0)) || options+=(--allow-root)
  announce "$port" &
  jupyter-lab --no-browser --ip=127.0.0.1 --port="$port" --ServerApp.port_retries=0 --IdentityProvider.token= \
    --ServerApp.root_dir="$GAZELINE_HOME" "${options[@]}" && poweroff
  tell missing 'Jupyter has ended; what it printed is in the output of the serial port.'
}

announce() {
  until curl -sS -f -o /dev/null "http://127.0.0.1:$1/api" 2>/dev/null; do sleep 0.2; done
  tell jupyter "http://127.0.0.1:$1/lab"
}

script=$(attribute startup-script)
[[ -z $script ]] || bash -c "$script"

if command -v jupyter-lab >/dev/null; then
  serve &
else
  tell missing 'There is no jupyter-lab on this computer. To open sessions here: pip install jupyterlab, start the lab again from where it is found, and resume the session.'
fi

uri=$(attribute post-startup-script)
behavior=$(attribute post-startup-script-behavior)
if [[ $uri == gs://*/* ]] && [[ ! -e $HOME/.post-startup-script || ${behavior:-run_once} != run_once ]]; then
  object=${uri#gs://*/} bucket=${uri#gs://}
  if curl -sS -f -o "$HOME/.post-startup-script" "$STORAGE_EMULATOR_HOST/storage/v1/b/${bucket%%/*}/o/${object//\//%2F}?alt=media"; then
    bash "$HOME/.post-startup-script"
  else
    echo "The post-startup script $uri cannot be read"
  fi
fi
wait
