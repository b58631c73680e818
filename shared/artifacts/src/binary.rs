//! What compilers leave in programs about what they were made of.

use flate2::read::ZlibDecoder;
use object::{
    File, Object, ObjectSection, ObjectSegment,
    read::macho::{FatArch, MachOFatFile32},
};

use documents::metadata::{self, Context, Kind};

use crate::contents::{Outcome, Scan};

/// Where cargo-auditable puts its list.
const CARGO_AUDITABLE: &str = ".dep-v0";
/// Where Go puts its build information in ELF and Mach-O; in PE it begins the data.
const GO_SECTIONS: [&str; 3] = [".go.buildinfo", "__go_buildinfo", ".data"];
const GO_MAGIC: &[u8] = b"\xff Go buildinf:";
/// Go aligns its build information to as many bytes, and looks for it in so many of the data.
const GO_ALIGNMENT: usize = 16;
const GO_SEARCHED_BYTES: usize = 1024 * 1024;
/// Most sections that are looked at; programs have some dozen.
const MAX_SECTIONS: usize = 1000;

/// Whether `head` begins as a program of Linux, Windows or macOS does.
pub(crate) fn is_binary(head: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 5] =
        [b"\x7fELF", b"MZ", b"\xfe\xed\xfa", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"];
    BEGINNINGS.iter().any(|it| head.starts_with(it)) || is_fat(head)
}

/// What the program at `place` says that it is made of; of most, nothing.
pub(crate) fn read(place: &str, bytes: &[u8], scan: Scan<'_>) -> Outcome {
    if is_fat(bytes) {
        // The same program for several processors: the first that says something speaks for all.
        let fat = MachOFatFile32::parse(bytes);
        let programs = fat.iter().flat_map(|fat| fat.arches()).filter_map(|it| it.data(bytes).ok());
        let mut outcomes = programs.map(|program| read_one(place, program, scan));
        return outcomes
            .find(|it| !it.inventories.is_empty() || !it.missing.is_empty())
            .unwrap_or_default();
    }
    read_one(place, bytes, scan)
}

fn read_one(place: &str, bytes: &[u8], scan: Scan<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let Ok(file) = File::parse(bytes) else { return outcome };
    for section in file.sections().take(MAX_SECTIONS) {
        let Ok(name) = section.name() else { continue };
        let is_go = GO_SECTIONS.contains(&name);
        let Ok(data) =
            (if is_go || name == CARGO_AUDITABLE { section.data() } else { Ok(&[][..]) })
        else {
            outcome.append(Outcome::missing(place, format!("its section {name} is cut off")));
            continue;
        };
        if name == CARGO_AUDITABLE {
            outcome.append(auditable(place, data, scan));
        } else if let Some(start) = is_go.then(|| go_start(data)).flatten() {
            outcome.append(go(place, &file, &data[start..]));
        }
    }
    outcome
}

/// The list is JSON, compressed with zlib.
fn auditable(place: &str, data: &[u8], scan: Scan<'_>) -> Outcome {
    let unpacked = scan
        .budget
        .unpack(Box::new(data), |packed| Ok(Box::new(ZlibDecoder::new(packed))))
        .and_then(|mut unpacked| scan.budget.hold(&mut *unpacked, scan.limits.file_bytes));
    match unpacked {
        Ok(json) => {
            let mut outcome = Outcome::default();
            let read = metadata::read(Kind::CargoAuditable, place, &json, &Context::default());
            outcome.add(place, read);
            outcome
        }
        Err(error) => Outcome::missing(place, format!("its list of crates: {error}")),
    }
}

fn go_start(data: &[u8]) -> Option<usize> {
    let searched = data.get(..GO_SEARCHED_BYTES).unwrap_or(data);
    (0..searched.len()).step_by(GO_ALIGNMENT).find(|at| data[*at..].starts_with(GO_MAGIC))
}

/// Go's build information: the version of Go and what `debug/buildinfo` calls the module info.
fn go(place: &str, file: &File<'_>, data: &[u8]) -> Outcome {
    let Some((version, modules)) = go_texts(file, data) else {
        return Outcome::missing(place, "its build information is broken; build it again with Go");
    };
    // Sixteen bytes before and after the text mark it for those who search a program for it.
    let modules = match modules.len().checked_sub(17) {
        Some(end) if end >= 16 && modules[end] == b'\n' => &modules[16..=end],
        _ => &[],
    };
    let text = [b"go\t", version, b"\n", modules].concat();
    let mut outcome = Outcome::default();
    outcome.add(place, metadata::read(Kind::GoBuildInfo, place, &text, &Context::default()));
    outcome
}

/// The two texts, which lie behind the header since Go 1.18; before, the header points to them.
fn go_texts<'a>(file: &File<'a>, data: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (&pointer_size, &flags) = (data.get(14)?, data.get(15)?);
    if flags & 2 != 0 {
        let (version, rest) = counted(data.get(32..)?)?;
        return Some((version, counted(rest)?.0));
    }
    let pointer = Pointer { size: pointer_size, is_big_endian: flags & 1 != 0 };
    let size = usize::from(pointer_size);
    let version = pointer.text(file, data.get(16..)?)?;
    let modules = pointer.text(file, data.get(16 + size..)?).unwrap_or_default();
    Some((version, modules))
}

/// A text after its length in base 128, and what comes behind it.
fn counted(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_usize;
    for (at, byte) in data.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return data[at + 1..].split_at_checked(length);
        }
    }
    None
}

#[derive(Clone, Copy)]
struct Pointer {
    size: u8,
    is_big_endian: bool,
}

impl Pointer {
    /// The text that the pointer at the start of `data` leads to: address and length, elsewhere.
    fn text<'a>(self, file: &File<'a>, data: &[u8]) -> Option<&'a [u8]> {
        let size = u64::from(self.size);
        let header = bytes_at(file, self.read(data)?, 2 * size)?;
        let length = self.read(header.get(usize::from(self.size)..)?)?;
        bytes_at(file, self.read(header)?, length)
    }

    fn read(self, data: &[u8]) -> Option<u64> {
        Some(match (self.size, self.is_big_endian) {
            (4, false) => u32::from_le_bytes(*data.first_chunk()?).into(),
            (4, true) => u32::from_be_bytes(*data.first_chunk()?).into(),
            (8, false) => u64::from_le_bytes(*data.first_chunk()?),
            (8, true) => u64::from_be_bytes(*data.first_chunk()?),
            _ => return None,
        })
    }
}

fn bytes_at<'a>(file: &File<'a>, address: u64, size: u64) -> Option<&'a [u8]> {
    let mut segments = file.segments().take(MAX_SECTIONS);
    segments.find_map(|segment| segment.data_range(address, size).ok().flatten())
}

/// Several Mach-O programs in one file. Java classes begin alike, with a version of 45 and more where
/// the number of programs is.
fn is_fat(bytes: &[u8]) -> bool {
    matches!(bytes, [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, programs, ..] if *programs < 45)
}
