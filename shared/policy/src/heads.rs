//! Rule heads that could make the engine forget what a rule has found.
//!
//! When the head of a rule is undefined for one of the things that its body iterates over, the
//! engine (regorus 0.14.1, `eval_output_expr_in_loop`) drops what the rule found before: one
//! component without a purl at the end of an SBOM would silence a `deny contains component.purl`.
//! Heads of rules that collect or iterate must therefore be made of what is always defined.

use regorus::unstable::{Expr, Literal, Query, Rule, RuleHead, Span};

/// The part of the rule's head that can be undefined while the rule iterates. `is_local` tells
/// whether a name is bound by the rule itself, and so is defined whenever the head is reached.
pub(super) fn undefinable(rule: &Rule, is_local: impl Fn(&str) -> bool) -> Option<Span> {
    let Rule::Spec { head, bodies, .. } = rule else { return None };
    let mut parts = Vec::new();
    match head {
        RuleHead::Set { refr, key, .. } => {
            parts.extend(indices(refr));
            parts.extend(key.iter().map(|key| &**key));
        }
        RuleHead::Compr { refr, assign, .. } => {
            parts.extend(indices(refr));
            let value = assign.as_ref().map(|assign| &*assign.value);
            if !parts.is_empty() || bodies.iter().any(|body| iterates(&body.query)) {
                parts.extend(value);
            }
        }
        // A function's value is that of the last defined iteration.
        RuleHead::Func { .. } => {}
    }
    parts.into_iter().find_map(|part| undefinable_part(part, &is_local)).cloned()
}

fn indices(mut refr: &Expr) -> Vec<&Expr> {
    let mut found = Vec::new();
    loop {
        match refr {
            Expr::RefDot { refr: inner, .. } => refr = inner,
            Expr::RefBrack { refr: inner, index, .. } => {
                if !matches!(**index, Expr::String { .. } | Expr::RawString { .. }) {
                    found.push(&**index);
                }
                refr = inner;
            }
            _ => return found,
        }
    }
}

fn undefinable_part<'a>(expr: &'a Expr, is_local: &impl Fn(&str) -> bool) -> Option<&'a Span> {
    match expr {
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. }
        | Expr::ArrayCompr { .. }
        | Expr::SetCompr { .. }
        | Expr::ObjectCompr { .. } => None,
        Expr::Var { span, .. } if is_local(span.text()) => None,
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            items.iter().find_map(|item| undefinable_part(item, is_local))
        }
        Expr::Object { fields, .. } => fields.iter().find_map(|(_, key, value)| {
            undefinable_part(key, is_local).or_else(|| undefinable_part(value, is_local))
        }),
        other => Some(other.span()),
    }
}

/// Whether a body may succeed more than once: it declares variables, or looks something up by a
/// variable that nothing may have bound.
fn iterates(query: &Query) -> bool {
    query.stmts.iter().any(|statement| match &statement.literal {
        Literal::SomeIn { .. } | Literal::SomeVars { .. } => true,
        Literal::Expr { expr, .. } => looks_up(expr),
        Literal::NotExpr { .. } | Literal::Every { .. } => false,
    })
}

fn looks_up(expr: &Expr) -> bool {
    match expr {
        Expr::RefBrack { refr, index, .. } => {
            matches!(**index, Expr::Var { .. }) || looks_up(refr) || looks_up(index)
        }
        Expr::RefDot { refr, .. } => looks_up(refr),
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().any(|e| looks_up(e)),
        Expr::Object { fields, .. } => fields.iter().any(|(_, k, v)| looks_up(k) || looks_up(v)),
        Expr::Call { params, .. } => params.iter().any(|param| looks_up(param)),
        Expr::UnaryExpr { expr, .. } => looks_up(expr),
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => looks_up(lhs) || looks_up(rhs),
        Expr::Membership { key, value, collection, .. } => {
            key.iter().any(|key| looks_up(key)) || looks_up(value) || looks_up(collection)
        }
        _ => false,
    }
}
