//! What every lockfile target does with its bytes.

use documents::cyclonedx::{self, SbomInput, SpecVersion};
use documents::lockfile;

/// Reads `bytes` as the format that the first of them picks; what can be read makes an SBOM that
/// its own reader takes without finding a fault in it.
pub fn of_lockfile(names: &[&str], bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let name = names[usize::from(*first) % names.len()];
    let Ok(inventory) = lockfile::parse(name, rest) else { return };
    let sbom = cyclonedx::write(&SbomInput {
        project: "fuzzed",
        inventories: &[inventory],
        spec_version: SpecVersion::V1_6,
        tool_version: "0",
        ..SbomInput::default()
    });
    if let Err(error) = documents::bom::read(&sbom) {
        panic!("our SBOM cannot be read: {error}\n{}", String::from_utf8_lossy(&sbom));
    }
}
