//! Plot rate of one core against the rate of the same kernel without memory misses.
//!
//! `cargo run --release -p cybervein-pos --example rate -- [b] [k] [kernel]`

use cybervein_pos::plot::Labelling;
use cybervein_pos::{Kernel, Shape};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u8| args.get(at).map_or(Ok(default), |text| text.parse());
    let shape = Shape::new(number(0, 20)?, number(1, 8)?)?;
    let kernel = Kernel::choose(args.get(2).map(String::as_str))?;
    let count = 3_000_000;
    let start = Instant::now();
    std::hint::black_box(kernel.compressions(count));
    let per_second = f64::from(u32::try_from(count)?) / start.elapsed().as_secs_f64();
    let k = f64::from(shape.k);
    let limit = per_second / (1.0 + 5.0 * k + 9.0 * k / 16.0) / 2048.0;
    let start = Instant::now();
    Labelling::make(&[7; 32], shape, kernel, &mut |_, _| Ok(()))?;
    let rate = f64::from(1u32 << (shape.b - 11)) / start.elapsed().as_secs_f64();
    println!(
        "{}: b {} k {}: {rate:.1} MiB/s, hash-only limit {limit:.1} MiB/s, ratio {:.2}",
        kernel.name(),
        shape.b,
        shape.k,
        rate / limit
    );
    Ok(())
}
