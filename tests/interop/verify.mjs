// Verifies every bundle of a dist directory with Sigstore's own JavaScript verifier, and fails on any refusal.
//
// usage: node verify.mjs PUBLIC_KEY.pem DIST      (npm install @sigstore/bundle@4.0.0 @sigstore/verify@3.1.1)
//
// Modules are looked up from the working directory, so that this file can stay where it is.

import { createHash, createPublicKey } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative, resolve } from "node:path";

const require = createRequire(join(process.cwd(), "modules.js"));
const { bundleFromJSON } = require("@sigstore/bundle");
const { toSignedEntity, toTrustMaterial, Verifier } = require("@sigstore/verify");

const [keyFile, dist] = process.argv.slice(2);
if (!keyFile || !dist) {
  console.error("usage: node verify.mjs PUBLIC_KEY.pem DIST");
  process.exit(2);
}

const spki = createPublicKey(readFileSync(keyFile)).export({ type: "spki", format: "der" });
const hint = createHash("sha256").update(spki).digest("base64");

// Nobody but this key is trusted, and a key bundle proves no time: no authorities, and every threshold is zero.
const authorities = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const trust = toTrustMaterial(authorities, { [hint]: { rawBytes: spki } });
const verifier = new Verifier(trust, { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 });

function refusal(json) {
  try {
    verifier.verify(toSignedEntity(bundleFromJSON(json)));
    return undefined;
  } catch (error) {
    return `${error.code ?? error.name}: ${error.message}`;
  }
}

// A verifier that accepts everything would pass unnoticed: the same bundle about one byte more must be refused.
function tampered(json) {
  const copy = structuredClone(json);
  const payload = Buffer.from(copy.dsseEnvelope.payload, "base64");
  copy.dsseEnvelope.payload = Buffer.concat([payload, Buffer.from(" ")]).toString("base64");
  return copy;
}

// The bundles in a file: one, or one per line; files that hold none are somebody else's.
function bundles(file) {
  const parse = (text) => {
    try {
      return [JSON.parse(text)];
    } catch {
      return [];
    }
  };
  const text = readFileSync(file, "utf8");
  const documents = file.endsWith(".jsonl") ? text.split("\n").flatMap(parse) : parse(text);
  return documents.filter((document) => document?.dsseEnvelope);
}

let verified = 0;
let failed = 0;
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const file = resolve(entry.parentPath ?? entry.path, entry.name);
  for (const bundle of bundles(file)) {
    const name = relative(dist, file);
    const problem = refusal(bundle) ?? (refusal(tampered(bundle)) ? undefined : "a changed payload was accepted too");
    if (problem) {
      failed += 1;
      console.error(`${name}: ${problem}`);
    } else {
      verified += 1;
      console.log(`${name}: verified`);
    }
  }
}
if (verified === 0 && failed === 0) console.error(`${dist}: no bundle found`);
else console.log(`${verified} verified, ${failed} refused, key ${hint}`);
process.exit(verified > 0 && failed === 0 ? 0 : 1);
