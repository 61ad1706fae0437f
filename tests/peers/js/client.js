// What tuf-js says about a repository in a folder, as one JSON object. Reads files only, opens no socket.
//
//   node client.js client --root 1.root.json --cache DIR --metadata DIR [--targets DIR --target PATH] [--at UTC]
//   node client.js root-chain --root 1.root.json --metadata DIR
//   node client.js parse FILE
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { parseArgs } = require('node:util');
const { Metadata } = require('@tufjs/models');
const { BaseFetcher, Updater } = require('tuf-js');
const { DownloadHTTPError } = require('tuf-js/dist/error');
const { TrustedMetadataStore } = require('tuf-js/dist/store');

// Serves file:// addresses from the disk; an absent file is what a web server says about it: 404.
class FolderFetcher extends BaseFetcher {
  async fetch(url) {
    const file = new URL(url);
    if (!fs.existsSync(file)) throw new DownloadHTTPError(`${path.basename(file.pathname)} is not published`, 404);
    return new Blob([fs.readFileSync(file)]).stream();
  }
}

// Refreshes the kept cache, then fetches the target if one is asked for.
async function client(report, options) {
  const cached = path.join(options.cache, 'root.json');
  fs.mkdirSync(options.cache, { recursive: true });
  if (!fs.existsSync(cached)) fs.copyFileSync(options.root, cached);
  const updater = new Updater({
    metadataDir: options.cache,
    metadataBaseUrl: pathToFileURL(path.resolve(options.metadata)).href,
    fetcher: new FolderFetcher(),
  });
  if (options.at) updater.trustedSet.referenceTime = new Date(options.at);
  try {
    await updater.refresh();
    if (options.target) report.target_sha256 = await fetchTarget(updater, options);
  } finally {
    report.root_version = updater.trustedSet.root.signed.version;
  }
}

async function fetchTarget(updater, options) {
  const found = await updater.getTargetInfo(options.target);
  if (!found) throw new Error('no such target');
  const copy = path.join(options.cache, 'downloaded');
  await updater.downloadTarget(found, copy, pathToFileURL(path.resolve(options.targets)).href);
  return crypto.createHash('sha256').update(fs.readFileSync(copy)).digest('hex');
}

// Follows N.root.json as far as tuf-js accepts it, whatever has expired.
async function rootChain(report, options) {
  const trusted = new TrustedMetadataStore(fs.readFileSync(options.root));
  for (;;) {
    report.root_version = trusted.root.signed.version;
    const next = path.join(options.metadata, `${report.root_version + 1}.root.json`);
    if (!fs.existsSync(next)) return;
    trusted.updateRoot(fs.readFileSync(next));
  }
}

// Parses one metadata file; its type is read from `_type`.
async function parse(report, _options, [file]) {
  const json = JSON.parse(fs.readFileSync(file, 'utf8'));
  const { signed } = Metadata.fromJSON(json.signed._type, json);
  if (json.signed._type === 'root') report.root_version = signed.version;
}

async function main() {
  const text = { type: 'string' };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { root: text, cache: text, metadata: text, targets: text, target: text, at: text },
  });
  const [mode, ...rest] = positionals;
  const ask = { client, 'root-chain': rootChain, parse }[mode];
  if (!ask) throw new Error(`unknown mode '${mode}'`);
  const report = { ok: true, root_version: null, error: null, target_sha256: null };
  try {
    await ask(report, values, rest);
  } catch (failure) {
    Object.assign(report, { ok: false, error: `${failure.constructor.name}: ${failure.message}` });
  }
  // The exit code tells that there is an answer, never what it says.
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

main();
