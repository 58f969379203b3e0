"""The tables as SQLAlchemy knows them, one file for each noun; the schema page is made from them."""
