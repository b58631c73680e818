//! Values as JSON text, the bytes that `serde_json` gives: a fifth of the time that it takes to write
//! an SBOM goes into looking at each byte of each text, and nearly all of them need no escape.

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeSeq, SerializeStruct, SerializeTuple, Serializer,
};
use serde_json::Error;

use crate::lockfile::text;

/// Appends `value` as one line.
///
/// # Errors
/// Where the value has a map, or a variant with more than one value: nothing that is written here has.
pub(super) fn append(json: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Error> {
    value.serialize(Writer(json))
}

/// Whether nothing in `text` needs an escape.
fn is_plain(text: &str) -> bool {
    text::every(text, |byte| byte >= b' ' && byte != b'"' && byte != b'\\')
}

struct Writer<'a>(&'a mut Vec<u8>);

/// The items of a list, or the fields of an object.
struct Parts<'a> {
    json: &'a mut Vec<u8>,
    is_first: bool,
    end: u8,
}

impl<'a> Writer<'a> {
    fn parts(self, begin: u8, end: u8) -> Parts<'a> {
        self.0.push(begin);
        Parts { json: self.0, is_first: true, end }
    }
}

impl Parts<'_> {
    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.json.push(b',');
        }
    }

    fn end(self) {
        self.json.push(self.end);
    }
}

/// What is rare is left to `serde_json`.
macro_rules! left_to_serde_json {
    ($($name:ident: $kind:ty),*) => {
        $(fn $name(self, value: $kind) -> Result<(), Error> {
            serde_json::to_writer(self.0, &value)
        })*
    };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        if !is_plain(text) {
            return serde_json::to_writer(self.0, text);
        }
        self.0.reserve(text.len() + 2);
        self.0.push(b'"');
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(b'"');
        Ok(())
    }

    left_to_serde_json! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_f32: f32, serialize_f64: f64, serialize_char: char,
        serialize_bytes: &[u8]
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        serde_json::to_writer(self.0, &())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut fields = self.parts(b'{', b'}');
        fields.serialize_field(variant, value)?;
        SerializeStruct::end(fields)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Error> {
        Ok(self.parts(b'[', b']'))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Error> {
        Ok(self.parts(b'[', b']'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Error> {
        Ok(self.parts(b'{', b'}'))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        Err(unwritten(name))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(unwritten(name))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Error> {
        Err(unwritten("a map"))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(unwritten(name))
    }
}

fn unwritten(what: &str) -> Error {
    Error::custom(format_args!("{what} is not written here"))
}

impl SerializeSeq for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.separate();
        value.serialize(Writer(self.json))
    }

    fn end(self) -> Result<(), Error> {
        Parts::end(self);
        Ok(())
    }
}

impl SerializeTuple for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<(), Error> {
        SerializeSeq::end(self)
    }
}

impl SerializeStruct for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        debug_assert!(is_plain(key), "a field's name is written as it is");
        self.separate();
        self.json.push(b'"');
        self.json.extend_from_slice(key.as_bytes());
        self.json.extend_from_slice(b"\":");
        value.serialize(Writer(self.json))
    }

    fn end(self) -> Result<(), Error> {
        SerializeSeq::end(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;

    use super::append;

    #[derive(Debug, Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Whole<'a> {
        r#type: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        some_text: Option<&'a str>,
        none: Option<&'a str>,
        list: &'a [String],
        pair: [usize; 2],
        choice: Choice<'a>,
        #[serde(rename = "$of-one")]
        of_one: Named<'a>,
    }

    #[derive(Debug, Serialize)]
    #[serde(untagged)]
    enum Choice<'a> {
        Empty {},
        Full { text: &'a str },
    }

    #[derive(Debug, Serialize)]
    enum Named<'a> {
        Bare,
        Text(&'a str),
    }

    proptest! {
        #[test]
        fn bytes_are_those_of_serde_json(text in ".*", list: Vec<String>, odd: bool) {
            let whole = Whole {
                r#type: "\u{7f}é",
                some_text: odd.then_some(&text),
                none: None,
                list: &list,
                pair: [0, usize::MAX],
                choice: if odd { Choice::Empty {} } else { Choice::Full { text: &text } },
                of_one: if odd { Named::Text(&text) } else { Named::Bare },
            };
            let mut json = b"before".to_vec();
            append(&mut json, &whole).unwrap();
            let expected = format!("before{}", serde_json::to_string(&whole).unwrap());
            prop_assert_eq!(String::from_utf8(json).unwrap(), expected);
        }
    }
}
