#!/bin/sh
# Starts this member as what most Sentinels say it is. Without their word only the first member starts
# by itself, and only on an empty disk: after a power cut nobody but a Sentinel knows who was primary.
set -eu
: "${SENTINELS:=sentinel-0.sentinel sentinel-1.sentinel sentinel-2.sentinel}" "${SENTINEL_PORT:=26379}"
: "${NAME:=tunggu}" "${PORT:=6379}" "${CONF:=/etc/redis/conf/redis.conf}" "${DATA:=/data}" "${PAUSE:=1}"
: "${HOST:=$(hostname)}" "${FIRST:=redis-0}" "${DOMAIN=.redis}"
me="$HOST$DOMAIN"

# What most of them say, address and port: one whose disk was lost names the first member.
primary() {
  asked=0 answers=
  for sentinel in $SENTINELS; do
    asked=$((asked + 1))
    found=$(timeout 2 redis-cli -h "$sentinel" -p "$SENTINEL_PORT" \
      sentinel get-master-addr-by-name "$NAME" 2>/dev/null) || continue
    # An answer has two lines; an error has one.
    [ "$(printf '%s\n' "$found" | wc -l)" -eq 2 ] || continue
    answers="$answers$(printf '%s\n' "$found" | tr '\n' ' ')
"
  done
  printf '%s' "$answers" | sort | uniq -c |
    awk -v half=$((asked / 2)) '$1 > half { print $2, $3; said = 1 } END { exit !said }'
}

start() {
  exec redis-server "$CONF" --port "$PORT" --dir "$DATA" \
    --replica-announce-ip "$me" --replica-announce-port "$PORT" "$@"
}

while :; do
  if found=$(primary); then
    # shellcheck disable=SC2086  # address and port are two words
    set -- $found
    if [ "$1" = "$me" ] && [ "$2" = "$PORT" ]; then
      start
    fi
    start --replicaof "$1" "$2"
  fi
  if [ "$HOST" = "$FIRST" ] && [ -z "$(ls -A "$DATA" | grep -v lost+found)" ]; then
    start
  fi
  echo "most Sentinels do not answer, or differ; waiting until they name the primary" >&2
  sleep "$PAUSE"
done
