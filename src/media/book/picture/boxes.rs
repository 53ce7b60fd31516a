//! Boxes of ISO/IEC 14496-12, section 4.2, which HEIF and JPEG XL are made of.
use super::super::bytes::Fields;

/// One box. Its content may be cut off at the end of the bytes.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub kind: &'a [u8],
    pub content: &'a [u8],
}

/// The boxes in these bytes, in order, as far as their headers are there.
pub(super) fn boxes(bytes: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let mut fields = Fields(rest);
        let (size, kind) = (fields.u32_be()?, fields.take(4)?);
        let header = if size == 1 { 16 } else { 8 };
        let size = match size {
            // To the end of the file.
            0 => rest.len() as u64,
            1 => fields.u64_be()?,
            size => size.into(),
        };
        let len = usize::try_from(size.checked_sub(header)?).ok()?;
        let content = &fields.0[..fields.0.len().min(len)];
        rest = &fields.0[content.len()..];
        Some(Piece { kind, content })
    })
}

/// The content of the first box of that kind.
pub(super) fn find<'a>(bytes: &'a [u8], kind: &[u8]) -> Option<&'a [u8]> {
    boxes(bytes).find(|piece| piece.kind == kind).map(|piece| piece.content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_have_narrow_wide_or_open_sizes() {
        let bytes = b"\0\0\0\x09abcdX\0\0\0\x01wide\0\0\0\0\0\0\0\x12YY\0\0\0\0openZZZ";
        let found: Vec<_> = boxes(bytes).map(|piece| (piece.kind, piece.content)).collect();
        assert_eq!(found, [(&b"abcd"[..], &b"X"[..]), (b"wide", b"YY"), (b"open", b"ZZZ")]);
        assert_eq!(find(bytes, b"wide"), Some(&b"YY"[..]));
        assert_eq!(boxes(b"\0\0\0\x07abcd").count(), 0);
        assert_eq!(boxes(b"\0\0\0\x09abc").count(), 0);
    }
}
