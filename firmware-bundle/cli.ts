// `npm run build -- [--with NAMES] [--budget BYTES] [profile...]`, or `npx kitsync build`: builds
// the firmware of every profile into `dist/<profile>/` of the folder it is called in, and prints
// what it weighs. Ends with 1, and the reason in one line, when a rule or a budget is broken.

import { parseArgs } from 'node:util';
import {
  type BuildOptions,
  buildFirmware,
  DEFAULT_SOURCE,
  OverBudgetError,
  profileNames,
  sourceWith,
  weighVariants,
} from './build.ts';
import { contentNames } from './contents.ts';
import { sizeTable, variantTable } from './size.ts';

const HELP = `npm run build -- [--with NAMES] [--budget BYTES] [profile...]

  --with NAMES   what the firmware holds, separated by commas, of
                 ${contentNames.join(', ')}.
                 Without a protocol in the list all protocols, without anything else history,
                 passwords and clients.
  --budget BYTES what agent.js may weigh, instead of what the profile allows it; of the gzipped
                 file nothing is asked then. A build over its budget changes no file.
  profile        of ${profileNames.join(', ')}; all of them if none is named`;

/** Runs the command; resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: joined(args),
      allowPositionals: true,
      options: {
        with: { type: 'string' },
        budget: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    if (values.help === true) console.log(HELP);
    else await buildAll(positionals, values.with?.split(',') ?? null, budgetOf(values.budget));
    return 0;
  } catch (error) {
    if (error instanceof OverBudgetError) console.log(sizeTable(error.size));
    console.error(`build failed: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

/** What stands behind `--budget` is its value, also where it begins like an option. */
function joined(args: readonly string[]): string[] {
  const at = args.indexOf('--budget');
  if (at < 0 || args[at + 1] === undefined) return [...args];
  return [...args.slice(0, at), `--budget=${args[at + 1]}`, ...args.slice(at + 2)];
}

function budgetOf(text: string | undefined): BuildOptions {
  if (text === undefined) return {};
  const bytes = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (bytes > 0) return { budgetBytes: bytes };
  throw new Error(`--budget must be a whole number of bytes from 1 to 999999999, not "${text}"`);
}

async function buildAll(
  asked: readonly string[],
  names: readonly string[] | null,
  options: BuildOptions,
): Promise<void> {
  const source = names === null ? DEFAULT_SOURCE : sourceWith(names);
  const profiles = asked.length > 0 ? asked : profileNames;
  let table = '';
  for (const profile of profiles) {
    const outDir = `dist/${profile}`;
    const { manifest, size } = await buildFirmware(profile, outDir, source, options);
    const next = sizeTable(size);
    if (next !== table) console.log(next);
    table = next;
    const { whole, parts } = manifest;
    console.log(`\n${outDir}: ES${manifest.ecmaScript}, agent.js ${whole.bytes} bytes`);
    for (const { file, bytes } of parts) console.log(`  ${file} ${bytes} bytes`);
    const sum = parts.reduce((bytes, part) => bytes + part.bytes, 0);
    const names = new Set(parts.flatMap(({ part }) => part ?? []));
    console.log(`  together ${sum} bytes; loaded when first used: ${[...names].join(', ')}`);
  }
  // Whoever has chosen knows what it weighs: the others take seconds each.
  if (names !== null) return;
  const [first = ''] = profiles;
  console.log(`\n${variantTable(await weighVariants(first))}`);
}
