//! Who owns an entry, and who can reach a product: the first rule that fits.

use advisories::Ecosystem;
use events::Label;
use globset::{GlobBuilder, GlobMatcher};
use serde::Deserialize;

use crate::{
    priority::Exposure,
    slot::{Slot, SlotKind},
};

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
    /// The first rule that fits decides who can reach a product.
    #[serde(default, rename = "exposure")]
    pub exposures: Vec<Exposed>,
}

/// A rule fits when everything that it names fits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Beginning of the purl of a component.
    pub purl: Option<Label>,
    /// Ecosystem of the package, as OSV names it.
    pub ecosystem: Option<Ecosystem>,
    /// Glob of the lockfile's path: `*` is within a folder, `**` any number of folders.
    pub path: Option<PathGlob>,
    /// The project or supplier.
    pub scope: Option<Label>,
    /// The supplier: `scope` and `kind` in one.
    pub supplier: Option<Label>,
    /// The product.
    pub product: Option<Label>,
    /// `project` or `supplier`.
    pub kind: Option<SlotKind>,
    /// Who owns what fits.
    pub owner: Label,
}

/// Says who can reach the products that fit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposed {
    /// The project or supplier.
    pub scope: Option<Label>,
    /// The product.
    pub product: Option<Label>,
    /// `project` or `supplier`.
    pub kind: Option<SlotKind>,
    /// Who can.
    pub level: Exposure,
}

/// A glob of paths.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct PathGlob(GlobMatcher);

/// What somebody is to own.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The product.
    pub slot: &'a Slot,
    /// Ecosystem of the package; none for a product as a whole.
    pub ecosystem: Option<Ecosystem>,
    /// The lockfile, if there is one.
    pub lock: Option<&'a str>,
    /// Package URLs of the components.
    pub purls: &'a [&'a str],
}

impl Routing {
    /// Owner of something.
    pub fn owner(&self, about: &About<'_>) -> &Label {
        let fitting = self.routes.iter().find(|route| route.fits(about));
        fitting.map_or(&self.default, |route| &route.owner)
    }

    /// Who can reach the product of `slot`.
    pub fn exposure(&self, slot: &Slot) -> Exposure {
        let fits = |it: &&Exposed| {
            let Exposed { scope, product, kind, .. } = it;
            is(scope, slot.scope.as_str())
                && is(product, slot.product.as_str())
                && kind.is_none_or(|it| it == slot.kind)
        };
        self.exposures.iter().find(fits).map_or_else(Exposure::default, |it| it.level)
    }
}

impl Route {
    fn fits(&self, About { slot, ecosystem, lock, purls }: &About<'_>) -> bool {
        let Self { purl, scope, supplier, product, kind, .. } = self;
        let begins = |prefix: &Label| purls.iter().any(|it| it.starts_with(prefix.as_str()));
        let is_in = |glob: &PathGlob| lock.is_some_and(|lock| glob.0.is_match(lock));
        purl.as_ref().is_none_or(begins)
            && self.ecosystem.is_none_or(|it| *ecosystem == Some(it))
            && self.path.as_ref().is_none_or(is_in)
            && is(scope, slot.scope.as_str())
            && (supplier.is_none() || slot.kind == SlotKind::Supplier)
            && is(supplier, slot.scope.as_str())
            && is(product, slot.product.as_str())
            && kind.is_none_or(|it| it == slot.kind)
    }
}

/// Whether it is the name that is asked for, if one is.
fn is(wanted: &Option<Label>, name: &str) -> bool {
    wanted.as_ref().is_none_or(|it| it.as_str() == name)
}

impl TryFrom<String> for PathGlob {
    type Error = String;

    fn try_from(glob: String) -> Result<Self, String> {
        let built = GlobBuilder::new(&glob).literal_separator(true).build();
        built.map(|it| Self(it.compile_matcher())).map_err(|error| error.to_string())
    }
}

impl Default for Routing {
    fn default() -> Self {
        Self { default: default_owner(), routes: Vec::new(), exposures: Vec::new() }
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
        [[route]]\npath = 'infra/**/*.lock'\nowner = 'DevOps'\n\
        [[route]]\npurl = 'pkg:npm/'\nowner = 'Platform'\n\
        [[route]]\nsupplier = 'acme'\nproduct = 'gadget'\nowner = 'Hardware'\n\
        [[route]]\nkind = 'supplier'\nowner = 'Procurement'\n\
        [[route]]\necosystem = 'crates.io'\nowner = 'Systems'\n\
        [[exposure]]\nscope = 'hotpass'\nproduct = 'api'\nlevel = 'internet'\n\
        [[exposure]]\nkind = 'supplier'\nlevel = 'none'\n";

    fn slot(kind: SlotKind, scope: &str, product: &str) -> Slot {
        Slot { kind, scope: scope.parse().expect("valid"), product: Label::of(product) }
    }

    fn owner(slot: &Slot, purl: &str, lock: Option<&str>) -> String {
        let routing: Routing = parse(Path::new("r"), RULES).expect("valid");
        let kind = purl.strip_prefix("pkg:").and_then(|it| it.split_once('/')).expect("a purl").0;
        let ecosystem = Ecosystem::from_purl_type(kind);
        routing.owner(&About { slot, ecosystem, lock, purls: &[purl] }).to_string()
    }

    #[test]
    fn first_rule_that_fits_names_the_owner() {
        let (project, supplier) = (SlotKind::Project, SlotKind::Supplier);
        let hotpass = slot(project, "hotpass", "api");
        for (slot, purl, lock, expected) in [
            (&hotpass, "pkg:npm/a@1", None, "Web"),
            (&slot(project, "other", "x"), "pkg:npm/a@1", None, "Platform"),
            (&slot(supplier, "acme", "gadget"), "pkg:pypi/a@1", None, "Hardware"),
            (&slot(project, "acme", "gadget"), "pkg:pypi/a@1", None, "Engineering"),
            (&slot(supplier, "acme", "widget"), "pkg:pypi/a@1", None, "Procurement"),
            (&hotpass, "pkg:cargo/a@1", None, "Systems"),
            (&hotpass, "pkg:pypi/a@1", Some("infra/x/uv.lock"), "DevOps"),
            (&hotpass, "pkg:pypi/a@1", Some("infra/x/y/uv.lock"), "DevOps"),
            (&hotpass, "pkg:pypi/a@1", Some("web/infra/uv.lock"), "Engineering"),
            (&hotpass, "pkg:pypi/a@1", None, "Engineering"),
        ] {
            assert_eq!(owner(slot, purl, lock), expected, "{slot:?} {purl} {lock:?}");
        }
    }

    #[test]
    fn product_that_nobody_speaks_of_is_internal() {
        let routing: Routing = parse(Path::new("r"), RULES).expect("valid");
        for (kind, scope, product, level) in [
            (SlotKind::Project, "hotpass", "api", Exposure::Internet),
            (SlotKind::Project, "hotpass", "worker", Exposure::Internal),
            (SlotKind::Supplier, "acme", "gadget", Exposure::None),
        ] {
            assert_eq!(routing.exposure(&slot(kind, scope, product)), level, "{product}");
        }
    }

    #[test]
    fn no_file_means_security() {
        let slot = slot(SlotKind::Project, "x", "x");
        let about = About { slot: &slot, ecosystem: None, lock: None, purls: &[] };
        assert_eq!(Routing::default().owner(&about).as_str(), "Security");
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let refusal = |text: &str| {
            parse::<Routing>(Path::new("routing.toml"), text).expect_err("refused").to_string()
        };
        for (text, start) in [
            ("[[route]]\nowner = 'A'\nteam = 'B'\n", "routing.toml:3: unknown field `team`"),
            (
                "default = 'A'\n\n[[route]]\nkind = 'supplier'\n",
                "routing.toml:3: missing field `owner`",
            ),
            (
                "[[route]]\nowner = 'A'\nkind = 'vendor'\n",
                "routing.toml:3: unknown variant `vendor`",
            ),
            ("\ndefault = ''\n", "routing.toml:2: must not be empty"),
            ("[[route]]\nowner = 'A'\npath = '['\n", "routing.toml:3: error parsing glob '['"),
            (
                "[[route]]\nowner = 'A'\necosystem = 'pip'\n",
                "routing.toml:3: unknown variant `pip`",
            ),
            ("[[exposure]]\nlevel = 'public'\n", "routing.toml:2: unknown variant `public`"),
        ] {
            assert!(refusal(text).starts_with(start), "{}", refusal(text));
        }
    }
}
