#!/bin/sh
# Run by the postgres image of compose.yaml when its volume is new.
set -eu
psql -v ON_ERROR_STOP=1 -v application_password="$APPLICATION_PASSWORD" \
  --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --file /deploy/roles.sql
