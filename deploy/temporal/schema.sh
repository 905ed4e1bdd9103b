#!/bin/sh
# Brings Temporal's two databases to the schema of this image's version. Safe to run again: that is how a newer
# image migrates. The databases themselves are made by deploy/postgres/init.sql.
set -eu

for database in temporal visibility; do
  name=temporal
  [ "$database" = visibility ] && name=temporal_visibility
  export SQL_DATABASE="$name"
  # Refused when the version table is there already, which update-schema then goes on from.
  temporal-sql-tool setup-schema -v 0.0 || echo "schema of $name is there already"
  temporal-sql-tool update-schema -d "/etc/temporal/schema/postgresql/v12/$database/versioned"
done
