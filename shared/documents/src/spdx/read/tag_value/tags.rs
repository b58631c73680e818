//! What each tag means: where it belongs, and what it is in the JSON form (SPDX 2.2 and 2.3).

/// What a tag belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Document,
    Creation,
    Package,
    File,
    Snippet,
    Licence,
    Relationship,
    Annotation,
    Review,
    /// The last reference of the package.
    Reference,
    /// The last project of the file.
    Project,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Text, with which a new part begins.
    Begin,
    /// Text, once in its part.
    Text,
    /// Text, any number of times.
    Texts,
    /// `true` or `false`.
    Flag,
    /// `SHA1: 85ed…`.
    Checksum,
    /// `d6a7… (excludes: ./a, ./b)`.
    VerificationCode,
    /// `SECURITY cpe23Type cpe:2.3:…`, with which a reference begins.
    Reference,
    /// `DocumentRef-a https://… SHA1: d6a7…`.
    Document,
    /// `SPDXRef-a DEPENDS_ON SPDXRef-b`, with which a relationship begins.
    Relationship,
    /// `310:420`, bytes or lines.
    Range,
    /// The name of the element that an annotation is about.
    About,
}

/// Where a tag belongs, what its value is, and the key of that in JSON.
pub(super) type Meaning = (Part, Shape, &'static str);

/// The meaning of `tag`. `SPDXID`, which belongs to whatever it stands in, has none of its own.
pub(super) fn meaning(tag: &str) -> Option<Meaning> {
    let meaning = package(tag).or_else(|| file(tag)).or_else(|| relation(tag));
    meaning.or_else(|| document(tag)).or_else(|| snippet(tag)).or_else(|| licence(tag))
}

/// Sections 6 and, deprecated, 13.
fn document(tag: &str) -> Option<Meaning> {
    use Part::{Creation, Document, Review};
    use Shape::{Begin, Text, Texts};
    Some(match tag {
        "SPDXVersion" => (Document, Text, "spdxVersion"),
        "DataLicense" => (Document, Text, "dataLicense"),
        "DocumentName" => (Document, Text, "name"),
        "DocumentNamespace" => (Document, Text, "documentNamespace"),
        "DocumentComment" => (Document, Text, "comment"),
        "ExternalDocumentRef" => (Document, Shape::Document, "externalDocumentRefs"),
        "LicenseListVersion" => (Creation, Text, "licenseListVersion"),
        "Creator" => (Creation, Texts, "creators"),
        "Created" => (Creation, Text, "created"),
        "CreatorComment" => (Creation, Text, "comment"),
        "Reviewer" => (Review, Begin, "reviewer"),
        "ReviewDate" => (Review, Text, "reviewDate"),
        "ReviewComment" => (Review, Text, "comment"),
        _ => return None,
    })
}

/// Section 7.
fn package(tag: &str) -> Option<Meaning> {
    use Part::{Package, Reference};
    use Shape::{Begin, Checksum, Flag, Text, Texts, VerificationCode};
    Some(match tag {
        "PackageName" => (Package, Begin, "name"),
        "PackageVersion" => (Package, Text, "versionInfo"),
        "PackageFileName" => (Package, Text, "packageFileName"),
        "PackageSupplier" => (Package, Text, "supplier"),
        "PackageOriginator" => (Package, Text, "originator"),
        "PackageDownloadLocation" => (Package, Text, "downloadLocation"),
        "FilesAnalyzed" => (Package, Flag, "filesAnalyzed"),
        "PackageVerificationCode" => (Package, VerificationCode, "packageVerificationCode"),
        "PackageChecksum" => (Package, Checksum, "checksums"),
        "PackageHomePage" => (Package, Text, "homepage"),
        "PackageSourceInfo" => (Package, Text, "sourceInfo"),
        "PackageLicenseConcluded" => (Package, Text, "licenseConcluded"),
        "PackageLicenseInfoFromFiles" => (Package, Texts, "licenseInfoFromFiles"),
        "PackageLicenseDeclared" => (Package, Text, "licenseDeclared"),
        "PackageLicenseComments" => (Package, Text, "licenseComments"),
        "PackageCopyrightText" => (Package, Text, "copyrightText"),
        "PackageSummary" => (Package, Text, "summary"),
        "PackageDescription" => (Package, Text, "description"),
        "PackageComment" => (Package, Text, "comment"),
        "PackageAttributionText" => (Package, Texts, "attributionTexts"),
        "PrimaryPackagePurpose" => (Package, Text, "primaryPackagePurpose"),
        "ReleaseDate" => (Package, Text, "releaseDate"),
        "BuiltDate" => (Package, Text, "builtDate"),
        "ValidUntilDate" => (Package, Text, "validUntilDate"),
        "ExternalRef" => (Package, Shape::Reference, "externalRefs"),
        "ExternalRefComment" => (Reference, Text, "comment"),
        _ => return None,
    })
}

/// Section 8.
fn file(tag: &str) -> Option<Meaning> {
    use Part::{File, Project};
    use Shape::{Begin, Checksum, Text, Texts};
    Some(match tag {
        "FileName" => (File, Begin, "fileName"),
        "FileType" => (File, Texts, "fileTypes"),
        "FileChecksum" => (File, Checksum, "checksums"),
        "LicenseConcluded" => (File, Text, "licenseConcluded"),
        "LicenseInfoInFile" => (File, Texts, "licenseInfoInFiles"),
        "LicenseComments" => (File, Text, "licenseComments"),
        "FileCopyrightText" => (File, Text, "copyrightText"),
        "FileComment" => (File, Text, "comment"),
        "FileNotice" => (File, Text, "noticeText"),
        "FileContributor" => (File, Texts, "fileContributors"),
        "FileAttributionText" => (File, Texts, "attributionTexts"),
        "FileDependency" => (File, Texts, "fileDependencies"),
        "ArtifactOfProjectName" => (Project, Begin, "name"),
        "ArtifactOfProjectHomePage" => (Project, Text, "homepage"),
        "ArtifactOfProjectURI" => (Project, Text, "projectUri"),
        _ => return None,
    })
}

/// Section 9.
fn snippet(tag: &str) -> Option<Meaning> {
    use Part::Snippet;
    use Shape::{Begin, Range, Text, Texts};
    Some(match tag {
        "SnippetSPDXID" => (Snippet, Begin, "SPDXID"),
        "SnippetFromFileSPDXID" => (Snippet, Text, "snippetFromFile"),
        "SnippetByteRange" => (Snippet, Range, "offset"),
        "SnippetLineRange" => (Snippet, Range, "lineNumber"),
        "SnippetLicenseConcluded" => (Snippet, Text, "licenseConcluded"),
        "LicenseInfoInSnippet" => (Snippet, Texts, "licenseInfoInSnippets"),
        "SnippetLicenseComments" => (Snippet, Text, "licenseComments"),
        "SnippetCopyrightText" => (Snippet, Text, "copyrightText"),
        "SnippetComment" => (Snippet, Text, "comment"),
        "SnippetName" => (Snippet, Text, "name"),
        "SnippetAttributionText" => (Snippet, Texts, "attributionTexts"),
        _ => return None,
    })
}

/// Section 10.
fn licence(tag: &str) -> Option<Meaning> {
    use Part::Licence;
    use Shape::{Begin, Text, Texts};
    Some(match tag {
        "LicenseID" => (Licence, Begin, "licenseId"),
        "ExtractedText" => (Licence, Text, "extractedText"),
        "LicenseName" => (Licence, Text, "name"),
        "LicenseCrossReference" => (Licence, Texts, "seeAlsos"),
        "LicenseComment" => (Licence, Text, "comment"),
        _ => return None,
    })
}

/// Sections 11 and 12.
fn relation(tag: &str) -> Option<Meaning> {
    use Part::{Annotation, Relationship};
    use Shape::{About, Begin, Text};
    Some(match tag {
        "Relationship" => (Relationship, Shape::Relationship, ""),
        "RelationshipComment" => (Relationship, Text, "comment"),
        "Annotator" => (Annotation, Begin, "annotator"),
        "AnnotationDate" => (Annotation, Text, "annotationDate"),
        "AnnotationType" => (Annotation, Text, "annotationType"),
        "AnnotationComment" => (Annotation, Text, "comment"),
        "SPDXREF" => (Annotation, About, ""),
        _ => return None,
    })
}
