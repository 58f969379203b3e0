"""Tables of rows as files for people and programs: CSV, XLSX, Parquet, HTML, PDF; streamed, exact, with digest. No database."""
