//! Links inside an EPUB.
use percent_encoding::percent_decode_str;

/// The name in the archive that `link`, written in the file `base`, leads to. It never leaves the archive.
pub(super) fn resolve(base: &str, link: &str) -> String {
    let path = link.split(['#', '?']).next().unwrap_or_default();
    let path = percent_decode_str(path).decode_utf8_lossy();
    let folder = if path.starts_with('/') { "" } else { base.rsplit_once('/').map_or("", |(folder, _)| folder) };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_to_the_file_that_has_them() {
        assert_eq!(resolve("OEBPS/text/1.xhtml", "../images/a%20b.png?x#y"), "OEBPS/images/a b.png");
        assert_eq!(resolve("1.xhtml", "./a//b.png"), "a/b.png");
        assert_eq!(resolve("a/1.xhtml", "/b.png"), "b.png");
        assert_eq!(resolve("a/1.xhtml", "../../../etc/passwd"), "etc/passwd");
        assert_eq!(resolve("", "%"), "%");
    }
}
