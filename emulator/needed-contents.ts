// What the firmware of a run has to hold: the protocols of its remotes, their collections, and the
// ways to sign in.

import { contentFor } from '../firmware-bundle/contents.ts';
import type { EmulateOptions } from './options.ts';

/** What `--with` would ask for; undefined: what is shipped. */
export function contentsFor({ others, signIn, ...first }: EmulateOptions): string[] | undefined {
  const remotes = [first, ...others];
  const own = remotes.flatMap((one) => one.collections).flatMap((name) => contentFor(name) ?? []);
  const drivers = remotes.map(({ protocol }) => protocol);
  const isNamed = remotes.every(({ protocol }) => !SYNC.includes(protocol));
  const contents = new Set([
    ...(isNamed ? [] : SHIPPED),
    ...own,
    ...(others.length > 0 ? ['several'] : []),
    ...(signIn ? drivers.map((name) => (name === 'kinto' ? 'recoverySignIn' : 'signIn')) : []),
  ]);
  if (drivers.some((name) => !SYNC.includes(name))) return [...new Set(drivers), ...contents];
  return contents.size === SHIPPED.length ? undefined : [...contents];
}

const SHIPPED = ['history', 'passwords', 'clients'];
const SYNC: readonly string[] = ['syncto', 'sync15'];
