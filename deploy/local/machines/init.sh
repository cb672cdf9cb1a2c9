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

trap '' TERM
kill -TERM 0
sleep 1 3>&-
kill -KILL 0
