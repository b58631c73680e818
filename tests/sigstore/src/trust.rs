//! What clients are told of the instance.

use serde_json::{Value, json};

use crate::{
    Instance,
    authority::raw,
    keys::{Key, b64},
};

pub(crate) fn trusted_root(instance: &Instance, url: &str) -> anyhow::Result<Value> {
    let start = crate::start()?;
    let log = |base: &str, key: &Key| {
        json!({
            "baseUrl": base,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": b64(&key.spki),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": { "start": start },
            },
            "logId": { "keyId": b64(&key.id()) },
        })
    };
    let authority = |name: &str, uri: &str, chain: &[&[u8]]| {
        json!({
            "subject": { "organization": "private sigstore", "commonName": name },
            "uri": uri,
            "certChain": { "certificates": chain.iter().map(|it| raw(it)).collect::<Vec<_>>() },
            "validFor": { "start": start },
        })
    };
    let timestamps = &instance.timestamps;
    Ok(json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [
            log(&format!("https://{}", instance.log_v1.origin), &instance.log_v1.key),
            log(&format!("https://{}", instance.log_v2.origin), &instance.log_v2.key),
        ],
        "certificateAuthorities": [authority("fulcio", url, &[&instance.authority.certificate])],
        "ctlogs": [log(url, &instance.authority.log)],
        "timestampAuthorities": [authority(
            "timestamp authority",
            url,
            &[&timestamps.certificate, &timestamps.authority.certificate],
        )],
    }))
}

pub(crate) fn signing_config(url: &str, rekor: u32) -> anyhow::Result<Value> {
    let start = crate::start()?;
    let service = |url: String, version: u32| {
        json!([{
            "url": url,
            "majorApiVersion": version,
            "validFor": { "start": start },
            "operator": "private sigstore",
        }])
    };
    Ok(json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": service(url.to_owned(), 1),
        "oidcUrls": service(format!("{url}/oidc"), 1),
        "rekorTlogUrls": service(url.to_owned(), rekor),
        "rekorTlogConfig": { "selector": "ANY" },
        "tsaUrls": service(format!("{url}/api/v1/timestamp"), 1),
        "tsaConfig": { "selector": "ANY" },
    }))
}

/// Both together, as sigstore-python's `--trust-config` has them.
pub(crate) fn client_trust_config(instance: &Instance, url: &str) -> anyhow::Result<Value> {
    Ok(json!({
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": trusted_root(instance, url)?,
        "signingConfig": signing_config(url, 2)?,
    }))
}
