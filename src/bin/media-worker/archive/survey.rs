//! Finds out an archive's pages in one pass: entries come in whatever order they were packed, and no byte is kept that is
//! not a page's head or `ComicInfo.xml`.
use super::reader::{Archive, Header};
use potluck::media::book::{
    Book, BookError, ComicInfo, Fault, Format, Limits, OrderKey, Page, PageFault, PictureType, Place, comic_info_rank,
    is_page_name, look_into_page,
};

/// What was found so far.
pub(super) struct Survey<'a> {
    format: Format,
    limits: &'a Limits,
    /// Bytes that may still be unpacked for pages' heads.
    left: u64,
    /// Bytes that names may still have.
    names_left: u64,
    /// In the order of the archive, without numbers.
    pages: Vec<(Page, Option<Fault>)>,
    /// Why the first page that is damaged could not be read.
    trouble: Option<BookError>,
    comic_info: Option<(usize, ComicInfo)>,
}

impl<'a> Survey<'a> {
    pub fn new(format: Format, limits: &'a Limits) -> Self {
        let (left, names_left) = (limits.probe_bytes, limits.directory_bytes);
        Self { format, limits, left, names_left, pages: Vec::new(), trouble: None, comic_info: None }
    }

    /// Takes an entry in, which `archive` stands at.
    pub fn see(&mut self, header: Header, archive: &mut Archive) -> Result<(), BookError> {
        if header.index >= self.limits.entries {
            return Err(BookError::TooMany { entries: header.index + 1, max: self.limits.entries });
        }
        self.count_name(&header.name)?;
        if !header.is_file {
            return Ok(());
        }
        match comic_info_rank(&header.name) {
            Some(rank) => self.see_comic_info(rank, &header, archive),
            None => self.see_page(header, archive)?,
        }
        Ok(())
    }

    fn count_name(&mut self, name: &str) -> Result<(), BookError> {
        let (bytes, max) = (name.len() as u64, self.limits.directory_bytes);
        let too_large = BookError::TooLarge { what: "the list of names", bytes: max - self.names_left + bytes, max };
        self.names_left = self.names_left.checked_sub(bytes).ok_or(too_large)?;
        Ok(())
    }

    /// The least deep in folders counts; one that cannot be read is none.
    fn see_comic_info(&mut self, rank: usize, header: &Header, archive: &mut Archive) {
        let better = self.comic_info.as_ref().is_none_or(|(other, _)| rank < *other);
        let (mut bytes, max) = (Vec::new(), self.limits.document_bytes);
        if better && header.size <= max && archive.unpack(&mut bytes, max).is_ok() {
            self.comic_info = Some((rank, ComicInfo::parse(&bytes)));
        }
    }

    fn see_page(&mut self, header: Header, archive: &mut Archive) -> Result<(), BookError> {
        let Some(media_type) = PictureType::of_name(&header.name).filter(|_| is_page_name(&header.name)) else {
            return Ok(());
        };
        if header.encrypted {
            return Err(BookError::Encrypted);
        }
        let Header { index, name, size, .. } = header;
        let place = Place::Other { format: self.format, index };
        let mut page = Page { number: 0, name, media_type, width: None, height: None, size, place };
        let fault = self.look_into(&mut page, archive)?;
        self.pages.push((page, fault));
        Ok(())
    }

    fn look_into(&mut self, page: &mut Page, archive: &mut Archive) -> Result<Option<Fault>, BookError> {
        if self.left == 0 {
            return Ok(None);
        }
        let (mut bytes, trouble) = (Vec::new(), &mut self.trouble);
        let head = |wanted| match archive.unpack(&mut bytes, wanted) {
            Ok(()) => Ok(bytes.clone()),
            Err(BookError::Io(error)) => Err(BookError::Io(error)),
            Err(error) => {
                trouble.get_or_insert(error);
                Err(BookError::Broken("it cannot be unpacked"))
            }
        };
        look_into_page(page, head, &mut self.left)
    }

    /// What all entries together come to. Where no page can be read, the book cannot be.
    pub fn book(mut self) -> Result<Book, BookError> {
        if self.pages.is_empty() {
            return Err(BookError::NoPages);
        }
        if self.pages.iter().all(|(_, fault)| *fault == Some(Fault::Damaged)) {
            return Err(self.trouble.unwrap_or(BookError::Broken("none of its pages can be read")));
        }
        self.pages.sort_by_cached_key(|(page, _)| OrderKey::of(&page.name));
        let (mut pages, mut faults) = (Vec::with_capacity(self.pages.len()), Vec::new());
        for ((mut page, fault), number) in self.pages.into_iter().zip(1..) {
            page.number = number;
            faults.extend(fault.map(|fault| PageFault { page: number, fault }));
            pages.push(page);
        }
        let comic_info = self.comic_info.map(|(_, comic)| comic);
        Ok(Book { format: self.format, pages, faults, comic_info, epub: None })
    }
}
