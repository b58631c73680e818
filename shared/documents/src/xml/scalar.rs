//! Text of XML as a value of JSON.

use serde_json::{Number, Value};

/// What a text stands for (XML Schema, part 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    /// `string`: as it stands.
    String,
    /// `normalizedString`: line ends and tabs are spaces.
    Line,
    /// `token`, `anyURI`, `dateTime` and enumerations: without white space around it, words apart by one
    /// space.
    Token,
    /// `boolean`.
    Boolean,
    /// `integer`.
    Integer,
    /// `decimal`.
    Decimal,
}

impl Scalar {
    /// The value of `text`. What is no boolean or number stays text, which the schema refuses there.
    pub(super) fn value(self, text: String) -> Value {
        let value = match self {
            Self::String => None,
            Self::Line => return Value::String(text.replace(['\t', '\n', '\r'], " ")),
            Self::Token => return Value::String(collapsed(&text)),
            Self::Boolean => boolean(trimmed(&text)),
            Self::Integer => integer(trimmed(&text)),
            Self::Decimal => decimal(trimmed(&text)),
        };
        value.unwrap_or(Value::String(text))
    }
}

/// White space of XML, which is less than that of Unicode.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(is_space)
}

fn collapsed(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for word in text.split(is_space).filter(|it| !it.is_empty()) {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}

/// Whether there is nothing but white space of XML.
pub(super) fn is_blank(text: &str) -> bool {
    trimmed(text).is_empty()
}

fn boolean(text: &str) -> Option<Value> {
    match text {
        "true" | "1" => Some(Value::Bool(true)),
        "false" | "0" => Some(Value::Bool(false)),
        _ => None,
    }
}

fn integer(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !is_digits(digits) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    Some(number.into())
}

fn decimal(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    match digits.split_once('.') {
        None => integer(text),
        Some(("", "")) => None,
        Some((whole, part)) => {
            let is_decimal = [whole, part].into_iter().all(|it| it.is_empty() || is_digits(it));
            let number: f64 = text.parse().ok().filter(|_| is_decimal)?;
            Number::from_f64(number).map(Value::Number)
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Scalar::{self, Boolean, Decimal, Integer, Line, String, Token};

    #[test]
    fn text_is_converted_by_the_rules_of_xml_schema_and_never_guessed() {
        let of = |scalar: Scalar, text: &str| scalar.value(text.to_owned());
        assert_eq!(of(String, " a\n b "), json!(" a\n b "));
        assert_eq!(of(Line, "\ta\n b "), json!(" a  b "));
        assert_eq!(of(Token, "\n a \t b\u{a0} "), json!("a b\u{a0}"));
        assert_eq!(of(Token, " \n"), json!(""));
        for (text, value) in [("true", true), (" 1\n", true), ("false", false), ("0", false)] {
            assert_eq!(of(Boolean, text), json!(value), "{text}");
        }
        for text in ["True", "TRUE", "yes", "", "2", "00", "\u{a0}true"] {
            assert_eq!(of(Boolean, text), json!(text));
        }
        for (text, value) in [("79", 79), ("-1", -1), ("+5", 5), (" 007 ", 7)] {
            assert_eq!(of(Integer, text), json!(value), "{text}");
        }
        for text in ["", "+", "--1", "1.0", "1e3", "0x10", "9223372036854775808", "1 2", "１"] {
            assert_eq!(of(Integer, text), json!(text));
        }
        for (text, value) in [("9.8", 9.8), ("-.5", -0.5), ("7.", 7.0), ("+0.10", 0.1)] {
            assert_eq!(of(Decimal, text), json!(value), "{text}");
        }
        assert_eq!(of(Decimal, "10"), json!(10));
        for text in ["", ".", "-", "1e3", "NaN", "INF", "inf", "1.2.3", "1,5", "1.-5", "1_0.0"] {
            assert_eq!(of(Decimal, text), json!(text));
        }
    }
}
