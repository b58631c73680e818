//! Cryptographic assets.

use super::{BOOLEAN, HASH, INTEGER, TEXT, TOKEN, V1_6, V1_7};
use crate::xml::shape::{Shape, many, one};

static FUNCTIONS: Shape = Shape::List(&[one("cryptoFunction", &TOKEN)]);
static ALGORITHM: Shape = Shape::Object(&[
    one("primitive", &TOKEN),
    one("algorithmFamily", &TOKEN).since(V1_7),
    one("parameterSetIdentifier", &TEXT),
    one("curve", &TEXT),
    one("ellipticCurve", &TOKEN).since(V1_7),
    one("executionEnvironment", &TOKEN),
    one("implementationPlatform", &TOKEN),
    many("certificationLevel", &TOKEN),
    one("mode", &TOKEN),
    one("padding", &TOKEN),
    one("cryptoFunctions", &FUNCTIONS),
    one("classicalSecurityLevel", &INTEGER),
    one("nistQuantumSecurityLevel", &INTEGER),
]);

static STATE: Shape = Shape::Object(&[
    one("state", &TOKEN),
    one("reason", &TEXT),
    one("name", &TEXT),
    one("description", &TEXT),
]);
static EXTENSION: Shape = Shape::Object(&[
    one("commonExtensionName", &TOKEN),
    one("commonExtensionValue", &TEXT),
    one("customExtensionName", &TEXT),
    one("customExtensionValue", &TEXT),
]);
static EXTENSIONS: Shape = Shape::List(&[one("certificateExtension", &EXTENSION)]);
static RELATED: Shape = Shape::Object(&[one("type", &TEXT), one("ref", &TEXT)]);
static RELATED_LIST: Shape = Shape::List(&[one("relatedCryptographicAsset", &RELATED)]);
static CERTIFICATE: Shape = Shape::Object(&[
    one("serialNumber", &TEXT).since(V1_7),
    one("subjectName", &TEXT),
    one("issuerName", &TEXT),
    one("notValidBefore", &TOKEN),
    one("notValidAfter", &TOKEN),
    one("signatureAlgorithmRef", &TEXT),
    one("subjectPublicKeyRef", &TEXT),
    one("certificateFormat", &TEXT),
    one("certificateExtension", &TEXT),
    one("certificateFileExtension", &TEXT).since(V1_7),
    one("fingerprint", &HASH).since(V1_7),
    many("certificateState", &STATE).since(V1_7),
    one("creationDate", &TOKEN).since(V1_7),
    one("activationDate", &TOKEN).since(V1_7),
    one("deactivationDate", &TOKEN).since(V1_7),
    one("revocationDate", &TOKEN).since(V1_7),
    one("destructionDate", &TOKEN).since(V1_7),
    one("certificateExtensions", &EXTENSIONS).since(V1_7),
    one("relatedCryptographicAssets", &RELATED_LIST).since(V1_7),
]);

static SECURED_BY: Shape = Shape::Object(&[one("mechanism", &TEXT), one("algorithmRef", &TEXT)]);
static MATERIAL: Shape = Shape::Object(&[
    one("type", &TOKEN),
    one("id", &TEXT),
    one("state", &TOKEN),
    one("algorithmRef", &TEXT),
    one("creationDate", &TOKEN),
    one("activationDate", &TOKEN),
    one("updateDate", &TOKEN),
    one("expirationDate", &TOKEN),
    one("value", &TEXT),
    one("size", &INTEGER),
    one("format", &TEXT),
    one("securedBy", &SECURED_BY),
    one("fingerprint", &HASH).since(V1_7),
    one("relatedCryptographicAssets", &RELATED_LIST).since(V1_7),
]);

static ALGORITHM_NAMES: Shape = Shape::List(&[one("algorithm", &TEXT)]);
static IDENTIFIERS: Shape = Shape::List(&[one("identifier", &TEXT)]);
static GROUPS: Shape = Shape::List(&[one("group", &TEXT)]);
static SCHEMES: Shape = Shape::List(&[one("signatureScheme", &TEXT)]);
static SUITE: Shape = Shape::Object(&[
    one("name", &TEXT),
    one("algorithms", &ALGORITHM_NAMES),
    one("identifiers", &IDENTIFIERS),
    one("tlsGroups", &GROUPS).since(V1_7),
    one("tlsSignatureSchemes", &SCHEMES).since(V1_7),
]);
static SUITES: Shape = Shape::List(&[one("cipherSuite", &SUITE)]);
static TRANSFORM: Shape = Shape::Mixed(&[one("name", &TEXT), one("algorithm", &TEXT)]);
static ENCRYPTION: Shape =
    Shape::Mixed(&[one("name", &TEXT), one("keyLength", &INTEGER), one("algorithm", &TEXT)]);
static KEY_EXCHANGE: Shape = Shape::Mixed(&[one("group", &INTEGER), one("algorithm", &TEXT)]);
static TRANSFORMS: Shape = Shape::Object(&[
    many("encr", &TEXT).until(V1_6),
    many("prf", &TEXT).until(V1_6),
    many("integ", &TEXT).until(V1_6),
    many("ke", &TEXT).until(V1_6),
    many("auth", &TEXT).until(V1_6),
    many("encr", &ENCRYPTION).since(V1_7),
    many("prf", &TRANSFORM).since(V1_7),
    many("integ", &TRANSFORM).since(V1_7),
    many("ke", &KEY_EXCHANGE).since(V1_7),
    many("auth", &TRANSFORM).since(V1_7),
    one("esn", &BOOLEAN),
]);
static PROTOCOL: Shape = Shape::Object(&[
    one("type", &TOKEN),
    one("version", &TEXT),
    one("cipherSuites", &SUITES),
    one("ikev2TransformTypes", &TRANSFORMS),
    many("cryptoRef", &TEXT).key("cryptoRefArray"),
]);

pub(super) static CRYPTO: Shape = Shape::Object(&[
    one("assetType", &TOKEN),
    one("algorithmProperties", &ALGORITHM),
    one("certificateProperties", &CERTIFICATE),
    one("relatedCryptoMaterialProperties", &MATERIAL),
    one("protocolProperties", &PROTOCOL),
    one("oid", &TEXT),
]);
