// Sigstore's JavaScript clients: `verify BUNDLE ROOT IDENTITY ISSUER`, `verify-key BUNDLE ROOT KEY`, and
// `sign message|dsse URL TOKEN FILE STATEMENT BUNDLE`. They are looked for in the working directory.
import { createPublicKey } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const { bundleFromJSON, bundleToJSON } = require("@sigstore/bundle");
const { toSignedEntity, toTrustMaterial, Verifier } = require("@sigstore/verify");
const { TrustedRoot } = require("@sigstore/protobuf-specs");
const { DSSEBundleBuilder, FulcioSigner, MessageSignatureBundleBuilder, RekorWitness, TSAWitness } = require("@sigstore/sign");

const json = (path) => JSON.parse(readFileSync(path, "utf8"));

function verify(bundle, root, policy, keys) {
  const material = toTrustMaterial(TrustedRoot.fromJSON(json(root)), keys);
  const entity = toSignedEntity(bundleFromJSON(json(bundle)));
  new Verifier(material, { ctlogThreshold: policy ? 1 : 0, tlogThreshold: 1, timestampThreshold: 1 }).verify(entity, policy);
}

async function sign(kind, url, token, file, statement, bundle) {
  const identityProvider = { getToken: async () => readFileSync(token, "utf8") };
  const signer = new FulcioSigner({ fulcioBaseURL: url, identityProvider });
  const witnesses = [
    new RekorWitness({ rekorBaseURL: url, entryType: kind === "dsse" ? "dsse" : "hashedrekord" }),
    new TSAWitness({ tsaBaseURL: url }),
  ];
  const builder = kind === "dsse" ? new DSSEBundleBuilder({ signer, witnesses }) : new MessageSignatureBundleBuilder({ signer, witnesses });
  const artifact = kind === "dsse" ? { data: readFileSync(statement), type: "application/vnd.in-toto+json" } : { data: readFileSync(file) };
  writeFileSync(bundle, JSON.stringify(bundleToJSON(await builder.create(artifact))));
}

const [command, ...rest] = process.argv.slice(2);
if (command === "verify") {
  const [bundle, root, identity, issuer] = rest;
  verify(bundle, root, { subjectAlternativeName: identity, extensions: { issuer } });
} else if (command === "verify-key") {
  const [bundle, root, key] = rest;
  const publicKey = createPublicKey(readFileSync(key));
  verify(bundle, root, undefined, () => ({ publicKey, validFor: () => true }));
} else {
  await sign(...rest);
}
