//! Pages of lists, as Spring's `Page` writes them, and the order that a query asks for. Nothing of it is refused: what cannot be
//! read is as if it had not been said.
use serde::Serialize;

use super::params::Params;
use crate::catalog::shelves::{Order, ShelfPage, ShelfSort};

/// Of a page where nothing else is asked.
const SIZE: u32 = 20;
/// Of a page at most; `unpaged=true` has no such limit.
const SIZE_MAX: u32 = 2000;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::facades) struct Paging {
    /// From 0 on.
    pub number: u32,
    /// Rows of a page.
    pub size: u32,
    /// The whole list.
    pub unpaged: bool,
    /// An order was asked for.
    pub sorted: bool,
}

impl Paging {
    pub fn of(params: &Params) -> Self {
        let number = |name| params.one(name).and_then(|text| text.trim().parse::<u32>().ok());
        Self {
            number: number("page").unwrap_or(0).min(i32::MAX.cast_unsigned()),
            size: number("size").filter(|size| *size > 0).unwrap_or(SIZE).min(SIZE_MAX),
            unpaged: params.flag("unpaged") == Some(true),
            sorted: params.whole("sort").any(|text| !text.trim().is_empty()),
        }
    }

    /// How many rows, after how many others; `None` for all.
    pub fn part(&self) -> Option<(u32, u64)> {
        (!self.unpaged).then(|| (self.size, u64::from(self.number) * u64::from(self.size)))
    }

    /// A list that is known whole, as the page that was asked for.
    pub fn cut<T>(&self, mut all: Vec<T>) -> ShelfPage<T> {
        let total = all.len() as u64;
        if let Some((size, from)) = self.part() {
            let from = usize::try_from(from).unwrap_or(usize::MAX).min(all.len());
            all = all.split_off(from);
            all.truncate(size as usize);
        }
        ShelfPage { rows: all, total }
    }

    /// The page around these rows.
    pub fn page<T, U>(&self, page: ShelfPage<T>, shape: impl FnMut(T) -> U) -> Page<U> {
        let count = page.rows.len();
        let all = if self.unpaged { count.max(SIZE as usize) as u64 } else { self.size.into() };
        let number = if self.unpaged { 0 } else { self.number };
        let pages = page.total.div_ceil(all);
        let sort = Sort { empty: !self.sorted, sorted: self.sorted, unsorted: !self.sorted };
        Page {
            content: page.rows.into_iter().map(shape).collect(),
            pageable: Pageable {
                page_number: number,
                page_size: all,
                sort,
                offset: u64::from(number) * all,
                paged: true,
                unpaged: false,
            },
            last: u64::from(number) + 1 >= pages,
            total_elements: page.total,
            total_pages: pages,
            first: number == 0,
            size: all,
            number,
            sort,
            number_of_elements: count,
            empty: count == 0,
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Sort {
    empty: bool,
    sorted: bool,
    unsorted: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Pageable {
    page_number: u32,
    page_size: u64,
    sort: Sort,
    offset: u64,
    paged: bool,
    unpaged: bool,
}

/// Spring's `Page`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::facades) struct Page<T> {
    content: Vec<T>,
    pageable: Pageable,
    last: bool,
    total_elements: u64,
    total_pages: u64,
    first: bool,
    size: u64,
    number: u32,
    sort: Sort,
    number_of_elements: usize,
    empty: bool,
}

/// The same for a list's own order, `readList.number` or `collection.number`, where `list` is that list.
pub(super) fn order_in(params: &Params, search: Option<&str>, list: Option<&str>) -> Vec<Order> {
    let place = params
        .whole("sort")
        .find(|text| ["readList.number", "collection.number"].iter().any(|name| text.starts_with(name)));
    match (place, list) {
        (Some(text), Some(list)) => {
            let descending = text.to_ascii_lowercase().ends_with(",desc");
            vec![Order { by: ShelfSort::Place(list.to_owned()), descending }]
        }
        _ => order(params, search),
    }
}

/// The order that a query asks for; names that mean nothing are left out. `search` is what relevance is measured by.
pub(super) fn order(params: &Params, search: Option<&str>) -> Vec<Order> {
    params.whole("sort").flat_map(|text| parts(text, search)).collect()
}

fn parts(text: &str, search: Option<&str>) -> Vec<Order> {
    let mut names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let ignored = |name: &str| name.eq_ignore_ascii_case("ignorecase");
    names.retain(|name| !ignored(name));
    let direction = names.last().map(|name| name.to_ascii_lowercase());
    let descending = direction.as_deref() == Some("desc");
    if descending || direction.as_deref() == Some("asc") {
        names.pop();
    }
    names.into_iter().filter_map(|name| named(name, search)).map(|by| Order { by, descending }).collect()
}

fn named(name: &str, search: Option<&str>) -> Option<ShelfSort> {
    Some(match name {
        "metadata.titleSort" | "metadata.title" | "name" | "title" | "titleSort" => ShelfSort::Title,
        "series" | "seriesTitle" | "series.metadata.titleSort" => ShelfSort::Series,
        "created" | "createdDate" => ShelfSort::Added,
        "lastModified" | "lastModifiedDate" | "fileLastModified" => ShelfSort::Changed,
        "metadata.numberSort" | "numberSort" | "number" => ShelfSort::Number,
        "metadata.releaseDate" | "booksMetadata.releaseDate" | "releaseDate" => ShelfSort::Released,
        "booksCount" => ShelfSort::Books,
        "media.pagesCount" => ShelfSort::Pages,
        "fileSize" | "size" => ShelfSort::Size,
        "readProgress.readDate" | "readProgress.lastModified" | "readDate" => ShelfSort::Read,
        "random" => ShelfSort::Random,
        "relevance" => ShelfSort::Near(search?.to_owned()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_are_read_and_unknown_ones_left_out() {
        let read = |query: &str| {
            let order = order(&Params::parse(query), Some("x"));
            order.into_iter().map(|part| (part.by, part.descending)).collect::<Vec<_>>()
        };
        assert_eq!(read("sort=metadata.titleSort,asc"), [(ShelfSort::Title, false)]);
        assert_eq!(read("sort=created,desc&sort=name"), [(ShelfSort::Added, true), (ShelfSort::Title, false)]);
        assert_eq!(read("sort=lastModified,created,DESC"), [(ShelfSort::Changed, true), (ShelfSort::Added, true)]);
        assert_eq!(read("sort=relevance,asc"), [(ShelfSort::Near("x".into()), false)]);
        assert_eq!(read("sort=nonsense;drop,desc&sort=&sort=,"), []);
        assert_eq!(order(&Params::parse("sort=relevance"), None), []);
    }

    #[test]
    fn a_page_says_where_it_is() {
        let told = |query: &str, total: usize| {
            let paging = Paging::of(&Params::parse(query));
            serde_json::to_value(paging.page(paging.cut((0..total).collect()), |n: usize| n)).unwrap()
        };
        let second = told("page=1&size=2", 5);
        assert_eq!(second["content"], serde_json::json!([2, 3]));
        assert_eq!(
            (&second["totalPages"], &second["last"], &second["first"]),
            (&3.into(), &false.into(), &false.into())
        );
        assert_eq!(second["pageable"]["offset"], 2);
        let all = told("unpaged=true&page=7", 45);
        assert_eq!((&all["size"], &all["number"], &all["last"]), (&45.into(), &0.into(), &true.into()));
        assert_eq!(told("unpaged=true", 3)["size"], 20);
        let none = told("", 0);
        assert_eq!((&none["totalPages"], &none["last"], &none["empty"]), (&0.into(), &true.into(), &true.into()));
    }

    proptest! {
        #[test]
        fn every_row_is_on_one_page(total in 0usize..200, size in 1u32..50) {
            let mut seen = Vec::new();
            for page in 0..=(total as u32 / size) {
                let paging = Paging { number: page, size, unpaged: false, sorted: false };
                seen.extend(paging.cut((0..total).collect::<Vec<_>>()).rows);
            }
            prop_assert_eq!(seen, (0..total).collect::<Vec<_>>());
        }

        #[test]
        fn any_paging_is_taken(page in "\\PC{0,12}", size in "\\PC{0,12}", sort in "\\PC{0,20}") {
            let params = Params::parse(&format!("page={page}&size={size}&sort={sort}"));
            let paging = Paging::of(&params);
            let _ = (order(&params, None), paging.page(paging.cut(vec![1, 2, 3]), |n| n));
        }
    }
}
