//! What components were recognised by.

use super::licence::LICENCES;
use super::{DECIMAL, INTEGER, REFERENCE, TEXT, TOKEN, V1_5, V1_6};
use crate::xml::shape::{Shape, attribute, many, one, untold};

static METHOD: Shape =
    Shape::Object(&[one("technique", &TOKEN), one("confidence", &DECIMAL), one("value", &TEXT)]);
static METHODS: Shape = Shape::List(&[one("method", &METHOD)]);
static TOOL_NAMES: Shape = Shape::List(&[one("tool", &REFERENCE)]);
static IDENTITY: Shape = Shape::Object(&[
    one("field", &TOKEN),
    one("confidence", &DECIMAL),
    one("concludedValue", &TEXT).since(V1_6),
    one("methods", &METHODS),
    one("tools", &TOOL_NAMES),
]);

static OCCURRENCE: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("location", &TEXT),
    one("line", &INTEGER).since(V1_6),
    one("offset", &INTEGER).since(V1_6),
    one("symbol", &TEXT).since(V1_6),
    one("additionalContext", &TEXT).since(V1_6),
]);
static OCCURRENCES: Shape = Shape::List(&[one("occurrence", &OCCURRENCE)]);

static PARAMETERS: Shape = Shape::List(&[one("parameter", &TEXT)]);
static FRAME: Shape = Shape::Object(&[
    one("package", &TEXT),
    one("module", &TEXT),
    one("function", &TEXT),
    one("parameters", &PARAMETERS),
    one("line", &INTEGER),
    one("column", &INTEGER),
    one("fullFilename", &TEXT),
]);
static FRAMES: Shape = Shape::List(&[one("frame", &FRAME)]);
static CALL_STACK: Shape = Shape::Object(&[one("frames", &FRAMES), untold("tools")]);

static COPYRIGHT: Shape = Shape::Wrapped("text", &TEXT);
static COPYRIGHTS: Shape = Shape::List(&[one("text", &COPYRIGHT)]);

pub(super) static EVIDENCE: Shape = Shape::Object(&[
    one("identity", &IDENTITY).since(V1_5).until(V1_5),
    many("identity", &IDENTITY).since(V1_6),
    one("occurrences", &OCCURRENCES).since(V1_5),
    one("callstack", &CALL_STACK).since(V1_5),
    one("licenses", &LICENCES),
    one("copyright", &COPYRIGHTS),
]);
