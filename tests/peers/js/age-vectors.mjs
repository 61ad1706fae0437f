// Writes age's public test vectors (package cctv-age) into a folder, a file each: lines of what is known of it, an empty line, the age file.
// Those that come compressed are not any more.
//
//   node age-vectors.mjs FOLDER
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';

import * as vectors from 'cctv-age';

for (const [name, bytes] of Object.entries(vectors)) {
  const vector = Buffer.from(bytes);
  const start = vector.indexOf('\n\n') + 2;
  const head = vector.subarray(0, start);
  const file = vector.subarray(start);
  const plain = head.includes('\ncompressed: zlib\n') ? inflateSync(file) : file;
  writeFileSync(join(process.argv[2], name), Buffer.concat([head, plain]));
}
