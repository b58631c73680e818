//! Who owns an entry: the first rule that fits.

use events::Label;
use serde::Deserialize;

use crate::slot::{Slot, SlotKind};

/// Owner of what no rule fits, unless the file names another.
const DEFAULT_OWNER: &str = "Security";

/// Rules in order, and the owner of what none of them fits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routing {
    /// Owner of what no rule fits.
    #[serde(default = "default_owner")]
    pub default: Label,
    /// The first rule that fits decides.
    #[serde(default, rename = "route")]
    pub routes: Vec<Route>,
}

/// A rule fits when everything that it names fits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Beginning of the purl of a component.
    pub purl: Option<Label>,
    /// The project or supplier.
    pub scope: Option<Label>,
    /// `project` or `supplier`.
    pub kind: Option<SlotKind>,
    /// Who owns what fits.
    pub owner: Label,
}

impl Routing {
    /// Owner of something about components with these purls in `slot`.
    pub fn owner<'a>(&'a self, slot: &Slot, purls: impl Iterator<Item = &'a str>) -> &'a Label {
        let purls: Vec<&str> = purls.collect();
        let fits = |route: &&Route| {
            let Route { purl, scope, kind, .. } = route;
            let begins = |prefix: &Label| purls.iter().any(|it| it.starts_with(prefix.as_str()));
            purl.as_ref().is_none_or(begins)
                && scope.as_ref().is_none_or(|it| it.as_str() == slot.scope.as_str())
                && kind.is_none_or(|it| it == slot.kind)
        };
        self.routes.iter().find(fits).map_or(&self.default, |route| &route.owner)
    }
}

impl Default for Routing {
    fn default() -> Self {
        Self { default: default_owner(), routes: Vec::new() }
    }
}

fn default_owner() -> Label {
    Label::of(DEFAULT_OWNER)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;

    const RULES: &str = "default = 'Engineering'\n\
        [[route]]\npurl = 'pkg:npm/'\nscope = 'hotpass'\nowner = 'Web'\n\
        [[route]]\npurl = 'pkg:npm/'\nowner = 'Platform'\n\
        [[route]]\nkind = 'supplier'\nowner = 'Procurement'\n";

    fn slot(kind: SlotKind, scope: &str) -> Slot {
        Slot { kind, scope: scope.parse().expect("valid"), product: Label::of("x") }
    }

    #[test]
    fn first_rule_that_fits_names_the_owner() {
        let routing: Routing = parse(Path::new("r"), RULES).expect("valid");
        let owner = |kind, scope: &str, purl: &str| {
            routing.owner(&slot(kind, scope), [purl].into_iter()).to_string()
        };
        assert_eq!(owner(SlotKind::Project, "hotpass", "pkg:npm/a@1"), "Web");
        assert_eq!(owner(SlotKind::Supplier, "acme", "pkg:npm/a@1"), "Platform");
        assert_eq!(owner(SlotKind::Supplier, "acme", "pkg:pypi/a@1"), "Procurement");
        assert_eq!(owner(SlotKind::Project, "hotpass", "pkg:pypi/a@1"), "Engineering");
    }

    #[test]
    fn no_file_means_security() {
        let slot = slot(SlotKind::Project, "x");
        assert_eq!(Routing::default().owner(&slot, std::iter::empty()).as_str(), "Security");
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let refusal = |text: &str| {
            parse::<Routing>(Path::new("routing.toml"), text).expect_err("refused").to_string()
        };
        let unknown = refusal("[[route]]\nowner = 'A'\nteam = 'B'\n");
        assert!(unknown.starts_with("routing.toml:3: unknown field `team`"), "{unknown}");
        let ownerless = refusal("default = 'A'\n\n[[route]]\nkind = 'supplier'\n");
        assert!(ownerless.starts_with("routing.toml:3: missing field `owner`"), "{ownerless}");
        let kind = refusal("[[route]]\nowner = 'A'\nkind = 'vendor'\n");
        assert!(kind.starts_with("routing.toml:3: unknown variant `vendor`"), "{kind}");
        let empty = refusal("\ndefault = ''\n");
        assert!(empty.starts_with("routing.toml:2: must not be empty"), "{empty}");
    }
}
