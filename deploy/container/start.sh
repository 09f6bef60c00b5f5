#!/bin/sh
# What a container starts with. The parts of the voice engine are in the image, and a volume at the data folder hides what
# the image has there: so they are linked from where the volume does not reach. Parts that lie in the volume are kept.
set -eu
data=${PARLEY_DATA:-/app/data}
engine=${PARLEY_ENGINE_PARTS:-/opt/parley/engine}
for folder in lib models; do
  # A link that an older image left leads to the parts of this one, too.
  if [ ! -e "$data/$folder" ] && [ -d "$engine/$folder" ]; then
    ln -sfn "$engine/$folder" "$data/$folder" || echo "start: the voice engine is without its $folder" >&2
  fi
done
mkdir -p "$data/config" || echo "start: the configuration cannot be kept in $data/config" >&2
exec parley "$@"
