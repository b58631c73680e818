//! The rules of a bundle and what they need, checked before any of them runs.
//!
//! The engine finds a missing function only when it meets the call, and recursion aborts the
//! process, so both are refused here, from the text alone. Where the text leaves it open which
//! rule is meant, every rule that could be meant counts: a sound bundle may be refused, with the
//! remedy in the message, but a recursive one is never accepted.

use std::collections::BTreeMap;

use regorus::unstable::{BUILTINS, Module, Ref, Rule, Span};

use super::{
    Judge, LoadError, Position, RuleSet, Subject,
    graph::Graph,
    heads,
    references::{Path, References, package_path, path_of, rule_path},
};

/// Longest chain of rules that need each other; the engine's stack grows with it.
const MAX_CHAIN: usize = 64;

/// Functions that a gate must not have: their answer changes with the clock, the machine or
/// chance, or one call of theirs can take any amount of memory between two looks at the timer.
const FORBIDDEN: [&str; 9] = [
    "time.now_ns",
    "rand.intn",
    "uuid.rfc4122",
    "opa.runtime",
    "http.send",
    "net.lookup_ip_addr",
    "print",
    "numbers.range",
    "numbers.range_step",
];

struct Declared {
    position: Position,
    references: References,
    rule: Ref<Rule>,
    package: Path,
    imports: BTreeMap<String, Path>,
}

/// All rules of some modules, by absolute path without `data`.
pub(super) struct Rules {
    declared: BTreeMap<Path, Vec<Declared>>,
}

impl Rules {
    pub(super) fn of<'a>(modules: impl IntoIterator<Item = &'a Module>) -> Self {
        let mut declared: BTreeMap<Path, Vec<Declared>> = BTreeMap::new();
        for module in modules {
            let package = package_path(module);
            let imports = imports(module);
            for rule in &module.policy {
                let mut path = package.clone();
                path.extend(rule_path(rule));
                declared.entry(path).or_default().push(Declared {
                    position: position(rule.span()),
                    references: References::of(rule),
                    rule: rule.clone(),
                    package: package.clone(),
                    imports: imports.clone(),
                });
            }
        }
        Self { declared }
    }

    /// What decides a verdict on `subject`.
    pub(super) fn judging(&self, subject: Subject) -> RuleSet {
        let judges = || self.all().filter_map(|(path, rule)| rule.judges(path, subject));
        RuleSet { subject, judges: judges().collect(), rules: judges().count() as u64 }
    }

    /// Refuses unknown and forbidden functions.
    pub(super) fn check_functions(&self) -> Result<(), LoadError> {
        for rule in self.declared.values().flatten() {
            for (path, span) in &rule.references.called {
                let name = path.join(".");
                let forbidden = FORBIDDEN.contains(&name.as_str());
                let ours = rule.meanings(path).any(|path| self.declared.contains_key(&path));
                let problem = if ours {
                    continue;
                } else if forbidden {
                    "may not be used: its answer is not decided by the input, or it can take any amount of memory; compare with `input.time`, iterate over arrays of the input"
                } else if BUILTINS.contains_key(name.as_str()) {
                    continue;
                } else {
                    "is no known function; correct its name, import its package, or define it"
                };
                let function = if path.is_empty() { span.text().to_owned() } else { name };
                return Err(LoadError::Function { position: position(span), function, problem });
            }
        }
        Ok(())
    }

    /// Refuses heads that would make the engine forget findings.
    pub(super) fn check_heads(&self) -> Result<(), LoadError> {
        for (path, rule) in self.all() {
            let is_local = |name: &str| {
                let rule_path: Path =
                    rule.package.iter().cloned().chain([name.to_owned()]).collect();
                let global = matches!(name, "input" | "data") || rule.imports.contains_key(name);
                !global && !self.declared.contains_key(&rule_path)
            };
            if let Some(span) = heads::undefinable(&rule.rule, is_local) {
                let (position, rule) = (position(&span), path.join("."));
                return Err(LoadError::UndefinableHead { position, rule });
            }
        }
        Ok(())
    }

    /// Refuses a `default` that another file asks for: regorus 0.14.1 goes on in the file of the default, and takes
    /// expressions of the rule that asked for others, in silence.
    pub(super) fn check_defaults(&self) -> Result<(), LoadError> {
        for (path, rule) in self.all().filter(|(_, it)| matches!(*it.rule, Rule::Default { .. })) {
            let asks = |other: &&Declared| {
                let called = other.references.called.iter().map(|(path, _)| path);
                let named = other.references.named.iter().chain(called);
                let mut meanings = named.flat_map(|named| other.meanings(named));
                other.position.file != rule.position.file
                    && meanings.any(|meaning| path.starts_with(&meaning))
            };
            if let Some(other) = self.declared.values().flatten().find(asks) {
                return Err(LoadError::DefaultElsewhere {
                    position: rule.position.clone(),
                    rule: path.last().cloned().unwrap_or_default(),
                    used_in: other.position.file.clone(),
                });
            }
        }
        Ok(())
    }

    /// Refuses recursion, and chains that the engine's stack would not hold.
    pub(super) fn check_recursion(&self) -> Result<(), LoadError> {
        let graph = self.graph();
        let chains = graph.chains().map_err(|circle| {
            let names: Vec<String> = circle.iter().map(|path| path.join(".")).collect();
            let position = circle.iter().find_map(|path| self.position(path));
            LoadError::Recursion {
                position: position.unwrap_or_default(),
                cycle: names.join(" → "),
            }
        })?;
        for (path, rules) in &self.declared {
            if let Some(rule) = rules.first()
                && chains.get(path).is_some_and(|&length| length > MAX_CHAIN)
            {
                let (position, rule) = (rule.position.clone(), path.join("."));
                return Err(LoadError::TooDeep { position, rule, max: MAX_CHAIN });
            }
        }
        Ok(())
    }

    /// Refuses rules in judged packages that no verdict depends on.
    pub(super) fn check_unused(&self) -> Result<(), LoadError> {
        let judging = self.all().filter(|(path, rule)| {
            let mut subjects = [Subject::Build, Subject::Supplier].into_iter();
            subjects.any(|subject| rule.judges(path, subject).is_some())
        });
        let graph = self.graph();
        let used = graph.reachable_from(judging.map(|(path, _)| path));
        for (path, rules) in &self.declared {
            if let Some(rule) = rules.first().filter(|_| !used.contains(path))
                && is_judged(&rule.package)
            {
                let name = path.join(".");
                return Err(LoadError::Unused { position: rule.position.clone(), rule: name });
            }
        }
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = (&Path, &Declared)> {
        self.declared.iter().flat_map(|(path, rules)| rules.iter().map(move |rule| (path, rule)))
    }

    fn position(&self, path: &Path) -> Option<Position> {
        self.declared.get(path)?.first().map(|rule| rule.position.clone())
    }

    fn graph(&self) -> Graph {
        let mut graph = Graph::new(self.declared.keys());
        for (target, _) in
            self.declared.values().flatten().flat_map(|rule| &rule.references.replaced)
        {
            // A builtin with a stand-in needs what the stand-in needs.
            if let Some(builtin) = builtin(target) {
                graph.node(&builtin);
            }
        }
        for (path, rules) in &self.declared {
            for rule in rules {
                for meaning in rule.references.named.iter().flat_map(|named| rule.meanings(named)) {
                    graph.needs(path, &meaning);
                }
                for (target, stand_in) in &rule.references.replaced {
                    for target in rule.meanings(target) {
                        rule.meanings(stand_in).for_each(|meaning| graph.needs(&target, &meaning));
                    }
                }
            }
        }
        graph
    }
}

impl Declared {
    /// The part that this rule, whose absolute path is `path`, has in a verdict on `subject`.
    fn judges(&self, path: &[String], subject: Subject) -> Option<Judge> {
        let name = path.get(self.package.len()).filter(|_| subject.is_judged_in(&self.package))?;
        let &(rule, level) = subject.rules().iter().find(|(rule, _)| rule == name)?;
        Some(Judge { package: self.package.join("."), level, rule })
    }

    /// Absolute paths that `path` may mean within this rule: its own package's, an import's, or
    /// a builtin's, which `with` can replace like a rule.
    fn meanings(&self, path: &Path) -> impl Iterator<Item = Path> {
        let mut meanings = Vec::new();
        match path.split_first() {
            None => {}
            Some((root, _)) if root == "input" => {}
            Some((root, rest)) if root == "data" => meanings.push(rest.to_vec()),
            Some((root, rest)) => {
                meanings.push(self.package.iter().chain(path).cloned().collect());
                if let Some(import) = self.imports.get(root) {
                    meanings.push(import.iter().chain(rest).cloned().collect());
                }
                meanings.extend(builtin(path));
            }
        }
        meanings.into_iter()
    }
}

fn builtin(path: &[String]) -> Option<Path> {
    let name = path.join(".");
    BUILTINS.contains_key(name.as_str()).then(|| vec![format!("builtin {name}")])
}

/// Whether rules of this package decide verdicts: `attestry.<name>`, not `attestry.lib`.
pub(super) fn is_judged(package: &[String]) -> bool {
    matches!(package, [root, name, ..] if root == "attestry" && name != "lib")
}

fn imports(module: &Module) -> BTreeMap<String, Path> {
    let mut imports = BTreeMap::new();
    for import in &module.imports {
        let path = path_of(&import.refr);
        let alias = import.r#as.as_ref().map(|span| span.text().to_owned());
        if let Some((root, rest)) = path.split_first()
            && root == "data"
            && let Some(alias) = alias.or_else(|| path.last().cloned())
        {
            imports.insert(alias, rest.to_vec());
        }
    }
    imports
}

/// Where `span` begins.
pub(super) fn position(span: &Span) -> Position {
    Position { file: span.source.get_path().clone(), line: span.line, column: span.col }
}
