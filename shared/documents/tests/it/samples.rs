//! Documents to read: those of the wider collection, and broken ones made of sound ones.

/// The files in `folder` and below it; none if it is not at hand.
pub(crate) fn files_below(folder: &str) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => files.extend(files_below(path.to_str().unwrap())),
            false => files.push(std::fs::read(&path).unwrap()),
        }
    }
    files
}

/// Reads 2,000 documents that are `original` with some bytes changed; none may panic, some must
/// be read, and what is said of the others must be short.
pub(crate) fn mutate_often(original: &[u8], read: impl Fn(&[u8]) -> Result<(), String>) {
    let mut random = fastrand::Rng::with_seed(0x00A7_7E57);
    let mut sound = 0;
    for _ in 0..2_000 {
        let mut bytes = original.to_vec();
        for _ in 0..random.usize(1..4) {
            mutate(&mut bytes, &mut random);
        }
        match read(&bytes) {
            Ok(()) => sound += 1,
            Err(message) => assert!(message.len() < 10_000, "{message}"),
        }
    }
    assert!((1..2_000).contains(&sound), "{sound} of 2,000 were read");
}

fn mutate(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    const MARKS: &[u8] = b"\"{}[],:\\\0\xFF1e9";
    let (at, from) = (random.usize(..bytes.len()), random.usize(..bytes.len()));
    let length = random.usize(..40).min(bytes.len() - from);
    match random.u8(..5) {
        0 => bytes[at] ^= 1 << random.u8(..8),
        1 => drop(bytes.drain(from..from + length)),
        2 => {
            let copied = bytes[from..from + length].to_vec();
            bytes.splice(at..at, copied);
        }
        3 => bytes[at] = MARKS[random.usize(..MARKS.len())],
        _ => bytes.truncate(at.max(1)),
    }
}
