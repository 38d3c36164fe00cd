//! What the decoder refuses, and where.

use std::fmt;

/// The defect of an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The bytes end inside an item.
    End,
    /// Bytes follow the first item.
    Trailing,
    /// More than `DEPTH_MAX` lists and maps inside each other.
    Depth,
    /// A number in a longer form than it needs.
    LongForm,
    /// An indefinite or reserved length.
    Head,
    /// Text that is not UTF-8.
    Text,
    /// A map key that is not text.
    KeyKind,
    /// A map key that is not after the one before it.
    KeyOrder,
    /// A tag that is not 42.
    Tag,
    /// A link that is not one of ours.
    Link,
    /// A float that is NaN or infinite.
    Float,
    /// A simple value that is not false, true or null.
    Simple,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::End => "ends inside an item",
            Self::Trailing => "more follows the first item",
            Self::Depth => "lists and maps nest too deep, at most 32 are accepted",
            Self::LongForm => "a number is longer than it needs",
            Self::Head => "indefinite and reserved lengths are not accepted",
            Self::Text => "text is not UTF-8",
            Self::KeyKind => "a map's key is not text",
            Self::KeyOrder => "map keys repeat or are out of order",
            Self::Tag => "only tag 42 is accepted",
            Self::Link => "a link is not a CIDv1 of blake3-256, dag-cbor or raw",
            Self::Float => "NaN and infinities are not accepted",
            Self::Simple => "of the simple values only false, true and null are accepted",
        })
    }
}

/// A defect and its byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub fault: Fault,
    /// Offset of the item that is.
    pub at: usize,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}", self.at, self.fault)
    }
}

impl std::error::Error for DecodeError {}
