// `npm run build -- [--with NAMES] [--budget BYTES] [profile...]`, or `npx kitsync build`: builds
// the firmware of every profile into `dist/<profile>/` of the folder it is called in, and prints
// what it weighs. Ends with 1, and the reason in one line, when a rule or a budget is broken, with
// 2 when it cannot be run as it was typed.

import { parseArgs } from 'node:util';
import {
  type BuildOptions,
  buildFirmware,
  checkProfile,
  DEFAULT_SOURCE,
  OverBudgetError,
  profileNames,
  sourceWith,
  weighVariants,
} from './build.ts';
import { contentNames } from './contents.ts';
import type { FirmwareSource } from './program.ts';
import { sizeTable, variantTable } from './size.ts';

const HELP = `npm run build -- [--with NAMES] [--budget BYTES] [profile...]

  --with NAMES   what the firmware holds, separated by commas, of
                 ${contentNames.join(', ')},
                 generic(NAME): a collection of an app's own.
                 Without a protocol in the list (syncto, sync15, kinto, picl, owa) it is syncto and
                 sync15. Without data it is what its protocols are for: history, passwords and
                 clients; of kinto contacts, settings and readingList; of picl history and
                 passwords; of owa installedApps.
  --budget BYTES what agent.js may weigh, instead of what the profile allows it; of the gzipped
                 file nothing is asked then. A build over its budget changes no file.
  profile        of ${profileNames.join(', ')}; all of them if none is named

Exit codes: 0 done, 1 a rule or a budget is broken, 2 usage`;

/** Runs the command; resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let asked: Asked | null = null;
  try {
    asked = askedFor(args);
    if (asked === 'help') console.log(HELP);
    else await buildAll(asked);
    return 0;
  } catch (error) {
    if (error instanceof OverBudgetError) console.log(sizeTable(error.size));
    console.error(`build failed: ${error instanceof Error ? error.message : String(error)}`);
    return asked === null ? 2 : 1;
  }
}

type Asked = 'help' | Build;

interface Build {
  readonly profiles: readonly string[];
  readonly source: FirmwareSource;
  readonly options: BuildOptions;
}

/** Throws an Error that says what is wrong with it. */
function askedFor(args: readonly string[]): Asked {
  const { values, positionals } = parseArgs({
    args: joined(args),
    allowPositionals: true,
    options: {
      with: { type: 'string' },
      budget: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return 'help';
  for (const profile of positionals) checkProfile(profile);
  return {
    profiles: positionals.length > 0 ? positionals : profileNames,
    source: values.with === undefined ? DEFAULT_SOURCE : sourceWith(values.with.split(',')),
    options: budgetOf(values.budget),
  };
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

async function buildAll({ profiles, source, options }: Build): Promise<void> {
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
  if (source !== DEFAULT_SOURCE) return;
  const [first = ''] = profiles;
  console.log(`\n${variantTable(await weighVariants(first))}`);
}
