-- Owned by src/catalog: what KOReader calls a book's file, see media::book::partial_md5.
ALTER TABLE book ADD COLUMN partial_md5 TEXT;

CREATE INDEX book_by_partial_md5 ON book (partial_md5) WHERE partial_md5 IS NOT NULL;

-- The number of a book is told to friends, as its title is.
CREATE TRIGGER change_of_book AFTER UPDATE OF number ON book
WHEN old.number <> new.number AND EXISTS (SELECT 1 FROM change WHERE item = new.item) BEGIN
    DELETE FROM change WHERE item = new.item AND library = (SELECT library FROM item WHERE n = new.item);
    INSERT INTO change (item, library, id) SELECT n, library, id FROM item WHERE n = new.item;
END;
