//! The table that a bench run prints: a figure, its bound, its reference from the same run.

/// Rows in the order they were measured.
pub struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    pub fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Adds a row: what was measured, the figure with its unit, what the issue asks, and the reference of the same run.
    pub fn row(&mut self, what: &str, figure: String, bound: &str, reference: String) {
        eprintln!("{what}: {figure} (asked: {bound}; beside it: {reference})");
        self.rows.push([what.to_owned(), figure, bound.to_owned(), reference]);
    }

    /// Prints all rows as Markdown.
    pub fn print(&self) {
        println!("| what | figure | asked | reference, same run |\n|---|---|---|---|");
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
    }
}
