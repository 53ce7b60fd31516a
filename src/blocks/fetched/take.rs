//! A CAR goes in, block by block as it is read, and becomes a pin when all of it was right.
use std::io;

use bytes::{Bytes, BytesMut};

use super::{Fetched, FetchedError, Pin};
use crate::content::car::{CarError, Decoder, Item};

/// Why a CAR was not taken in. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// It is not right.
    #[error(transparent)]
    Car(#[from] CarError),
    /// A block of it, or the pin, cannot be kept.
    #[error(transparent)]
    Store(#[from] FetchedError),
    /// It stopped coming.
    #[error("the CAR ended before it was read: {0}")]
    Read(#[source] io::Error),
}

impl Fetched {
    /// Takes the pieces of a CAR and pins what is in it. Blocking.
    ///
    /// # Errors
    /// See [`TakeError`].
    pub fn take(
        &self,
        pieces: impl Iterator<Item = io::Result<Bytes>>,
        name: String,
        now: i64,
    ) -> Result<Pin, TakeError> {
        let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::new());
        let (mut pinning, mut roots) = (self.pin(), Vec::new());
        for piece in pieces {
            buffer.extend_from_slice(&piece.map_err(TakeError::Read)?);
            while let Some(item) = decoder.next(&mut buffer)? {
                match item {
                    Item::Roots(told) => roots = told,
                    Item::Block { cid, bytes, .. } => pinning.put(&cid, &bytes)?,
                }
            }
        }
        decoder.finish(&buffer)?;
        Ok(pinning.keep(roots, name, now)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Scene;
    use super::*;
    use crate::content::Cid;
    use crate::content::car::{header, section_prefix};
    use crate::content::cid::of_raw;

    fn car(root: Cid, blocks: &[&[u8]]) -> Vec<u8> {
        let sections =
            blocks.iter().map(|block| [section_prefix(&of_raw(block), block.len()), block.to_vec()].concat());
        [header(&[root])].into_iter().chain(sections).collect::<Vec<_>>().concat()
    }

    fn take(scene: &Scene, car: &[u8]) -> Result<Pin, TakeError> {
        let pieces = car.chunks(7).map(|piece| Ok(Bytes::copy_from_slice(piece)));
        scene.fetched.take(pieces, "menu.car".to_owned(), 7)
    }

    #[tokio::test]
    async fn a_car_is_pinned_whole() {
        let scene = Scene::new(0);
        let root = of_raw(b"soup");
        let pin = take(&scene, &car(root, &[b"soup", b"bread", b"soup"])).unwrap();
        assert_eq!((pin.roots, pin.blocks, pin.bytes, pin.name.as_str()), (vec![root], 2, 9, "menu.car"));
        assert!(scene.has(&root).await && scene.has(&of_raw(b"bread")).await);
    }

    #[test]
    fn of_a_car_that_is_not_right_nothing_is_kept() {
        let scene = Scene::new(1000);
        let right = car(of_raw(b"soup"), &[b"soup", b"bread"]);
        let mut wrong = right.clone();
        *wrong.last_mut().unwrap() ^= 1;
        let rootless = [header(&[]), right[header(&[of_raw(b"soup")]).len()..].to_vec()].concat();
        let cut = right[..right.len() - 1].to_vec();
        for (car, told) in [
            (wrong, "the bytes do not hash to"),
            (cut, "it ends early"),
            (car(of_raw(b"salt"), &[b"soup"]), "does not hold it"),
            (rootless, "a pin needs a root"),
            (b"{}".to_vec(), "not a CAR"),
            (Vec::new(), "it ends early"),
        ] {
            let error = take(&scene, &car).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
            assert_eq!((scene.fetched.totals().blocks, scene.fetched.pins().len()), (0, 0), "{told}");
        }
        let stopped = std::iter::once(Ok(Bytes::from(right))).chain([Err(io::ErrorKind::UnexpectedEof.into())]);
        assert!(matches!(scene.fetched.take(stopped, String::new(), 0), Err(TakeError::Read(_))));
        assert_eq!(scene.fetched.totals().blocks, 0);
    }
}
