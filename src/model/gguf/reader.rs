//! A reader that cannot be talked into reading, or allocating, too much.
//!
//! In: bytes, and how many there are. Out: numbers and strings. Refuses: to go past the end of the
//! file or past the header's budget, whatever a length field says; every length is checked before
//! it allocates.

use std::io::{self, Read};

use super::GgufError;

/// No real header comes near: Qwen's, with 151,936 tokens and their merges, has 6 MB.
const BUDGET: u64 = 64 << 20;

pub struct Reader<R> {
    inner: R,
    at: u64,
    length: u64,
}

impl<R: Read> Reader<R> {
    /// `length` is how many bytes `inner` has.
    pub fn new(inner: R, length: u64) -> Reader<R> {
        Reader { inner, at: 0, length }
    }

    /// Bytes read so far.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Bytes of the whole file.
    pub fn length(&self) -> u64 {
        self.length
    }

    pub fn malformed(&self, what: impl Into<String>) -> GgufError {
        GgufError::Malformed { at: self.at, what: what.into() }
    }

    pub fn take<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        self.claim(N as u64)?;
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    pub fn u32(&mut self) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    pub fn u64(&mut self) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    /// A number of things, of which there may be at most `most`.
    pub fn count(&mut self, things: &str, most: u64) -> Result<u64, GgufError> {
        let count = self.u64()?;
        if count > most {
            return Err(self.malformed(format!("it claims {count} {things}")));
        }
        Ok(count)
    }

    /// A length and that many bytes, at most `most`.
    pub fn string(&mut self, most: u64) -> Result<Vec<u8>, GgufError> {
        let length = self.string_length(most)?;
        self.bytes(length)
    }

    /// As [`string`](Self::string), of a string that must be UTF-8, as the format says all are. Readers
    /// after us pass such texts on as they are.
    pub fn text(&mut self, most: u64, what: &str) -> Result<String, GgufError> {
        String::from_utf8(self.string(most)?)
            .map_err(|error| self.malformed(format!("{what} is not UTF-8: {error}")))
    }

    /// The length of a string, checked; its bytes come next.
    pub fn string_length(&mut self, most: u64) -> Result<u64, GgufError> {
        let length = self.u64()?;
        if length > most {
            return Err(self.malformed(format!("it claims a string of {length} bytes")));
        }
        Ok(length)
    }

    /// The next `length` bytes, which must have been bounded by the caller.
    pub fn bytes(&mut self, length: u64) -> Result<Vec<u8>, GgufError> {
        // The claim bounds the length by the budget, so it fits a usize and may be allocated.
        self.claim(length)?;
        let mut bytes = vec![0; length as usize];
        self.inner.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    pub fn skip(&mut self, length: u64) -> Result<(), GgufError> {
        self.claim(length)?;
        let skipped = io::copy(&mut (&mut self.inner).take(length), &mut io::sink())?;
        if skipped < length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(())
    }

    /// Makes sure that the next `length` bytes exist and may be read.
    fn claim(&mut self, length: u64) -> Result<(), GgufError> {
        let end = self
            .at
            .checked_add(length)
            .filter(|end| *end <= BUDGET)
            .ok_or(GgufError::HeaderTooLarge)?;
        if end > self.length {
            return Err(GgufError::Truncated { got: self.length, needed: end });
        }
        self.at = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_beyond_the_file_is_a_truncation_and_one_beyond_the_budget_is_refused() {
        let claim = |length: u64| {
            let bytes = length.to_le_bytes();
            Reader::new(&bytes[..], 8).string(u64::MAX).unwrap_err()
        };
        assert!(matches!(claim(9), GgufError::Truncated { got: 8, needed: 17 }));
        assert!(matches!(claim(BUDGET), GgufError::HeaderTooLarge));
        assert!(matches!(claim(u64::MAX), GgufError::HeaderTooLarge));
    }

    #[test]
    fn a_string_longer_than_its_kind_may_be_is_refused() {
        let bytes = [5, 0, 0, 0, 0, 0, 0, 0, b'a', b'b', b'c', b'd', b'e'];
        assert_eq!(Reader::new(&bytes[..], 13).string(5).unwrap(), b"abcde");
        assert!(matches!(Reader::new(&bytes[..], 13).string(4), Err(GgufError::Malformed { .. })));
    }

    #[test]
    fn a_file_that_shrinks_while_it_is_read_is_an_error_and_not_a_hang() {
        let bytes = [0; 4];
        let mut reader = Reader::new(&bytes[..], 100);
        assert!(matches!(reader.skip(50), Err(GgufError::Read(_))));
    }
}
