// What it takes to have the same run once more, and to see that it is the same: it stands in the
// report, and at the head of the trace. It holds no secret: of files there are hashes, and of an
// account never the key.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { withoutUserInfo } from '../platform/node/server-url.ts';

export interface Replay {
  /** Of Kitsync. */
  readonly version: string;
  /** SHA-256 of the firmware's parts, one after the other. */
  readonly firmware: string;
  readonly seed: number;
  /** The flash write at which the power was to be cut; null for none. */
  readonly cut: number | null;
  /** SHA-256 of the file of local edits; null for none. */
  readonly edits: string | null;
  /**
   * SHA-256 of the account's file; null for one that is made up from the seed, or on servers
   * outside.
   */
  readonly account: string | null;
  /** The same of the other remotes, by name, where there are some. */
  readonly accounts?: Readonly<Record<string, string | null>>;
  /** What was typed, quoted for a shell, but for where to write what. */
  readonly command: string;
}

/** In hexadecimal. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** The version of this package. */
export function packageVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}

/** These say where to write what: the run is the same without them. */
const OUTPUTS = ['--trace', '--export', '--dump', '--json'];

/**
 * A command with what it was given, as it can be pasted into a shell, but for where to write what.
 */
export function commandLine(name: string, args: readonly string[]): string {
  const quoted = args
    .filter((arg, at) => {
      const before = args[at - 1] ?? '';
      const isPath = before !== '--json' && OUTPUTS.includes(before);
      return !isPath && !OUTPUTS.includes(arg.replace(/=.*/s, ''));
    })
    .map(withoutUserInfo)
    .map((arg) => (/^[\w./:=,@%+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`));
  return ['kitsync', name, ...quoted].join(' ');
}
