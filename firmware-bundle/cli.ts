// `npm run build -- [--with NAMES] [profile...]`, or `npx kitsync build`: builds the firmware of every profile into
// `dist/<profile>/` of the folder it is called in, and prints what it weighs. Ends with 1, and the reason in one line, when a rule or a budget is broken.

import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildFirmware, DEFAULT_SOURCE, profileNames, sourceWith, weighVariants } from './build.ts';
import { contentNames } from './contents.ts';
import { sizeTable, variantTable } from './size.ts';

const HELP = `npm run build -- [--with NAMES] [profile...]

  --with NAMES   what the firmware holds, separated by commas, of
                 ${contentNames.join(', ')}.
                 Without a protocol in the list all protocols, without anything else history,
                 passwords and clients.
  profile        of ${profileNames.join(', ')}; all of them if none is named`;

/** Runs the command; resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { with: { type: 'string' }, help: { type: 'boolean' } },
    });
    if (values.help === true) console.log(HELP);
    else await buildAll(positionals, values.with?.split(',') ?? null);
    return 0;
  } catch (error) {
    console.error(`build failed: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

async function buildAll(asked: readonly string[], names: readonly string[] | null): Promise<void> {
  const source = names === null ? DEFAULT_SOURCE : sourceWith(names);
  const profiles = asked.length > 0 ? asked : profileNames;
  let table = '';
  for (const profile of profiles) {
    const outDir = `dist/${profile}`;
    await rm(outDir, { recursive: true, force: true });
    const { manifest, size } = await buildFirmware(profile, outDir, source);
    const next = sizeTable(size);
    if (next !== table) console.log(next);
    table = next;
    const { whole, parts } = manifest;
    console.log(`\n${outDir}: ES${manifest.ecmaScript}, agent.js ${whole.bytes} bytes`);
    for (const part of parts) console.log(`  ${part.file} ${part.bytes} bytes`);
  }
  const [first = ''] = profiles;
  console.log(`\n${variantTable(await weighVariants(first))}`);
}
