//! What is said in advance of dependencies: by a project, its parents, and the lists that they import.

use std::collections::HashMap;

use super::lineage::{Lineage, file_at};
use super::model::{Dependency, Pom};
use super::properties::Properties;
use crate::lockfile::beside::Beside;
use crate::lockfile::error::Fault;

/// Most lists that one project imports, those that these import included.
const MAX_IMPORTS: usize = 32;
/// Most lists that import one another.
const MAX_DEPTH: usize = 8;

/// Group, artifact, type and classifier: what makes two dependencies the same.
pub(super) type Key = (String, String, String, String);

/// What is said in advance of a dependency.
#[derive(Clone, Default)]
pub(super) struct Managed {
    pub(super) version: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) optional: Option<String>,
}

/// Something that is imported and not at hand.
pub(super) struct Absent {
    /// The place in the project's own file that leads there.
    pub(super) offset: usize,
    /// `group:artifact:version`.
    pub(super) label: String,
}

/// All that is said in advance, by those that come first first.
pub(super) struct Management<'a, 'b> {
    beside: &'b Beside<'a>,
    pub(super) managed: HashMap<Key, Managed>,
    pub(super) absent: Vec<Absent>,
    imports_left: usize,
}

/// The properties of a project and its parents; the project's own win.
pub(super) fn properties<'a>(poms: &[(&str, Pom<'a>)]) -> Properties<'a> {
    let mut properties = Properties::default();
    let Some((_, own)) = poms.first() else { return properties };
    let parent = own.parent;
    let built_in = [
        (["project.groupId", "pom.groupId", "groupId"], own.own_group()),
        (["project.artifactId", "pom.artifactId", "artifactId"], own.artifact),
        (["project.version", "pom.version", "version"], own.own_version()),
        (["project.packaging", "pom.packaging", "packaging"], own.packaging.or(Some("jar"))),
        (
            ["project.parent.groupId", "pom.parent.groupId", "parent.groupId"],
            parent.map(|it| it.group),
        ),
        (
            ["project.parent.artifactId", "pom.parent.artifactId", "parent.artifactId"],
            parent.map(|it| it.artifact),
        ),
        (
            ["project.parent.version", "pom.parent.version", "parent.version"],
            parent.and_then(|it| it.version),
        ),
    ];
    let set = |properties: &mut Properties<'a>, which: std::ops::Range<usize>| {
        for (names, value) in built_in {
            for name in &names[which.clone()] {
                value.into_iter().for_each(|value| properties.set(name, value));
            }
        }
    };
    set(&mut properties, 0..2);
    for (_, pom) in poms {
        pom.properties().for_each(|(name, value)| properties.set(name, value));
    }
    // The oldest form, which a property of the same name hides.
    set(&mut properties, 2..3);
    properties
}

/// What makes a dependency the same as another; none where a property in it is not known.
pub(super) fn key(dependency: &Dependency<'_>, properties: &mut Properties<'_>) -> Option<Key> {
    let mut resolve = |text: Option<&str>| properties.resolve(text.unwrap_or_default());
    let kind = resolve(dependency.r#type.or(Some("jar")))?;
    let classifier = match (dependency.classifier, &*kind) {
        // A type of Maven's own, which stands for both.
        (None, "test-jar") => "tests".to_owned(),
        (classifier, _) => resolve(classifier)?,
    };
    Some((resolve(Some(dependency.group))?, resolve(Some(dependency.artifact))?, kind, classifier))
}

impl<'a, 'b> Management<'a, 'b> {
    /// What `poms`, a project and its parents, say in advance.
    pub(super) fn of(
        poms: &[(&str, Pom<'_>)],
        properties: &mut Properties<'_>,
        beside: &'b Beside<'a>,
    ) -> Result<Self, Fault> {
        let (managed, absent) = (HashMap::new(), Vec::new());
        let mut management = Self { beside, managed, absent, imports_left: MAX_IMPORTS };
        management.take(poms, properties, None, 0)?;
        Ok(management)
    }

    /// `origin` is the place that leads to an imported list.
    fn take(
        &mut self,
        poms: &[(&str, Pom<'_>)],
        properties: &mut Properties<'_>,
        origin: Option<usize>,
        depth: usize,
    ) -> Result<(), Fault> {
        let mut imports = Vec::new();
        let parent = poms.first().and_then(|(_, own)| own.parent).map_or(0, |it| it.offset);
        for (at, (_, pom)) in poms.iter().enumerate() {
            for dependency in pom.managed()? {
                let own = if at == 0 { dependency.offset } else { parent };
                let place = origin.unwrap_or(own);
                let Some(key) = key(&dependency, properties) else { continue };
                let version = dependency.version.and_then(|it| properties.resolve(it));
                if dependency.scope == Some("import") && key.2 == "pom" {
                    imports.push((place, key.0, key.1, version));
                    continue;
                }
                let owned = |text: Option<&str>| text.map(str::to_owned);
                let (scope, optional) = (owned(dependency.scope), owned(dependency.optional));
                self.managed.entry(key).or_insert(Managed { version, scope, optional });
            }
        }
        for (place, group, artifact, version) in imports {
            if !self.import(poms, (&group, &artifact, version.as_deref()), place, depth) {
                let version = version.as_deref().unwrap_or("?");
                let label = format!("{group}:{artifact}:{version}");
                self.absent.push(Absent { offset: place, label });
            }
        }
        Ok(())
    }

    /// Takes in a list that is one of the projects built with these; tells whether it is.
    fn import(
        &mut self,
        poms: &[(&str, Pom<'_>)],
        (group, artifact, version): (&str, &str, Option<&str>),
        place: usize,
        depth: usize,
    ) -> bool {
        if depth == MAX_DEPTH {
            return false;
        }
        let modules =
            poms.iter().flat_map(|(folder, pom)| pom.modules().map(move |it| (*folder, it)));
        for (folder, module) in modules {
            let name = module.trim_end_matches('/').rsplit('/').next().unwrap_or(module);
            if name != artifact && !name.contains("bom") {
                continue;
            }
            let Some(left) = self.imports_left.checked_sub(1) else { return false };
            self.imports_left = left;
            let Some((folder, text)) = file_at(module, folder, self.beside) else { continue };
            let Ok(lineage) = Lineage::of(text, folder, self.beside) else { continue };
            let Ok(list) = lineage.poms() else { continue };
            let mut properties = properties(&list);
            let mut resolve = |text: Option<&str>| text.and_then(|text| properties.resolve(text));
            let (_, own) = &list[0];
            let is_it = resolve(own.own_group()).as_deref() == Some(group)
                && resolve(own.artifact).as_deref() == Some(artifact)
                && version.is_some()
                && resolve(own.own_version()).as_deref() == version;
            if is_it {
                return self.take(&list, &mut properties, Some(place), depth + 1).is_ok();
            }
        }
        false
    }
}
