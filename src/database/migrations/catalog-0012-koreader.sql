-- Owned by src/catalog: what KOReader calls a book's file, see media::book::partial_md5.
ALTER TABLE book ADD COLUMN partial_md5 TEXT;

CREATE INDEX book_by_partial_md5 ON book (partial_md5) WHERE partial_md5 IS NOT NULL;
