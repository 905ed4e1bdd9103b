#!/bin/sh
# Writes .env with fresh passwords for docker-compose.yml. Never touches one that is there: the databases keep the
# passwords that they were made with.
set -eu
cd "$(dirname "$0")/.."

if [ -e .env ]; then
  echo '.env is there already: nothing done.' >&2
  exit 1
fi
# Hexadecimal, so that they need no quoting in a URL.
secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
cat >.env <<EOF
POSTGRES_PASSWORD=$(secret)
TEMPORAL_DB_PASSWORD=$(secret)
MEDIAMILL_DB_PASSWORD=$(secret)
STORAGE_ACCESS_KEY=mediamill
STORAGE_SECRET_KEY=$(secret)
HTTP_TOKEN_SECRET=$(secret)
CODEC_TOKEN=$(secret)
EOF
echo 'Wrote .env'
