#!/bin/bash
# What a local machine is: the first process of its session, as init is of a system. It runs the start-up script and
# then waits: the script's end is not the machine's. It tells the local cloud on file descriptor 3 how the script
# ended and that the guest wants to be powered off. When the cloud's end of its standard input closes, however the cloud
# ended, it takes everything with it.
#
# usage: init.sh SCRIPT|''

# A trap, not an ignored signal: children would inherit that.
trap : TERM INT HUP
trap 'echo poweroff >&3' USR1
export LOCAL_MACHINE=$$

if [ -n "$1" ]; then
  { bash "$1" </dev/null 3>&-; echo "exit $?" >&3; } &
fi
while read -r _; do :; done

# Sends a signal to everything in this session but its leader; `timeout` puts what it runs in a group of its own. Without
# /proc, as on a Mac, the leader's group must do.
signal_all() {
  local stat line fields
  if [ ! -d /proc/self ]; then
    trap '' TERM
    kill "-$1" 0
    return
  fi
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    # Behind the name of the program: its state, parent, group and session.
    read -r -a fields <<<"${line##*) }"
    stat=${stat#/proc/}
    if [ "${fields[3]}" = $$ ] && [ "${stat%/stat}" != $$ ]; then
      kill "-$1" "${stat%/stat}" 2>/dev/null
    fi
  done
}

signal_all TERM
sleep 1 3>&-
signal_all KILL
