//! Reading: one pass, no second look.

use crate::error::{DecodeError, Fault};
use crate::{DEPTH_MAX, is_cid};

/// Makes values of what the decoder reads. Its errors end the decoding.
#[allow(clippy::missing_errors_doc, reason = "the implementation's own errors")]
pub trait Builder {
    /// A value.
    type Node;
    /// A map's key.
    type Key;
    /// What making a value, or decoding, may fail with.
    type Error: From<DecodeError>;

    /// An integer from 0 up.
    fn unsigned(&mut self, value: u64) -> Result<Self::Node, Self::Error>;
    /// The integer -1 - value.
    fn negative(&mut self, value: u64) -> Result<Self::Node, Self::Error>;
    /// A byte string.
    fn bytes(&mut self, value: &[u8]) -> Result<Self::Node, Self::Error>;
    /// A text.
    fn text(&mut self, value: &str) -> Result<Self::Node, Self::Error>;
    /// A link: the bytes of a CID that [`is_cid`].
    fn link(&mut self, cid: &[u8]) -> Result<Self::Node, Self::Error>;
    /// A finite float.
    fn float(&mut self, value: f64) -> Result<Self::Node, Self::Error>;
    /// A truth value.
    fn boolean(&mut self, value: bool) -> Result<Self::Node, Self::Error>;
    /// Null.
    fn null(&mut self) -> Result<Self::Node, Self::Error>;
    /// A key of the map that is being read.
    fn key(&mut self, value: &str) -> Result<Self::Key, Self::Error>;
    /// A list of what was made last.
    fn list(&mut self, items: Vec<Self::Node>) -> Result<Self::Node, Self::Error>;
    /// A map; keys ascend and differ.
    fn map(&mut self, items: Vec<(Self::Key, Self::Node)>) -> Result<Self::Node, Self::Error>;
}

/// The value of canonical DAG-CBOR bytes.
///
/// # Errors
/// A [`DecodeError`] with the first defect, or what the builder failed with.
pub fn decode<B: Builder>(data: &[u8], builder: &mut B) -> Result<B::Node, B::Error> {
    let mut reader = Reader { data, at: 0 };
    let node = item(&mut reader, builder, 0)?;
    if reader.at < data.len() {
        return Err(reader.fault(Fault::Trailing, reader.at).into());
    }
    Ok(node)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Major {
    Unsigned,
    Negative,
    Bytes,
    Text,
    List,
    Map,
    Tag,
    Simple,
}

impl Major {
    const ALL: [Self; 8] = [
        Self::Unsigned,
        Self::Negative,
        Self::Bytes,
        Self::Text,
        Self::List,
        Self::Map,
        Self::Tag,
        Self::Simple,
    ];
}

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    #[allow(clippy::unused_self, reason = "reads as: this reader's fault")]
    fn fault(&self, fault: Fault, at: usize) -> DecodeError {
        DecodeError { fault, at }
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], DecodeError> {
        let rest = &self.data[self.at..];
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= rest.len())
            .ok_or(self.fault(Fault::End, self.at))?;
        self.at += length;
        Ok(&rest[..length])
    }

    /// Major type and the five low bits.
    fn first(&mut self) -> Result<(Major, u8), DecodeError> {
        let byte = self.take(1)?[0];
        Ok((Major::ALL[usize::from(byte >> 5)], byte & 0x1f))
    }

    /// The number in or after the low bits, in its shortest form only.
    fn number(&mut self, low: u8, at: usize) -> Result<u64, DecodeError> {
        let (width, least) = match low {
            0..=23 => return Ok(u64::from(low)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return Err(self.fault(Fault::Head, at)),
        };
        let value = self
            .take(width)?
            .iter()
            .fold(0, |value, byte| (value << 8) | u64::from(*byte));
        if value < least {
            return Err(self.fault(Fault::LongForm, at));
        }
        Ok(value)
    }

    fn text(&mut self, length: u64) -> Result<&'a str, DecodeError> {
        let at = self.at;
        std::str::from_utf8(self.take(length)?).map_err(|_| self.fault(Fault::Text, at))
    }

    fn key(&mut self) -> Result<&'a str, DecodeError> {
        let at = self.at;
        let (major, low) = self.first()?;
        if major != Major::Text {
            return Err(self.fault(Fault::KeyKind, at));
        }
        let length = self.number(low, at)?;
        self.text(length)
    }

    /// The CID behind tag 42: a byte string that begins with 0, the multibase of plain bytes.
    fn link(&mut self, tag: u64, at: usize) -> Result<&'a [u8], DecodeError> {
        if tag != 42 {
            return Err(self.fault(Fault::Tag, at));
        }
        let (major, low) = self.first()?;
        if major != Major::Bytes {
            return Err(self.fault(Fault::Link, at));
        }
        let length = self.number(low, at)?;
        match self.take(length)?.split_first() {
            Some((0, cid)) if is_cid(cid) => Ok(cid),
            _ => Err(self.fault(Fault::Link, at)),
        }
    }

    fn float(&mut self, at: usize) -> Result<f64, DecodeError> {
        let bits = self
            .take(8)?
            .iter()
            .fold(0, |bits, byte| (bits << 8) | u64::from(*byte));
        let value = f64::from_bits(bits);
        if value.is_finite() {
            Ok(value)
        } else {
            Err(self.fault(Fault::Float, at))
        }
    }
}

fn item<B: Builder>(
    reader: &mut Reader<'_>,
    builder: &mut B,
    depth: usize,
) -> Result<B::Node, B::Error> {
    let at = reader.at;
    let (major, low) = reader.first()?;
    if major == Major::Simple {
        return simple(reader, builder, low, at);
    }
    let number = reader.number(low, at)?;
    if matches!(major, Major::List | Major::Map) && depth == DEPTH_MAX {
        return Err(reader.fault(Fault::Depth, at).into());
    }
    match major {
        Major::Unsigned => builder.unsigned(number),
        Major::Negative => builder.negative(number),
        Major::Bytes => builder.bytes(reader.take(number)?),
        Major::Text => builder.text(reader.text(number)?),
        Major::List => list(reader, builder, number, depth + 1),
        Major::Map => map(reader, builder, number, depth + 1),
        Major::Tag | Major::Simple => builder.link(reader.link(number, at)?),
    }
}

fn simple<B: Builder>(
    reader: &mut Reader<'_>,
    builder: &mut B,
    low: u8,
    at: usize,
) -> Result<B::Node, B::Error> {
    match low {
        20 | 21 => builder.boolean(low == 21),
        22 => builder.null(),
        27 => builder.float(reader.float(at)?),
        _ => Err(reader.fault(Fault::Simple, at).into()),
    }
}

fn list<B: Builder>(
    reader: &mut Reader<'_>,
    builder: &mut B,
    length: u64,
    depth: usize,
) -> Result<B::Node, B::Error> {
    let mut items = Vec::new();
    for _ in 0..length {
        items.push(item(reader, builder, depth)?);
    }
    builder.list(items)
}

fn map<B: Builder>(
    reader: &mut Reader<'_>,
    builder: &mut B,
    length: u64,
    depth: usize,
) -> Result<B::Node, B::Error> {
    let mut items = Vec::new();
    let mut last: Option<&str> = None;
    for _ in 0..length {
        let at = reader.at;
        let key = reader.key()?;
        if last.is_some_and(|last| (last.len(), last) >= (key.len(), key)) {
            return Err(reader.fault(Fault::KeyOrder, at).into());
        }
        last = Some(key);
        let key = builder.key(key)?;
        items.push((key, item(reader, builder, depth)?));
    }
    builder.map(items)
}
