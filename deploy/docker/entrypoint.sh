#!/bin/sh
# Runs `nadhir`. Secrets may come as files: /run/secrets/NADHIR_DATABASE__URL becomes the variable
# of that name, so that no secret stands in the description of the container.
set -eu
for file in "${SECRETS_DIR:-/run/secrets}"/NADHIR_*; do
    [ -f "$file" ] || continue
    export "${file##*/}=$(cat "$file")"
done
exec nadhir "$@"
