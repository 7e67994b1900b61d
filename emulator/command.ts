// The `kitsync` command, as it is built: each name has its own part, and loads no other.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The emulator's own commands; all others are of the agent on this machine. */
const EMULATED: readonly (string | undefined)[] = [
  ...[undefined, 'help', '--help', '-h'],
  ...['emulate', 'serve', 'profiles'],
];
/** The firmware that was built with the command. */
const SHIPPED = fileURLToPath(new URL('../dist/cli/firmware', import.meta.url));

/** Runs a command; resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === 'build') return (await import('../firmware-bundle/cli.ts')).main(rest);
  if (EMULATED.includes(name)) return (await import('./cli.ts')).main(args, SHIPPED);
  return (await import('../platform/node/cli/main.ts')).main(args);
}

/** Builds the shipped firmware of every profile into a folder each. Errors: those of `buildFirmware`. */
export async function buildShipped(outDir: string): Promise<void> {
  const { buildFirmware, profileNames } = await import('../firmware-bundle/build.ts');
  for (const profile of profileNames) await buildFirmware(profile, join(outDir, profile));
}
