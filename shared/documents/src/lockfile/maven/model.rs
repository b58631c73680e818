//! What one `pom.xml` says, before anything is inherited or replaced.

use crate::lockfile::error::{Fault, Problem};
use crate::lockfile::text;
use crate::lockfile::xml_file::{Document, Node};

/// A project's own file.
pub(super) struct Pom<'a> {
    node: Node<'a>,
    pub(super) parent: Option<Parent<'a>>,
    pub(super) group: Option<&'a str>,
    pub(super) artifact: Option<&'a str>,
    pub(super) version: Option<&'a str>,
    pub(super) packaging: Option<&'a str>,
}

/// The file that a project inherits from.
#[derive(Clone, Copy)]
pub(super) struct Parent<'a> {
    pub(super) offset: usize,
    pub(super) group: &'a str,
    pub(super) artifact: &'a str,
    pub(super) version: Option<&'a str>,
    /// Where it lies; absent where it is in no folder beside.
    pub(super) path: Option<&'a str>,
}

/// A dependency, or what is said of one in advance.
#[derive(Clone)]
pub(super) struct Dependency<'a> {
    pub(super) offset: usize,
    pub(super) group: &'a str,
    pub(super) artifact: &'a str,
    pub(super) version: Option<&'a str>,
    pub(super) r#type: Option<&'a str>,
    pub(super) classifier: Option<&'a str>,
    pub(super) scope: Option<&'a str>,
    pub(super) optional: Option<&'a str>,
    pub(super) system_path: Option<&'a str>,
}

impl<'a> Pom<'a> {
    /// What `document` says.
    pub(super) fn of(document: &'a Document<'a>) -> Result<Self, Fault> {
        let node = document.root();
        if node.name() != "project" {
            let expected = "the element of a Maven project";
            return Err(text::invalid("project", node.name(), expected).at(node.offset()));
        }
        Ok(Self {
            node,
            parent: node.child("parent").map(parent).transpose()?,
            group: node.child_text("groupId"),
            artifact: node.child_text("artifactId"),
            version: node.child_text("version"),
            packaging: node.child_text("packaging"),
        })
    }

    /// Where the file's outermost element begins.
    pub(super) fn offset(&self) -> usize {
        self.node.offset()
    }

    /// Its group, or its parent's.
    pub(super) fn own_group(&self) -> Option<&'a str> {
        self.group.or(self.parent.map(|parent| parent.group))
    }

    /// Its version, or its parent's.
    pub(super) fn own_version(&self) -> Option<&'a str> {
        self.version.or(self.parent.and_then(|parent| parent.version))
    }

    pub(super) fn properties(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let properties = self.node.child("properties");
        let children = properties.into_iter().flat_map(Node::children);
        children.map(|child| (child.name(), child.text().unwrap_or_default()))
    }

    pub(super) fn dependencies(&self) -> Result<Vec<Dependency<'a>>, Fault> {
        self.node.list("dependencies", "dependency").map(dependency).collect()
    }

    /// Versions and scopes for whoever asks for these without saying.
    pub(super) fn managed(&self) -> Result<Vec<Dependency<'a>>, Fault> {
        let Some(node) = self.node.child("dependencyManagement") else { return Ok(Vec::new()) };
        node.list("dependencies", "dependency").map(dependency).collect()
    }

    /// Folders or files of the projects that are built with it.
    pub(super) fn modules(&self) -> impl Iterator<Item = &'a str> {
        let modules = self.node.list("modules", "module");
        modules.chain(self.node.list("subprojects", "subproject")).filter_map(Node::text)
    }

    /// Where each profile begins that asks for more.
    pub(super) fn profiles(&self) -> impl Iterator<Item = (usize, &'a str)> {
        let profiles = self.node.list("profiles", "profile");
        let asking =
            profiles.filter(|profile| profile.list("dependencies", "dependency").next().is_some());
        asking.map(|profile| (profile.offset(), profile.child_text("id").unwrap_or("default")))
    }

    /// Names of its licences, of which the user may choose one (POM reference, "Licenses").
    pub(super) fn licences(&self) -> Vec<&'a str> {
        let licences = self.node.list("licenses", "license");
        licences.filter_map(|it| it.child_text("name")).filter_map(text::remark).collect()
    }

    pub(super) fn organization(&self) -> Option<&'a str> {
        self.node.child("organization")?.child_text("name").and_then(text::remark)
    }
}

fn parent(node: Node<'_>) -> Result<Parent<'_>, Fault> {
    let path = match node.child("relativePath") {
        None => Some("../pom.xml"),
        Some(path) => path.text(),
    };
    Ok(Parent {
        offset: node.offset(),
        group: required(node, "groupId")?,
        artifact: required(node, "artifactId")?,
        version: node.child_text("version"),
        path,
    })
}

fn dependency(node: Node<'_>) -> Result<Dependency<'_>, Fault> {
    Ok(Dependency {
        offset: node.offset(),
        group: required(node, "groupId")?,
        artifact: required(node, "artifactId")?,
        version: node.child_text("version"),
        r#type: node.child_text("type"),
        classifier: node.child_text("classifier"),
        scope: node.child_text("scope"),
        optional: node.child_text("optional"),
        system_path: node.child_text("systemPath"),
    })
}

fn required<'a>(node: Node<'a>, field: &'static str) -> Result<&'a str, Fault> {
    let problem = || Problem::MissingField { owner: format!("a <{}>", node.name()), field };
    node.child_text(field).ok_or_else(|| problem().at(node.offset()))
}
