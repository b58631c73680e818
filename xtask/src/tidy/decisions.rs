//! Every architecture decision is in the list that people read.

use super::SourceFile;

const FOLDER: &str = "docs/adr/";
const LIST: &str = "docs/adr/README.md";

pub(super) fn violations(files: &[SourceFile]) -> Vec<String> {
    let list = files.iter().find(|it| it.path == LIST).map_or("", |it| it.text.as_str());
    files
        .iter()
        .filter(|it| it.path != LIST)
        .filter_map(|it| it.path.strip_prefix(FOLDER))
        .filter(|name| name.ends_with(".md") && !list.contains(&format!("({name})")))
        .map(|name| format!("{FOLDER}{name}: {LIST} has no link `({name})` to it"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.into(), text: text.into() }
    }

    #[test]
    fn listed_decision_passes() {
        let files = [file(LIST, "- [NATS](0001-nats.md)"), file("docs/adr/0001-nats.md", "")];
        assert_eq!(violations(&files), [""; 0]);
    }

    #[test]
    fn decision_that_is_not_listed_is_named() {
        let expected = ["docs/adr/0002-x.md: docs/adr/README.md has no link `(0002-x.md)` to it"];
        let decision = || file("docs/adr/0002-x.md", "");
        assert_eq!(violations(&[file(LIST, "0002-x.md"), decision()]), expected);
        assert_eq!(violations(&[decision()]), expected);
    }
}
