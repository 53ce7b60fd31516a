#!/usr/bin/env bash
# run.sh POTLUCK   starts a node for `make run`: makes the data folder and the first account once, adds the library, serves.
# From the environment: DATA LIBRARY KIND LISTEN ADMIN.
set -euo pipefail
potluck=$1
sign_in="$DATA/first-sign-in"
if [ ! -e "$DATA/catalog.db" ]; then
  umask 077
  password=$(head -c 12 /dev/urandom | base64 | tr '+/' 'xy')
  printf '%s' "$password" | "$potluck" --data "$DATA" init --admin "$ADMIN" --password-stdin
  printf 'name: %s\npassword: %s\n' "$ADMIN" "$password" >"$sign_in"
fi
# add FOLDER KIND [NAME]: unless it is a library already.
add() {
  local folder
  folder=$(cd "$1" && pwd)
  "$potluck" --data "$DATA" library list --json | grep -qF "\"$folder\"" ||
    "$potluck" --data "$DATA" library add "${3:-$(basename "$folder")}" --kind "$2" --path "$folder"
}
if [ "$LIBRARY" = "$DATA-demo" ]; then
  add "$LIBRARY" movies "Demo films"
  add "$DATA-demo-comics" comics "Demo comics"
  add "$DATA-demo-music" music "Demo music"
else
  add "$LIBRARY" "$KIND"
fi
echo
if [ -e "$sign_in" ]; then
  echo "Sign in with:"
  sed 's/^/  /' "$sign_in"
  echo "(kept in $sign_in; delete that file once you know it. Ctrl-C stops the node.)"
else
  echo "Sign in as you did before. A lost password: $potluck --data $DATA user password NAME --password-stdin"
fi
exec "$potluck" --data "$DATA" serve --listen "$LISTEN"
