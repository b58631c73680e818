//! tmp
use documents::*;
fn main() {
    let mut n = 0;
    let mut pk = 0;
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).unwrap();
        let t = std::time::Instant::now();
        match lockfile::parse(
            if path.contains("uv.lock") { "uv.lock" } else { "Cargo.lock" },
            &bytes,
        ) {
            Ok(l) => {
                n += 1;
                pk += l.packages.len();
                let t1 = t.elapsed();
                let want = bytes.windows(12).filter(|w| w == b"\n[[package]]").count();
                if want != l.packages.len() {
                    println!("{path}: {want} {}", l.packages.len());
                }
                let ls = [l];
                let t2 = std::time::Instant::now();
                let out = cyclonedx::write(&cyclonedx::SbomInput {
                    project: "p",
                    version: None,
                    serial: uuid::Uuid::nil(),
                    timestamp: jiff::Timestamp::UNIX_EPOCH,
                    artifacts: &[],
                    lockfiles: &ls,
                    spec_version: Default::default(),
                    tool_version: "1",
                });
                let t2 = t2.elapsed();
                let t3 = std::time::Instant::now();
                if let Err(e) = schema::validate_cyclonedx(&out) {
                    println!("{path}: {e}");
                }
                if std::env::var_os("V").is_some() {
                    println!(
                        "{path} parse {t1:?} write {t2:?} ({} bytes) validate {:?}",
                        out.len(),
                        t3.elapsed()
                    );
                }
            }
            Err(e) => println!("{path}: {e}"),
        }
    }
    println!("{n} ok, {pk} packages");
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", s.lines().find(|l| l.starts_with("VmHWM")).unwrap());
}
