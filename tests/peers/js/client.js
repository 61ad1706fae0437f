// What tuf-js says about a repository in a folder, as one JSON object. Reads files only; `sitting` serves
// them to itself over HTTP.
//
//   node client.js client --root 1.root.json --cache DIR --metadata DIR [--targets DIR --target PATH] [--at UTC]
//   node client.js sitting --root 1.root.json --cache DIR --published DIR --target PATH [--target PATH ...] [--largest BYTES] [--linear]
//   node client.js root-chain --root 1.root.json --metadata DIR
//   node client.js parse FILE
//   node client.js linear SNAPSHOT
//
// `sitting`: one client looks up one path after the other, as an installer does, from a web server on this machine; every
// answer stands in `lookups`. TUF_JS in the environment names a folder with another tuf-js than the one installed here.
//
// `--linear`: tuf-js as it comes, but for the list of files in a snapshot: see `makeLinear`. `linear` fails unless that makes of a
// snapshot what tuf-js as it comes makes of it.
'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const { createRequire } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { parseArgs } = require('node:util');

const load = process.env.TUF_JS ? createRequire(path.join(process.env.TUF_JS, 'package.json')) : require;
const { Metadata, MetaFile, Snapshot } = load('@tufjs/models');
const { guard } = load('@tufjs/models/dist/utils');
const { BaseFetcher, Updater } = load('tuf-js');
const { DownloadHTTPError } = load('tuf-js/dist/error');
const { TrustedMetadataStore } = load('tuf-js/dist/store');

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
  const found = await updater.getTargetInfo(options.target[0]);
  if (!found) throw new Error('no such target');
  const copy = path.join(options.cache, 'downloaded');
  await updater.downloadTarget(found, copy, pathToFileURL(path.resolve(options.targets)).href);
  return crypto.createHash('sha256').update(fs.readFileSync(copy)).digest('hex');
}

// Looks up every path with one client.
async function sitting(report, options) {
  const cached = path.join(options.cache, 'root.json');
  fs.mkdirSync(options.cache, { recursive: true });
  if (!fs.existsSync(cached)) fs.copyFileSync(options.root, cached);
  const server = http.createServer((request, response) => serve(options.published, request, response));
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const address = `http://127.0.0.1:${server.address().port}`;
  const updater = new Updater({
    metadataDir: options.cache,
    metadataBaseUrl: `${address}/metadata`,
    config: options.largest ? { targetsMaxLength: Number(options.largest) } : {},
  });
  try {
    await updater.refresh();
    for (const target of options.target) {
      report.lookups.push(await lookup(updater, target, options.cache, `${address}/targets`));
    }
  } finally {
    report.root_version = updater.trustedSet.root.signed.version;
    server.closeAllConnections();
    server.close();
  }
}

function serve(published, request, response) {
  const file = path.join(published, decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
  const found = fs.existsSync(file);
  response.writeHead(found ? 200 : 404);
  response.end(found ? fs.readFileSync(file) : undefined);
}

// What the client says about one path: the SHA-256 of the file that it fetched, or nothing, or why not.
async function lookup(updater, target, cache, targets) {
  try {
    const found = await updater.getTargetInfo(target);
    if (!found) return { path: target, sha256: null, error: null };
    const copy = path.join(cache, 'downloaded');
    await updater.downloadTarget(found, copy, targets);
    const sha256 = crypto.createHash('sha256').update(fs.readFileSync(copy)).digest('hex');
    return { path: target, sha256, error: null };
  } catch (failure) {
    return { path: target, sha256: null, error: `${failure.constructor.name}: ${failure.message}` };
  }
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

// tuf-js copies the whole list of a snapshot's files for every file in it, when it reads the list and when it writes it again to verify a
// signature: 15 s each for 10,000 files, and for 100 times as many 10,000 times as long. This makes the same list in one walk. Everything else of
// the two functions stays tuf-js's own, and so does everything that is verified.
function makeLinear() {
  const { fromJSON } = Snapshot;
  const { toJSON } = Snapshot.prototype;
  const each = (meta, make) => Object.fromEntries(Object.entries(meta).map(([file, it]) => [file, make(it)]));
  Snapshot.fromJSON = (data) => {
    const { meta } = data;
    // What is no list is refused as ever.
    if (!guard.isObjectRecord(meta)) return fromJSON(data);
    return Object.assign(fromJSON({ ...data, meta: {} }), { meta: each(meta, MetaFile.fromJSON) });
  };
  Snapshot.prototype.toJSON = function linear() {
    const without = Object.assign(Object.create(Snapshot.prototype), this, { meta: {} });
    return { ...toJSON.call(without), meta: each(this.meta, (it) => it.toJSON()) };
  };
}

// Both make the same of a snapshot, and refuse the same.
async function linear(report, _options, [file]) {
  const { signed } = JSON.parse(fs.readFileSync(file, 'utf8'));
  // So many of its files as take tuf-js a second.
  signed.meta = Object.fromEntries(Object.entries(signed.meta).slice(0, 2_000));
  const [first] = Object.keys(signed.meta);
  const broken = [{}, { version: 'one' }, null, 7].map((it) => ({ ...signed, meta: { ...signed.meta, [first]: it } }));
  const all = [signed, { ...signed, meta: undefined }, { ...signed, meta: [] }, { ...signed, meta: null }, ...broken];
  const results = () => all.map((data) => {
    try {
      const snapshot = Snapshot.fromJSON(data);
      return { snapshot, text: JSON.stringify(snapshot.toJSON()) };
    } catch (refusal) {
      return `${refusal.constructor.name}: ${refusal.message}`;
    }
  });
  const stock = results();
  makeLinear();
  assert.deepStrictEqual(results(), stock);
  assert(stock[0].snapshot.equals(Snapshot.fromJSON(signed)));
  report.files = Object.keys(signed.meta).length;
}

async function main() {
  const text = { type: 'string' };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...{ root: text, cache: text, metadata: text, published: text, targets: text, at: text, largest: text },
      target: { type: 'string', multiple: true },
      linear: { type: 'boolean' },
    },
  });
  const [mode, ...rest] = positionals;
  const ask = { client, sitting, 'root-chain': rootChain, parse, linear }[mode];
  if (!ask) throw new Error(`unknown mode '${mode}'`);
  if (values.linear) makeLinear();
  const report = { ok: true, root_version: null, error: null, target_sha256: null, lookups: [] };
  try {
    await ask(report, values, rest);
  } catch (failure) {
    Object.assign(report, { ok: false, error: `${failure.constructor.name}: ${failure.message}` });
  }
  // The exit code tells that there is an answer, never what it says.
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

main();
