-- The two roles besides the owner of the tables, made once by a superuser, before the first migration:
--   psql -v application_password='…' -f deploy/postgres/roles.sql "$ADMIN_DATABASE_URL"
-- Row security binds teams_meetings_app, which owns nothing and cannot log in. Servers and workers log in as
-- teams_meetings_server (DATABASE_URL). Migrations run as the owner of the database (MIGRATION_DATABASE_URL).
CREATE ROLE teams_meetings_app NOLOGIN;
CREATE ROLE teams_meetings_server LOGIN NOINHERIT PASSWORD :'application_password';
GRANT teams_meetings_app TO teams_meetings_server;
