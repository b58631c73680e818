//! The list of feeds, as a file or as URLs.

use std::{collections::BTreeSet, fs, path::Path};

use reqwest::Url;
use serde::Deserialize;

use crate::FeedsError;

/// Most feeds of one list: OSV has fifty ecosystems.
const MAX_FEEDS: usize = 500;
/// Largest file with a list, in bytes.
const MAX_LIST_BYTES: u64 = 1024 * 1024;
/// Most bytes that a feed may serve, unless its list says otherwise: all of OSV in one archive has less.
const MAX_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Longest name of a feed, in bytes.
const MAX_NAME_BYTES: usize = 100;

/// URLs that advisories are fetched from.
#[derive(Debug, Clone)]
pub struct Feeds {
    pub(crate) feeds: Vec<Feed>,
    pub(crate) allow_http: bool,
}

/// Something on the network that advisories are fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Where it is.
    pub url: Url,
    /// What logs and metrics call it: its name in the list, else its URL without the query, which may be a secret.
    pub name: String,
    /// What is there.
    pub kind: Kind,
    /// Most bytes that are read of it at once.
    pub max_bytes: u64,
}

/// What a URL leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File(Format),
    /// The folder of an ecosystem in OSV's bucket: `modified_id.csv`, `all.zip`, and each record by its id.
    Bucket,
}

/// What a file is, and how its name ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An archive of OSV records.
    Zip,
    /// An OSV record, or KEV.
    Json,
    /// An OSV record a line.
    JsonLines,
    /// EPSS.
    Csv,
    /// EPSS, compressed.
    CsvGz,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    feed: Vec<WireFeed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WireFeed {
    url: String,
    name: Option<String>,
    format: Option<WireKind>,
    max_bytes: Option<u64>,
}

#[derive(Deserialize)]
enum WireKind {
    #[serde(rename = "zip")]
    Zip,
    #[serde(rename = "json")]
    Json,
    #[serde(rename = "jsonl")]
    JsonLines,
    #[serde(rename = "csv")]
    Csv,
    #[serde(rename = "csv.gz")]
    CsvGz,
    #[serde(rename = "osv-bucket")]
    Bucket,
}

impl Feeds {
    /// Reads a TOML file with `[[feed]]` tables: `url`, and if need be `name`, `format` (`zip`, `json`, `jsonl`, `csv`,
    /// `csv.gz` or `osv-bucket`, else taken from the URL's end) and `max-bytes`. `http:` is refused unless `allow_http` says
    /// otherwise.
    ///
    /// # Errors
    /// The file cannot be read, is no such list, or one of its URLs cannot be used.
    pub fn load(path: &Path, allow_http: bool) -> Result<Self, FeedsError> {
        let io = |source| FeedsError::Io { path: path.to_owned(), source };
        let syntax = |reason: String| FeedsError::Syntax { path: path.to_owned(), reason };
        if fs::metadata(path).map_err(io)?.len() > MAX_LIST_BYTES {
            return Err(syntax(format!("larger than {MAX_LIST_BYTES} bytes")));
        }
        let text = fs::read_to_string(path).map_err(io)?;
        let wire: Wire = toml::from_str(&text).map_err(|error| syntax(error.to_string()))?;
        let feeds = wire.feed.into_iter().map(Feed::of_wire);
        let feeds = Self::new(feeds.collect::<Result<_, _>>()?, allow_http)?;
        feeds.names_differ()?;
        Ok(feeds)
    }

    /// Feeds at these URLs, whose end tells their format.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub fn of_urls(urls: &[String], allow_http: bool) -> Result<Self, FeedsError> {
        let feeds = urls.iter().map(|it| Feed::new(it, None));
        Self::new(feeds.collect::<Result<_, _>>()?, allow_http)
    }

    fn new(mut feeds: Vec<Feed>, allow_http: bool) -> Result<Self, FeedsError> {
        if let Some(feed) = feeds.iter().find(|it| !is_allowed(&it.url, allow_http)) {
            let reason = match feed.url.scheme() {
                "http" => "anybody on the way could change it; write https",
                _ => "only https is fetched",
            };
            return Err(FeedsError::Url { url: feed.url.to_string(), reason });
        }
        feeds.sort_by(|one, other| one.url.cmp(&other.url));
        feeds.dedup_by(|one, other| one.url == other.url);
        if !(1..=MAX_FEEDS).contains(&feeds.len()) {
            return Err(FeedsError::Count { found: feeds.len(), most: MAX_FEEDS });
        }
        Ok(Self { feeds, allow_http })
    }

    /// What logs and metrics call them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.feeds.iter().map(|it| it.name.as_str())
    }

    /// Whoever reads a log has to know which one is meant.
    fn names_differ(&self) -> Result<(), FeedsError> {
        let mut names = BTreeSet::new();
        match self.names().find(|it| !names.insert(*it)) {
            None => Ok(()),
            Some(name) => {
                let reason = "two feeds are called so; give each a `name` of its own";
                Err(FeedsError::Url { url: name.to_owned(), reason })
            }
        }
    }
}

impl Feed {
    fn of_wire(wire: WireFeed) -> Result<Self, FeedsError> {
        let kind = wire.format.map(|it| match it {
            WireKind::Zip => Kind::File(Format::Zip),
            WireKind::Json => Kind::File(Format::Json),
            WireKind::JsonLines => Kind::File(Format::JsonLines),
            WireKind::Csv => Kind::File(Format::Csv),
            WireKind::CsvGz => Kind::File(Format::CsvGz),
            WireKind::Bucket => Kind::Bucket,
        });
        let mut feed = Self::new(&wire.url, kind)?;
        feed.max_bytes = wire.max_bytes.unwrap_or(MAX_BYTES);
        if let Some(name) = wire.name {
            let is_name = !name.is_empty() && name.len() <= MAX_NAME_BYTES;
            if !is_name || name.chars().any(char::is_control) {
                let reason = "its `name` is none; write 1 to 100 bytes on one line";
                return Err(FeedsError::Url { url: feed.name, reason });
            }
            feed.name = name;
        }
        Ok(feed)
    }

    fn new(text: &str, kind: Option<Kind>) -> Result<Self, FeedsError> {
        let refused = |reason| FeedsError::Url { url: shown(text), reason };
        let url = Url::parse(text).map_err(|_| refused("no URL; write https://host/path"))?;
        if !url.has_host() {
            return Err(refused("names no host; write https://host/path"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let reason = "holds a password, which would stand in every record's origin; use a mirror that needs none";
            return Err(refused(reason));
        }
        let of_end = || Format::of(url.path()).map(Kind::File);
        let unknown = "its end tells no format; name one of zip, json, jsonl, csv, csv.gz and osv-bucket as `format` in the list";
        let kind = kind.or_else(of_end).ok_or_else(|| refused(unknown))?;
        if kind == Kind::Bucket && (url.query().is_some() || url.fragment().is_some()) {
            return Err(refused("a bucket is a folder: write its URL without `?` and `#`"));
        }
        Ok(Self { name: name_of(&url), url, kind, max_bytes: MAX_BYTES })
    }
}

/// The URL without what need not be for everybody.
fn name_of(url: &Url) -> String {
    let mut name = url.clone();
    name.set_query(None);
    name.set_fragment(None);
    name.into()
}

impl Format {
    const ALL: [Self; 5] = [Self::Zip, Self::Json, Self::JsonLines, Self::Csv, Self::CsvGz];

    /// How the name of such a file ends, after the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::CsvGz => "csv.gz",
        }
    }

    fn of(path: &str) -> Option<Self> {
        let path = path.to_ascii_lowercase();
        let ends =
            |it: &Self| path.strip_suffix(it.extension()).is_some_and(|rest| rest.ends_with('.'));
        Self::ALL.into_iter().find(ends)
    }

    /// Whether a file that begins so may be one.
    pub(crate) fn fits(self, start: &[u8]) -> bool {
        match self {
            Self::Zip => start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06"),
            Self::CsvGz => start.starts_with(&[0x1f, 0x8b]),
            Self::Json | Self::JsonLines => start.trim_ascii_start().starts_with(b"{"),
            // Error pages are HTML.
            Self::Csv => !start.trim_ascii_start().starts_with(b"<"),
        }
    }
}

/// Whether a URL may be asked, and a redirect to it followed.
pub(crate) fn is_allowed(url: &Url, allow_http: bool) -> bool {
    url.scheme() == "https" || (allow_http && url.scheme() == "http")
}

/// Enough of other people's text to recognise it, and no password.
fn shown(text: &str) -> String {
    let shown = match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => text.to_owned(),
    };
    shown.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn load(text: &str) -> Result<Feeds, FeedsError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Feeds::load(file.path(), false)
    }

    #[test]
    fn list_names_urls_and_what_they_serve() {
        let text = r#"
            [[feed]]
            url = "https://example.org/PyPI/all.zip"
            max-bytes = 1000

            [[feed]]
            url = "https://example.org/kev?token=secret"
            format = "json"

            [[feed]]
            url = "https://example.org/npm/"
            format = "osv-bucket"
            name = "npm"
        "#;
        let feeds = load(text).unwrap();
        let shown: Vec<_> =
            feeds.feeds.iter().map(|it| (it.url.path(), it.kind, it.max_bytes)).collect();
        assert_eq!(
            shown,
            [
                ("/PyPI/all.zip", Kind::File(Format::Zip), 1000),
                ("/kev", Kind::File(Format::Json), MAX_BYTES),
                ("/npm/", Kind::Bucket, MAX_BYTES),
            ]
        );
        let names: Vec<_> = feeds.names().collect();
        assert_eq!(names, ["https://example.org/PyPI/all.zip", "https://example.org/kev", "npm"]);
    }

    #[test]
    fn feeds_are_told_apart_by_name() {
        let feed = |url: &str, more: &str| format!("[[feed]]\nurl = \"{url}\"\n{more}\n");
        let [one, other] = ["https://a.org/a.zip?of=1", "https://a.org/a.zip?of=2"];
        let error = load(&[feed(one, ""), feed(other, "")].concat()).unwrap_err().to_string();
        assert_eq!(
            error,
            "https://a.org/a.zip: two feeds are called so; give each a `name` of its own"
        );
        assert!(load(&[feed(one, "name = \"one\""), feed(other, "")].concat()).is_ok());
        assert!(load(&[feed(one, ""), feed(one, "")].concat()).is_ok(), "it is one feed");
        for name in ["", "a\\u0007", &"a".repeat(101)] {
            let error = load(&feed(one, &format!("name = \"{name}\""))).unwrap_err().to_string();
            assert!(error.contains("1 to 100 bytes"), "{name}: {error}");
        }
        for url in ["https://a.org/npm/?of=1", "https://a.org/npm/#a"] {
            let error = load(&feed(url, "format = \"osv-bucket\"")).unwrap_err().to_string();
            assert!(error.contains("a bucket is a folder"), "{error}");
        }
        assert!(load(&feed(one, "format = \"osv-buckets\"")).is_err());
    }

    #[test]
    fn format_is_told_by_the_end_of_the_path() {
        for (path, format) in [
            ("/a.ZIP", Some(Format::Zip)),
            ("/a.csv.gz", Some(Format::CsvGz)),
            ("/a.csv", Some(Format::Csv)),
            ("/a.jsonl", Some(Format::JsonLines)),
            ("/a.json", Some(Format::Json)),
            ("/zip", None),
            ("/a.gz", None),
        ] {
            assert_eq!(Format::of(path), format, "{path}");
        }
    }

    #[test]
    fn what_cannot_be_fetched_says_why() {
        for (url, reason) in [
            ("http://example.org/a.zip", "write https"),
            ("ftp://example.org/a.zip", "only https"),
            ("file:///etc/a.json", "no host"),
            ("a.zip", "no URL"),
            ("https://example.org/a", "`format`"),
            ("https://me:secret@example.org/a.zip", "a password"),
        ] {
            let error = Feeds::of_urls(&[url.to_owned()], false).unwrap_err().to_string();
            assert!(error.contains(reason) && !error.contains("secret"), "{url}: {error}");
        }
        assert!(Feeds::of_urls(&["http://example.org/a.zip".to_owned()], true).is_ok());
        assert!(matches!(Feeds::of_urls(&[], false), Err(FeedsError::Count { .. })));
        for text in
            ["", "feed = 1", "[[feed]]\nurl = 1", "[[feed]]\nurl = \"https://a/b.zip\"\nx = 1"]
        {
            assert!(matches!(load(text), Err(FeedsError::Syntax { .. })), "{text}");
        }
    }
}
