//! Keys of packages in a `pnpm-lock.yaml`: host, name, version and peers in one text.

/// What a key says of its package.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Key<'a> {
    /// Registry other than the usual one, as a host and a path.
    pub(super) host: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    /// A version, or where the package comes from: `file:…`, `https://…`.
    pub(super) reference: Option<&'a str>,
}

impl<'a> Key<'a> {
    /// Reads `/name/1.0.0_peers` of versions up to 5, or `/name@1.0.0(peers)` of version 6 and
    /// `name@1.0.0(peers)` of later ones.
    pub(super) fn read(key: &'a str, major: u32) -> Self {
        if major <= 5 { Self::with_slashes(key) } else { Self::with_at(without_peers(key)) }
    }

    fn with_slashes(key: &'a str) -> Self {
        let Some(at) = key.match_indices('/').map(|(at, _)| at).find(|&at| {
            let rest = &key[at + 1..];
            is_version(rest) && at > 0
        }) else {
            return Self::default();
        };
        let version = key[at + 1..].split(['/', '_']).next();
        let (host, name) = host_and_name(&key[..at]);
        Self { host, name: Some(name), reference: version }
    }

    fn with_at(key: &'a str) -> Self {
        let key = key.strip_prefix('/').unwrap_or(key);
        // The at sign of a scope begins a segment.
        let is_end = |at: &usize| *at > 0 && key.as_bytes()[at - 1] != b'/';
        let Some(at) = key.match_indices('@').map(|(at, _)| at).find(is_end) else {
            return Self::default();
        };
        let (host, name) = host_and_name(&key[..at]);
        Self { host, name: Some(name), reference: Some(&key[at + 1..]) }
    }

    /// The version, if the key has one.
    pub(super) fn version(&self) -> Option<&'a str> {
        let reference = self.reference?;
        if reference.starts_with("file:") || reference.contains('/') {
            return None;
        }
        // `runtime:22.0.0`, and the names of registries that pnpm is set up with.
        let version = reference.rsplit_once(':').map_or(reference, |(_, version)| version);
        is_version(version).then_some(version)
    }
}

/// A key without the peers that were chosen: what is in the brackets at its end.
pub(super) fn without_peers(key: &str) -> &str {
    let mut depth = 0_usize;
    let mut end = key.len();
    for (at, byte) in key.bytes().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' => {
                let Some(outer) = depth.checked_sub(1) else { return key };
                depth = outer;
                if depth == 0 {
                    end = at;
                }
            }
            _ if depth == 0 => break,
            _ => {}
        }
    }
    &key[..end]
}

fn is_version(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && text[digits..].starts_with('.') && !text.contains("://")
}

fn host_and_name(path: &str) -> (Option<&str>, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    let last = path.rfind('/').map_or(0, |at| at + 1);
    let scope = path[..last.saturating_sub(1)].rfind('/').map_or(0, |at| at + 1);
    let start = if path[scope..].starts_with('@') { scope } else { last };
    ((start > 0).then(|| &path[..start - 1]), &path[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_version_are_taken_apart() {
        for (key, major, host, name, version) in [
            ("/a/1.0.0", 5, None, "a", "1.0.0"),
            ("/@s/a/1.0.0_b@2.0.0", 5, None, "@s/a", "1.0.0"),
            ("/a/1.0.0/b@2.0.0", 5, None, "a", "1.0.0"),
            ("/a/1.0.0-rc.1_hash", 5, None, "a", "1.0.0-rc.1"),
            ("npm.example/@s/a/1.0.0", 5, Some("npm.example"), "@s/a", "1.0.0"),
            ("/@s/a@1.0.0(@t/b@2.0.0)(c@3.0.0(d@4.0.0))", 6, None, "@s/a", "1.0.0"),
            ("npm.example/x/a@1.0.0", 6, Some("npm.example/x"), "a", "1.0.0"),
            ("npm.example/@s/a@1.0.0", 6, Some("npm.example"), "@s/a", "1.0.0"),
            ("a@1.0.0(patch_hash=x)(b@2.0.0)", 9, None, "a", "1.0.0"),
            ("@s/a@1.0.0+build", 9, None, "@s/a", "1.0.0+build"),
            ("node@runtime:22.1.0", 9, None, "node", "22.1.0"),
        ] {
            let read = Key::read(key, major);
            assert_eq!((read.host, read.name, read.version()), (host, Some(name), Some(version)));
        }
        for key in
            ["a@file:x(y)/z", "a@file:1.0.0.tgz", "a@https://h.example/1.0.0", "a@link:../1.0"]
        {
            let read = Key::read(key, 9);
            assert_eq!((read.name, read.version()), (Some("a"), None), "{key}");
        }
        assert_eq!(Key::read("github.com/a/b/0123456789abcdef", 5), Key::default());
        assert_eq!(without_peers("file:a(b)"), "file:a");
        assert_eq!(without_peers("a)"), "a)");
    }
}
