#!/bin/sh
# A Sentinel's configuration is its memory: written once, then kept on its own disk. Its id follows
# from its name: with a new disk it is still the one that the others know, and not one more.
set -eu
: "${DATA:=/data}" "${PORT:=26379}" "${NAME:=tunggu}" "${PRIMARY:=redis-0.redis}" "${PRIMARY_PORT:=6379}"
: "${AUTH:=/etc/redis/auth/password}" "${HOST:=$(hostname)}" "${DOMAIN=.sentinel}" "${DOWN_AFTER_MS:=5000}" "${BIND:=}"
conf="$DATA/sentinel.conf"
if [ ! -s "$conf" ]; then
  umask 077
  cat >"$conf.new" <<END
port $PORT
${BIND:+bind $BIND}
dir $DATA
protected-mode no
sentinel myid $(printf '%s' "$HOST$DOMAIN" | sha1sum | cut -c 1-40)
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $HOST$DOMAIN
sentinel announce-port $PORT
sentinel monitor $NAME $PRIMARY $PRIMARY_PORT 2
sentinel down-after-milliseconds $NAME $DOWN_AFTER_MS
sentinel failover-timeout $NAME 30000
sentinel parallel-syncs $NAME 1
sentinel auth-pass $NAME $(cat "$AUTH")
END
  mv "$conf.new" "$conf"
fi
exec redis-server "$conf" --sentinel
