// The `kitsync` command, as it is built: each name has its own part, and loads no other. What every
// command has is here: `--help`, `--version`, and one line instead of a stack where the output
// cannot be written.

import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemReason } from '../platform/node/cli/complaint.ts';
import { versionLine, wishOf } from '../platform/node/cli/help.ts';
import { keepHeapSmall } from '../platform/node/cli/small-heap.ts';

/** The emulator's own commands; all others are of the agent on this machine. */
const EMULATED: readonly (string | undefined)[] = [
  ...[undefined, 'help', '--help', '-h'],
  ...['emulate', 'serve', 'compact', 'profiles'],
];
/** The firmware that was built with the command. */
const SHIPPED = fileURLToPath(new URL('../dist/cli/firmware', import.meta.url));

/** Runs a command; resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  watchOutput();
  const [first, second] = args;
  const [name, ...rest] = first === 'help' && second !== undefined ? [second, '--help'] : args;
  if (wishOf(args) === 'version') {
    process.stdout.write(versionLine());
    return 0;
  }
  const isHelp = wishOf(rest) === 'help';
  if (name === 'build') {
    return (await import('../firmware-bundle/cli.ts')).main(isHelp ? ['--help'] : rest);
  }
  if (name === 'gateway') {
    return (await import('./servers/gateway/command.ts')).main(isHelp ? ['--help'] : rest);
  }
  if (name === 'picl') {
    return (await import('../platform/node/picl/command.ts')).main(isHelp ? ['--help'] : rest);
  }
  if (EMULATED.includes(name)) {
    return (await import('./cli.ts')).main(isHelp ? ['help'] : args, SHIPPED);
  }
  // It stays for months.
  if (name === 'sync') keepHeapSmall();
  return (await import('../platform/node/cli/main.ts')).main([name ?? '', ...rest]);
}

/**
 * Builds the shipped firmware of every profile into a folder each. Errors: those of
 * `buildFirmware`.
 */
export async function buildShipped(outDir: string): Promise<void> {
  const { buildFirmware, profileNames } = await import('../firmware-bundle/build.ts');
  for (const profile of profileNames) await buildFirmware(profile, join(outDir, profile));
}

/** Once for a process, however often a command is run in it. */
function watchOutput(): void {
  process.stdout.off('error', outputFailed).on('error', outputFailed);
  process.stderr.off('error', nobodyListens).on('error', nobodyListens);
}

/** Ends the process with 1 where the output takes no more. What a sync has stored by then stays. */
function outputFailed(error: NodeJS.ErrnoException): void {
  // Whoever reads the output may have seen enough, as `head` has.
  if (error.code !== 'EPIPE') {
    process.stderr.write(`kitsync: cannot write ${outputName()}: ${systemReason(error)}\n`);
  }
  process.exit(1);
}

function nobodyListens(): void {}

/** The file that the output was led to, where the system tells. */
function outputName(): string {
  try {
    const target = readlinkSync('/proc/self/fd/1');
    return target.startsWith('/') ? target : 'the output';
  } catch {
    return 'the output';
  }
}
