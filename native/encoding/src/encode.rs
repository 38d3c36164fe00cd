//! Writing: every number in its shortest form.

/// Grows canonical DAG-CBOR. The caller writes map keys in order (see [`Encoder::sort`]).
#[derive(Debug, Default)]
pub struct Encoder(Vec<u8>);

impl Encoder {
    fn head(&mut self, major: u8, number: u64) {
        let bytes = number.to_be_bytes();
        let major = major << 5;
        match number {
            0..24 => self.0.push(major | bytes[7]),
            24..0x100 => self.0.extend([major | 0x18, bytes[7]]),
            0x100..0x1_0000 => self.wide(major | 0x19, &bytes[6..]),
            0x1_0000..0x1_0000_0000 => self.wide(major | 0x1a, &bytes[4..]),
            _ => self.wide(major | 0x1b, &bytes),
        }
    }

    fn wide(&mut self, first: u8, bytes: &[u8]) {
        self.0.push(first);
        self.0.extend_from_slice(bytes);
    }

    /// An integer from 0 up.
    pub fn unsigned(&mut self, value: u64) {
        self.head(0, value);
    }

    /// The integer -1 - value.
    pub fn negative(&mut self, value: u64) {
        self.head(1, value);
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) {
        self.head(2, value.len() as u64);
        self.0.extend_from_slice(value);
    }

    /// A text, or a map's key.
    pub fn text(&mut self, value: &str) {
        self.head(3, value.len() as u64);
        self.0.extend_from_slice(value.as_bytes());
    }

    /// Begin a list of that many items.
    pub fn list(&mut self, length: usize) {
        self.head(4, length as u64);
    }

    /// Begin a map of that many keys and values.
    pub fn map(&mut self, length: usize) {
        self.head(5, length as u64);
    }

    /// A link.
    pub fn link(&mut self, cid: &[u8]) {
        self.head(6, 42);
        self.head(2, cid.len() as u64 + 1);
        self.0.push(0);
        self.0.extend_from_slice(cid);
    }

    /// A float, 64 bits wide.
    pub fn float(&mut self, value: f64) {
        self.wide(0xfb, &value.to_bits().to_be_bytes());
    }

    /// A truth value.
    pub fn boolean(&mut self, value: bool) {
        self.head(7, 20 + u64::from(value));
    }

    /// Null.
    pub fn null(&mut self) {
        self.head(7, 22);
    }

    /// Everything written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Bring a map's items into their order: shorter keys first, then bytewise.
    pub fn sort<T>(items: &mut [T], key: impl Fn(&T) -> &str) {
        items.sort_unstable_by(|a, b| {
            let (a, b) = (key(a), key(b));
            (a.len(), a).cmp(&(b.len(), b))
        });
    }
}
