//! Policies that count only if somebody who may has signed them: an OPA bundle with a Sigstore bundle over it beside
//! it, `<bundle>.sigstore.json`.

use std::path::Path;

use attestation::{Artifact, verify::MAX_BUNDLE_BYTES, verify_artifact};
use jiff::Timestamp;
use policy::Check;

use crate::{
    trust::CurrentTrust,
    waivers::{bounded, bundle_of},
};

/// Refuses bytes of the bundle at `place` that nobody in `trust` has signed.
pub(crate) fn check(place: &Path, trust: CurrentTrust) -> Check {
    let signature = bundle_of(place);
    Box::new(move |bytes| {
        #[allow(clippy::disallowed_methods, reason = "keys count as of when a policy is loaded")]
        let trust = trust.at(Timestamp::now());
        let bundle = bounded(&signature, MAX_BUNDLE_BYTES as u64).map_err(|error| {
            format!(
                "{error}: sign the bundle with `cosign sign-blob --bundle`, and put both in place"
            )
        })?;
        let signed = verify_artifact(&bundle, &Artifact::of(bytes), &trust)
            .map_err(|error| format!("{}: {error}", signature.display()))?;
        match signed.predicate_type {
            None => Ok(()),
            Some(_) => Err(format!(
                "{}: a statement names the bundle: sign the file itself",
                signature.display()
            )),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        time::{Duration, Instant},
    };

    use attestation::SigningKey;
    use policy::{CurrentPolicy, Limits, LoadError};

    use super::*;

    struct Place {
        directory: tempfile::TempDir,
        bundle: std::path::PathBuf,
    }

    impl Place {
        /// Where only `boss` is trusted.
        fn of(boss: &SigningKey) -> Self {
            let directory = tempfile::tempdir().expect("made");
            let bundle = directory.path().join("bundle.tar.gz");
            let place = Self { directory, bundle };
            place.write("boss.pub", boss.public_key().to_pem().as_bytes());
            place.write("trust.toml", b"[[keys]]\nlabel = \"boss\"\nfile = \"boss.pub\"\n");
            place
        }

        fn write(&self, name: &str, bytes: &[u8]) {
            fs::write(self.directory.path().join(name), bytes).expect("written");
        }

        /// A bundle with the library, and a remark so that no two are the same.
        fn bundle(&self, remark: &str) -> Vec<u8> {
            let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(
                Vec::new(),
                flate2::Compression::fast(),
            ));
            for (name, text) in policy::library() {
                let text = match name.ends_with(".rego") {
                    true => format!("# {remark}\n{text}"),
                    false => text.to_owned(),
                };
                let mut header = tar::Header::new_ustar();
                header.set_size(text.len() as u64);
                header.set_mode(0o644);
                archive.append_data(&mut header, name, text.as_bytes()).expect("packs");
            }
            archive.into_inner().expect("packs").finish().expect("packs")
        }

        fn put(&self, bundle: &[u8], signature: &[u8]) {
            fs::write(&self.bundle, bundle).expect("written");
            fs::write(bundle_of(&self.bundle), signature).expect("written");
        }

        fn load(&self) -> Result<CurrentPolicy, LoadError> {
            let trust = CurrentTrust::of_file(&self.directory.path().join("trust.toml"));
            let check = check(&self.bundle, trust.expect("reads"));
            CurrentPolicy::load_checked(&self.bundle, check, Limits::default())
        }
    }

    #[test]
    fn a_bundle_that_nobody_who_may_has_signed_is_not_loaded() {
        let [boss, other] = [(); 2].map(|()| SigningKey::generate().expect("a key"));
        let place = Place::of(&boss);
        let (one, two) = (place.bundle("one"), place.bundle("two"));
        let refusal = || place.load().err().expect("is refused").to_string();

        fs::write(&place.bundle, &one).expect("written");
        assert!(refusal().contains("bundle.tar.gz.sigstore.json"), "{}", refusal());
        place.put(&one, &other.sign_file(&one).expect("signs"));
        assert!(refusal().contains("no trusted key"), "{}", refusal());
        place.put(&two, &boss.sign_file(&one).expect("signs"));
        assert!(refusal().contains("was not made by `boss` over these bytes"), "{}", refusal());
        place.put(&one, &boss.sign_file(&one).expect("signs"));
        assert!(place.load().is_ok());
        fs::remove_file(&place.bundle).expect("removed");
        fs::create_dir(&place.bundle).expect("made");
        assert!(refusal().starts_with("is a directory, and only a bundle can be signed"));
    }

    #[test]
    fn a_bundle_that_is_exchanged_judges_once_its_own_signature_is_there() {
        let boss = SigningKey::generate().expect("a key");
        let place = Place::of(&boss);
        let (one, two) = (place.bundle("one"), place.bundle("two"));
        let of_one = boss.sign_file(&one).expect("signs");
        place.put(&one, &of_one);
        let current = place.load().unwrap_or_else(|error| panic!("{error}"));
        let first = current.get().digest();
        let wait = |what: &dyn Fn() -> bool| {
            let began = Instant::now();
            while !what() {
                assert!(began.elapsed() < Duration::from_secs(60), "never came");
                std::thread::yield_now();
            }
        };

        place.put(&two, &of_one);
        wait(&|| current.get().digest() == first && current.is_refused());
        place.put(&two, &boss.sign_file(&two).expect("signs"));
        wait(&|| current.get().digest() != first && !current.is_refused());
    }
}
