//! GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11d) and the generator 2.

const POLYNOMIAL: u16 = 0x11d;

/// `EXP[i]` = 2^i, twice around so that sums of two logarithms need no reduction.
const EXP: [u8; 510] = {
    let mut table = [0; 510];
    let mut value = 1_u16;
    let mut i = 0;
    while i < 510 {
        table[i] = value.to_le_bytes()[0];
        value <<= 1;
        if value & 0x100 != 0 {
            value ^= POLYNOMIAL;
        }
        i += 1;
    }
    table
};

const LOG: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0_u8;
    while i < 255 {
        table[EXP[i as usize] as usize] = i;
        i += 1;
    }
    table
};

/// The product.
#[must_use]
pub const fn mul(a: u8, b: u8) -> u8 {
    if a == 0 || b == 0 {
        0
    } else {
        EXP[LOG[a as usize] as usize + LOG[b as usize] as usize]
    }
}

/// The inverse of `a`, which is not zero.
#[must_use]
pub const fn inverse(a: u8) -> u8 {
    EXP[255 - LOG[a as usize] as usize]
}

/// 2 to the power of `exponent`.
#[must_use]
pub const fn power(exponent: usize) -> u8 {
    EXP[exponent % 255]
}

/// `MUL[c][x]` = c * x.
pub static MUL: [[u8; 256]; 256] = {
    let mut table = [[0; 256]; 256];
    let (mut c, mut x) = (0_usize, 0_usize);
    while c < 256 {
        while x < 256 {
            table[c][x] = mul(c.to_le_bytes()[0], x.to_le_bytes()[0]);
            x += 1;
        }
        x = 0;
        c += 1;
    }
    table
};

/// `NIBBLES[c]` = c times the 16 low nibbles, then c times the 16 high ones: a byte shuffle's table.
pub static NIBBLES: [[u8; 32]; 256] = {
    let mut table = [[0; 32]; 256];
    let (mut c, mut x) = (0_usize, 0_usize);
    while c < 256 {
        while x < 16 {
            table[c][x] = mul(c.to_le_bytes()[0], x.to_le_bytes()[0]);
            table[c][x + 16] = mul(c.to_le_bytes()[0], x.to_le_bytes()[0] << 4);
            x += 1;
        }
        x = 0;
        c += 1;
    }
    table
};

/// `AFFINE[c]`: multiplication by c as the 8x8 bit matrix of `GF2P8AFFINEQB`.
///
/// Bit i of the result is the parity of x and byte 7 - i of the matrix; so bit j of that byte is
/// bit i of c * 2^j.
pub static AFFINE: [u64; 256] = {
    let mut table = [0; 256];
    let (mut c, mut i, mut j) = (0_usize, 0, 0);
    while c < 256 {
        while i < 8 {
            while j < 8 {
                let bit = mul(c.to_le_bytes()[0], 1 << j) >> i & 1;
                table[c] |= (bit as u64) << ((7 - i) * 8 + j);
                j += 1;
            }
            j = 0;
            i += 1;
        }
        i = 0;
        c += 1;
    }
    table
};
