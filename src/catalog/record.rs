//! What the importer writes.
