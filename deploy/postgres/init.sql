-- Runs once, when the data folder is empty: a role and databases for each of the two that live here.
\getenv temporal_password TEMPORAL_DB_PASSWORD
\getenv mediamill_password MEDIAMILL_DB_PASSWORD

CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;

CREATE ROLE mediamill LOGIN PASSWORD :'mediamill_password';
CREATE DATABASE mediamill OWNER mediamill;
