// Which services a folder has, and which collections each of them: what `--remote NAME` and the
// name of a collection may be in the commands that come after a sync. By the folder's notes.

import { UsageError } from './complaint.ts';
import { COLLECTIONS, whyNoDevices } from './contents.ts';
import type { Notes } from './notes.ts';
import { FIRST } from './service.ts';

interface KnownService {
  readonly name: string;
  /** See contents.ts. */
  readonly whyNoDevices: string | null;
  readonly collections: readonly string[];
}

/**
 * The first service in front; `wanted`: only that one, null: all. Errors: `UsageError` names those
 * that there are.
 */
export function knownServices(
  { remotes, own, remote }: Notes,
  wanted: string | null,
): readonly KnownService[] {
  const named = Object.entries(remotes).map(
    ([
      name,
      {
        collections,
        remote: { protocol },
      },
    ]) => ({
      ...{ name, collections, whyNoDevices: whyNoDevices(protocol) },
    }),
  );
  const taken = named.flatMap(({ collections }) => collections);
  const left = [...COLLECTIONS, ...own].filter((name) => !taken.includes(name));
  const firstProtocol = remote?.protocol ?? '';
  const first = { name: FIRST, collections: left, whyNoDevices: whyNoDevices(firstProtocol) };
  const all = [first, ...named];
  const found = wanted === null ? all : all.filter(({ name }) => name === wanted);
  if (found.length > 0) return found;
  const names = all.map(({ name }) => name).join(', ');
  throw new UsageError(`--remote: the folder has no service "${wanted}", but ${names}`);
}

/** Errors: `UsageError` names the collection that none of the services has, and those they have. */
export function checkCollections(
  services: readonly KnownService[],
  wanted: readonly string[],
  besides: readonly string[] = [],
): void {
  const known = [...services.flatMap(({ collections }) => collections), ...besides];
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new UsageError(`there is no collection "${unknown}": ${known.join(', ')}`);
}
