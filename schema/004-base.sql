-- SPDX-License-Identifier: Apache-2.0
--
-- Version 4: what the role that httpd connects as may do is a table, to which the other files of a version add rows.
-- What a module of version 3 calls stays as it was.

-- Privileges as GRANT takes them, with columns where only these are meant; 'none' leaves it to the owner. Each table has
-- a row; a function that has none may be called.
CREATE TABLE oas_rights (
    name       text PRIMARY KEY,
    privileges text NOT NULL CHECK (privileges <> '')
);
INSERT INTO oas_rights VALUES
    ('oas_schema', 'SELECT'),
    ('oas_users', 'SELECT, UPDATE (password_hash, password_changed, rehashed)'),
    ('oas_secrets', 'SELECT'),
    ('oas_marks', 'SELECT, UPDATE'),
    ('oas_clients', 'SELECT, INSERT, UPDATE'),
    ('oas_subjects', 'SELECT, INSERT, UPDATE'),
    ('oas_session_clients', 'SELECT, INSERT, UPDATE'),
    ('oas_sessions', 'SELECT, INSERT, UPDATE, DELETE'),
    ('oas_consents', 'SELECT, INSERT, UPDATE, DELETE'),
    ('oas_grants', 'SELECT, INSERT, UPDATE, DELETE'),
    ('oas_codes', 'SELECT, INSERT, UPDATE, DELETE'),
    ('oas_refresh_tokens', 'SELECT, INSERT, UPDATE, DELETE'),
    ('oas_jtis', 'SELECT, INSERT, UPDATE, DELETE'),
    ('oas_revoked_jtis', 'SELECT, INSERT, UPDATE, DELETE'),
    ('oas_throttle', 'SELECT, INSERT, UPDATE, DELETE'),
    ('oas_logouts', 'SELECT, INSERT, UPDATE, DELETE'),
    ('oas_rights', 'none'),
    ('oas_schema_grant', 'none'),
    ('oas_schema_settle', 'none');
