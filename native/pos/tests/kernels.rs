//! Every kernel of this machine against the labelling written plainly over the `blake3` crate.

use cybervein_pos::graph::Graph;
use cybervein_pos::plot::Labelling;
use cybervein_pos::seed::lane_keys;
use cybervein_pos::shape::LANES;
use cybervein_pos::{Kernel, Row, Shape};

type Label = [u8; 32];

fn header(i: u32, layer: u8) -> Label {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&i.to_le_bytes());
    bytes[8] = layer;
    bytes
}

/// Column file and plot file, one lane at a time.
fn plainly(mu: &Label, shape: Shape) -> (Vec<u8>, Vec<u8>) {
    let (n, keys, graph) = (1u32 << shape.b, lane_keys(mu), Graph::new(shape.b));
    let mut rows = vec![Row::ZERO; n as usize];
    let mut digests = vec![[0; 32]; n as usize];
    for layer in 0..=shape.k {
        for i in 0..n {
            let before = rows.clone();
            let mut sources = vec![i];
            sources.extend(graph.parents(i));
            sources.push(graph.chain_parent(i));
            for lane in 0..LANES {
                let mut hasher = blake3::Hasher::new_keyed(&keys.lane(lane));
                hasher.update(&header(i, layer));
                for &source in sources.iter().filter(|_| layer > 0) {
                    hasher.update(&before[source as usize].lane(lane));
                }
                rows[i as usize].set_lane(lane, hasher.finalize().as_bytes());
            }
            if layer > 0 {
                let digest = &mut digests[i as usize];
                let mut hasher = blake3::Hasher::new();
                hasher
                    .update(&header(i, layer))
                    .update(digest)
                    .update(rows[i as usize].bytes());
                *digest = *hasher.finalize().as_bytes();
            }
        }
    }
    (
        digests.concat(),
        rows.iter().flat_map(|row| row.bytes().to_vec()).collect(),
    )
}

#[test]
fn every_kernel_labels_as_plain_blake3_does() {
    for (b, k) in [(4, 1), (4, 3), (5, 2), (7, 2)] {
        let shape = Shape::new(b, k).expect("small");
        let mu = [b; 32];
        let (columns, rows) = plainly(&mu, shape);
        for kernel in Kernel::available() {
            let made = Labelling::make(&mu, shape, kernel, &mut |_, _| Ok(())).expect("memory");
            assert_eq!(made.plot_file(), rows, "{} b {b} k {k}", kernel.name());
            assert_eq!(made.column_file(), columns, "{} b {b} k {k}", kernel.name());
        }
    }
}

#[test]
fn parents_of_sixteen_rows_are_those_of_each() {
    for b in [4, 9, 22, 32] {
        let graph = Graph::new(b);
        let mut all = [[0; LANES]; 7];
        let first = graph.mask() & !15;
        graph.parents16(first, &mut all);
        for (offset, lane) in (0u32..).zip(0..LANES) {
            assert_eq!(
                graph.parents(first + offset),
                std::array::from_fn(|d| all[d][lane])
            );
        }
    }
}

#[test]
fn a_kernel_that_is_not_here_is_refused_with_those_that_are() {
    let text = Kernel::choose(Some("abacus"))
        .expect_err("unknown")
        .to_string();
    assert!(
        text.contains("abacus") && text.contains("portable"),
        "{text}"
    );
    assert_eq!(Kernel::choose(None).expect("any"), Kernel::detect());
}
