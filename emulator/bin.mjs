#!/usr/bin/env node
// The `kitsync` command: runs what was built of it (firmware-bundle/dist.mjs). A package brings
// that along; a checkout builds it when it is missing or older than its sources.

import { existsSync } from 'node:fs';

if (existsSync(new URL('../tsconfig.json', import.meta.url))) {
  const { buildIfOlder } = await import('../firmware-bundle/dist.mjs');
  await buildIfOlder();
}
const { main } = await import('../dist/cli/kitsync.js');
process.exitCode = await main(process.argv.slice(2));
