//! What a rule refers to: every rule, document and function that its text names.

use regorus::unstable::{
    Expr, Literal, Module, Query, Rule, RuleAssign, RuleBody, RuleHead, Span, WithModifier,
};

/// A path from its root on, such as `["data", "attestry", "lib", "present"]`, cut off before the
/// first part that is known only when the rule runs.
pub(super) type Path = Vec<String>;

/// What one rule names.
#[derive(Default)]
pub(super) struct References {
    /// Documents, rules and functions.
    pub(super) named: Vec<Path>,
    /// Those that are called.
    pub(super) called: Vec<(Path, Span)>,
    /// `with` modifiers: the target, and what takes its place.
    pub(super) replaced: Vec<(Path, Path)>,
}

/// The path of a rule below its package.
pub(super) fn rule_path(rule: &Rule) -> Path {
    match rule {
        Rule::Default { refr, .. } => path_of(refr),
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. }
            | RuleHead::Set { refr, .. }
            | RuleHead::Func { refr, .. } => path_of(refr),
        },
    }
}

/// The path of a module's package, without `data`.
pub(super) fn package_path(module: &Module) -> Path {
    path_of(&module.package.refr)
}

/// The longest part of a reference that is known from its text alone.
pub(super) fn path_of(expr: &Expr) -> Path {
    let mut links = Vec::new();
    let mut root = expr;
    while let Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } = root {
        links.push(root);
        root = refr;
    }
    let Expr::Var { span, .. } = root else { return Path::new() };
    let mut path = vec![span.text().to_owned()];
    for link in links.into_iter().rev() {
        match link {
            Expr::RefDot { field, .. } => path.push(field.0.text().to_owned()),
            Expr::RefBrack { index, .. } => match static_key(index) {
                Some(key) => path.push(key),
                None => break,
            },
            _ => break,
        }
    }
    path
}

fn static_key(index: &Expr) -> Option<String> {
    match index {
        Expr::String { value, .. } | Expr::RawString { value, .. } => {
            value.as_string().ok().map(|key| key.to_string())
        }
        _ => None,
    }
}

impl References {
    /// Everything that `rule` names.
    pub(super) fn of(rule: &Rule) -> Self {
        let mut references = Self::default();
        match rule {
            Rule::Default { refr, args, value, .. } => {
                references.indices(refr);
                args.iter().for_each(|arg| references.expr(arg));
                references.expr(value);
            }
            Rule::Spec { head, bodies, .. } => {
                references.head(head);
                bodies.iter().for_each(|body| references.body(body));
            }
        }
        references
    }

    fn head(&mut self, head: &RuleHead) {
        match head {
            RuleHead::Compr { refr, assign, .. } => {
                self.indices(refr);
                self.assign(assign.as_ref());
            }
            RuleHead::Set { refr, key, .. } => {
                self.indices(refr);
                key.iter().for_each(|key| self.expr(key));
            }
            RuleHead::Func { refr, args, assign, .. } => {
                self.indices(refr);
                args.iter().for_each(|arg| self.expr(arg));
                self.assign(assign.as_ref());
            }
        }
    }

    fn assign(&mut self, assign: Option<&RuleAssign>) {
        if let Some(assign) = assign {
            self.expr(&assign.value);
        }
    }

    fn body(&mut self, body: &RuleBody) {
        self.assign(body.assign.as_ref());
        self.query(&body.query);
    }

    fn query(&mut self, query: &Query) {
        for statement in &query.stmts {
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn { key, value, collection, .. } => {
                    key.iter().for_each(|key| self.expr(key));
                    self.expr(value);
                    self.expr(collection);
                }
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr),
                Literal::Every { domain, query, .. } => {
                    self.expr(domain);
                    self.query(query);
                }
            }
            statement.with_mods.iter().for_each(|with| self.with(with));
        }
    }

    fn with(&mut self, with: &WithModifier) {
        self.replaced.push((path_of(&with.refr), path_of(&with.r#as)));
        self.indices(&with.refr);
        self.expr(&with.r#as);
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. } => {}
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.named.push(path_of(expr));
                self.indices(expr);
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().for_each(|item| self.expr(item));
            }
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
                self.expr(key);
                self.expr(value);
            }),
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.expr(term);
                self.query(query);
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.expr(key);
                self.expr(value);
                self.query(query);
            }
            Expr::Call { span, fcn, params, .. } => {
                self.called.push((path_of(fcn), span.clone()));
                self.named.push(path_of(fcn));
                self.indices(fcn);
                params.iter().for_each(|param| self.expr(param));
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr),
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => {
                self.expr(lhs);
                self.expr(rhs);
            }
            Expr::Membership { key, value, collection, .. } => {
                key.iter().for_each(|key| self.expr(key));
                self.expr(value);
                self.expr(collection);
            }
        }
    }

    /// The expressions within the brackets of a reference, and a root that is no name.
    fn indices(&mut self, expr: &Expr) {
        let mut root = expr;
        loop {
            match root {
                Expr::RefDot { refr, .. } => root = refr,
                Expr::RefBrack { refr, index, .. } => {
                    self.expr(index);
                    root = refr;
                }
                Expr::Var { .. } => return,
                other => return self.expr(other),
            }
        }
    }
}
