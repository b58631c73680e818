//! Reports for people: plain text for a terminal or a log, Markdown for a comment.

use std::fmt::{self, Write as _};

use events::VerdictResult;

use super::{AdvisoryIndex, Finding, Grant, Mode, Place, Report, Severity, Shadow, Waived};

impl Report {
    /// Plain text: one line of result, then each finding with its rule, component and remedy.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.headline());
        if let Some(AdvisoryIndex { digest, records, .. }) = self.advisories {
            push(&mut text, format_args!("Matched with {records} advisories: index {digest}\n"));
        }
        for remark in self.remarks() {
            push(&mut text, format_args!("{}\n", Plain(&remark)));
        }
        for error in &self.errors {
            push(&mut text, format_args!("\nerror: could not be judged\n"));
            for line in error.lines() {
                push(&mut text, format_args!("  {}\n", Plain(line)));
            }
        }
        for (kind, finding) in self.findings() {
            let Finding { id, title, severity, .. } = finding;
            let (id, title) = (Plain(id), Plain(title));
            push(&mut text, format_args!("\n{kind}: {id} {title} [{severity}]\n"));
            if let Some(component) = &finding.component {
                push(&mut text, format_args!("  component: {}\n", Plain(component)));
            }
            if let Some(field) = &finding.field {
                push(&mut text, format_args!("  field:     {}\n", Plain(field)));
            }
            if !finding.path.is_empty() {
                let path = finding.path.join(" → ");
                push(&mut text, format_args!("  path:      {}\n", Plain(&path)));
            }
            if let Some(place) = &finding.place {
                push(&mut text, format_args!("  place:     {}\n", Plain(&place.to_string())));
            }
            push(&mut text, format_args!("  found:     {}\n", Plain(&finding.message)));
            push(&mut text, format_args!("  remedy:    {}\n", Plain(&finding.remedy)));
        }
        for Waived { finding, grant } in &self.waived {
            let (id, title) = (Plain(&finding.id), Plain(&finding.title));
            push(&mut text, format_args!("\nwaived: {id} {title} [{}]\n", finding.severity));
            if let Some(component) = &finding.component {
                push(&mut text, format_args!("  component: {}\n", Plain(component)));
            }
            push(&mut text, format_args!("  found:     {}\n", Plain(&finding.message)));
            let (approver, reason) = (Plain(&grant.approver), Plain(&grant.reason));
            push(
                &mut text,
                format_args!("  by:        {approver}, until {}: {reason}\n", grant.expires),
            );
        }
        if self.omitted > 0 {
            push(&mut text, format_args!("\n{} more findings are left out\n", self.omitted));
        }
        text
    }

    /// Markdown: the result, then a table of findings.
    pub fn markdown(&self) -> String {
        let mut text = format!("**{}**\n", self.headline());
        if let Some(AdvisoryIndex { digest, records, .. }) = self.advisories {
            push(&mut text, format_args!("\nMatched with {records} advisories: index {digest}\n"));
        }
        for remark in self.remarks() {
            push(&mut text, format_args!("\n{}\n", Markdown(&remark)));
        }
        for error in &self.errors {
            push(&mut text, format_args!("\nCould not be judged: {}\n", Markdown(error)));
        }
        if self.findings().next().is_some() {
            text.push_str("\n| | Rule | Severity | Component | Found | Remedy |\n");
            text.push_str("| --- | --- | --- | --- | --- | --- |\n");
        }
        for (kind, finding) in self.findings() {
            let Finding { id, severity, message, field, remedy, .. } = finding;
            let component = Markdown(finding.component.as_deref().unwrap_or(""));
            let mut message = match field {
                Some(field) => format!("{field}: {message}"),
                None => message.clone(),
            };
            if !finding.path.is_empty() {
                message.push_str(&format!("\n{}", finding.path.join(" → ")));
            }
            if let Some(place) = &finding.place {
                message.push_str(&format!("\n{place}"));
            }
            let (id, message, remedy) = (Markdown(id), Markdown(&message), Markdown(remedy));
            push(
                &mut text,
                format_args!(
                    "| {kind} | {id} | {severity} | {component} | {message} | {remedy} |\n"
                ),
            );
        }
        for Waived { finding, grant } in &self.waived {
            let (id, message) = (Markdown(&finding.id), Markdown(&finding.message));
            let (approver, reason) = (Markdown(&grant.approver), Markdown(&grant.reason));
            let until = grant.expires;
            push(
                &mut text,
                format_args!("\nWaived by {approver} until {until}: {id} {message} ({reason})\n"),
            );
        }
        if self.omitted > 0 {
            push(&mut text, format_args!("\n{} more findings are left out.\n", self.omitted));
        }
        text
    }

    /// What decided beside the rules.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some(Grant { approver, reason, expires, .. }) = &self.overridden {
            remarks.push(format!("OVERRIDDEN by {approver} until {expires}: {reason}"));
        }
        match self.mode {
            Mode::Enforce => {}
            Mode::Warn => remarks.push("Mode warn: denials are warnings here".to_owned()),
            Mode::DryRun => remarks.push("Mode dry-run: whoever waits is told to go on".to_owned()),
        }
        if let Some(build) = self.supersedes {
            remarks.push(format!("Supersedes what was said of build {build}"));
        }
        if let Some(Shadow { policy_digest, result, new, gone, errors }) = &self.shadow {
            let says = match (result, errors.first()) {
                (_, Some(error)) => format!("cannot judge: {error}"),
                (VerdictResult::Passed, None) => "would say PASSED".to_owned(),
                (VerdictResult::Failed, None) => "would say FAILED".to_owned(),
            };
            let (new, gone) = (counted(new.len() as u64, "new denial"), gone.len());
            remarks.push(format!("Shadow policy {policy_digest} {says}; {new}, {gone} gone"));
        }
        remarks
    }

    fn headline(&self) -> String {
        let result = match self.result {
            VerdictResult::Passed => "PASSED",
            VerdictResult::Failed => "FAILED",
        };
        let waived = match self.waived.len() {
            0 => String::new(),
            count => format!(", {count} waived"),
        };
        format!(
            "{result}: {}{waived}, {}, {}; {} of policy {}",
            counted(self.violations.len() as u64, "violation"),
            counted(self.warnings.len() as u64, "warning"),
            counted(self.errors.len() as u64, "error"),
            counted(self.rules_evaluated, "rule"),
            self.policy_digest,
        )
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = (&'static str, &Finding)> {
        let violations = self.violations.iter().map(|finding| ("violation", finding));
        let warnings = self.warnings.iter().map(|finding| ("warning", finding));
        violations.chain(warnings).chain(self.infos.iter().map(|finding| ("info", finding)))
    }
}

fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

fn push(text: &mut String, line: fmt::Arguments<'_>) {
    text.push_str(&line.to_string());
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        })
    }
}

/// Text on one line of a terminal: names from an SBOM must not move the cursor, turn the
/// direction of writing, or feign a further line.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match invisible(c) {
            true => write!(f, "{}", c.escape_unicode()),
            false => f.write_char(c),
        })
    }
}

/// Text in a cell of a Markdown table: no markup, no HTML, and no person notified.
struct Markdown<'a>(&'a str);

impl fmt::Display for Markdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\n' => f.write_str("<br>"),
            _ if invisible(c) => write!(f, "\\{}", c.escape_unicode()),
            '&' | '<' | '>' | '@' | '|' | '`' | '*' | '_' | '[' | ']' | '!' | '#' | '~' | '\\' => {
                write!(f, "&#{};", u32::from(c))
            }
            _ => f.write_char(c),
        })
    }
}

fn invisible(c: char) -> bool {
    let format = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    c.is_control() || format
}
