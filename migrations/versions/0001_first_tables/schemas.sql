CREATE SCHEMA landing;
COMMENT ON SCHEMA landing IS 'What the receiver inserts.';
CREATE SCHEMA app;
COMMENT ON SCHEMA app IS 'What our programs write.';
CREATE SCHEMA reporting;
COMMENT ON SCHEMA reporting IS 'What dbt derives.';
