//! Tests with cases, and why a test is not true.
//!
//! `test_x[case] if { … }` is an object, in which a case that fails is missing. OPA notes each case as it is begun. The
//! engine has no such hook, so the rule is asked again, cut off behind each of its statements: what is reached there
//! has begun, and the first statement that it is not reached behind does not hold.

use std::collections::BTreeSet;

use regorus::{
    Engine, Value,
    unstable::{Expr, LiteralStmt, Module, Rule, RuleHead},
};

use super::{Expression, Outcome, Untrue};
use crate::{Dialect, references::package_path, rules::position};

/// The rule that stands for a test that was cut off.
const REACHED: &str = "attestry_reached";

/// The statements of a test.
pub(super) struct Body<'a> {
    engine: &'a Engine,
    dialect: Dialect,
    package: String,
    /// The file up to its first rule: package and imports.
    header: &'a str,
    /// What names a case; nothing in a test without cases.
    keys: Vec<&'a Expr>,
    statements: &'a [LiteralStmt],
}

impl<'a> Body<'a> {
    pub(super) fn of(
        engine: &'a Engine,
        module: &'a Module,
        rule: &'a Rule,
        dialect: Dialect,
    ) -> Self {
        let first = module.policy.first().map(|rule| rule.span());
        let header = first.and_then(|span| span.source.contents().get(..span.start as usize));
        let statements = match rule {
            Rule::Spec { bodies, .. } => match bodies.as_slice() {
                [body] => body.query.stmts.as_slice(),
                // Of several, which are alternatives, none can be blamed.
                _ => &[],
            },
            Rule::Default { .. } => &[],
        };
        let keys = keys_of(rule);
        let (header, package) = (header.map_or("", |it| it), package_path(module).join("."));
        Self { engine, dialect, package, header, keys, statements }
    }

    pub(super) fn has_cases(&self) -> bool {
        !self.keys.is_empty()
    }

    /// What becomes of a test with cases whose value is `value`.
    pub(super) fn cases(&self, value: &Value) -> Outcome {
        let begun = (0..=self.statements.len()).find_map(|count| self.reached(count));
        let Some(begun) = begun.filter(|begun| !begun.is_empty()) else {
            return Outcome::Error("it has no case that could be found; name each by a variable that the beginning of the body binds".to_owned());
        };
        let untrue = begun.iter().filter_map(|case| {
            let keys = case.as_array().ok()?.as_slice();
            let of_case = keys.iter().fold(value, |value, key| &value[key]);
            (!is_true(of_case)).then(|| self.untrue(keys))
        });
        match untrue.collect::<Vec<_>>() {
            untrue if untrue.is_empty() => Outcome::Passed,
            untrue => Outcome::Failed(untrue),
        }
    }

    /// Says why the case with these keys, or the test that has none, is not true.
    pub(super) fn untrue(&self, keys: &[Value]) -> Untrue {
        let case = Value::from(keys.to_vec());
        let stopped =
            |count: &usize| self.reached(*count).is_some_and(|reached| !reached.contains(&case));
        let statement =
            (1..=self.statements.len()).find(stopped).map(|it| &self.statements[it - 1]);
        let name = |key: &Value| match key {
            Value::String(text) => text.to_string(),
            other => other.to_string(),
        };
        Untrue {
            case: (!keys.is_empty()).then(|| keys.iter().map(name).collect::<Vec<_>>().join("/")),
            expression: statement.map(|statement| Expression {
                position: position(&statement.span),
                text: statement.span.text().lines().next().unwrap_or_default().to_owned(),
            }),
        }
    }

    /// The cases that get behind the first `count` statements; none if these make no rule by themselves.
    fn reached(&self, count: usize) -> Option<BTreeSet<Value>> {
        let keys: Vec<&str> = self.keys.iter().map(|key| key.span().text()).collect();
        let keys = keys.join(", ");
        let head = match self.dialect {
            Dialect::V0 => format!("{REACHED}[[{keys}]]"),
            Dialect::V1 => format!("{REACHED} contains [{keys}] if"),
        };
        let statements: Vec<&str> =
            self.statements[..count].iter().map(|it| it.span.text()).collect();
        let body = if count == 0 { "true".to_owned() } else { statements.join("\n") };
        let mut engine = self.engine.clone();
        engine.set_rego_v0(self.dialect == Dialect::V0);
        let text = format!("{}\n{head} {{\n{body}\n}}\n", self.header);
        engine.add_policy(REACHED.to_owned(), text).ok()?;
        let reached = engine.eval_rule(format!("data.{}.{REACHED}", self.package)).ok()?;
        Some(reached.as_set().ok()?.iter().cloned().collect())
    }
}

/// What names the cases of a test: what stands in the brackets of its head, the first one first.
pub(super) fn keys_of(rule: &Rule) -> Vec<&Expr> {
    let Rule::Spec { head: RuleHead::Compr { refr, .. }, .. } = rule else { return vec![] };
    let (mut keys, mut refr) = (Vec::new(), &**refr);
    while let Expr::RefBrack { refr: inner, index, .. } = refr {
        keys.insert(0, &**index);
        refr = inner;
    }
    keys
}

/// Whether a case holds: it is true, or everything in it is.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Object(cases) => cases.iter().all(|(_, value)| is_true(value)),
        other => *other == Value::Bool(true),
    }
}
