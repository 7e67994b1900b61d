// `npm run build [profile...]`: builds the firmware of every profile into `dist/<profile>/` and
// prints what it weighs. Ends with 1, and the reason in one line, when a rule or a budget is broken.

import { rm } from 'node:fs/promises';
import { buildFirmware, profileNames } from './build.ts';
import { sizeTable } from './size.ts';

const asked = process.argv.slice(2);
try {
  let table = '';
  for (const profile of asked.length > 0 ? asked : profileNames) {
    const outDir = `dist/${profile}`;
    await rm(outDir, { recursive: true, force: true });
    const { manifest, size } = await buildFirmware(profile, outDir);
    const next = sizeTable(size);
    if (next !== table) console.log(next);
    table = next;
    const { whole, parts } = manifest;
    console.log(`\n${outDir}: ES${manifest.ecmaScript}, agent.js ${whole.bytes} bytes`);
    for (const part of parts) console.log(`  ${part.file} ${part.bytes} bytes`);
  }
} catch (error) {
  console.error(`build failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
