// What a sync leaves in the folder for the commands that come after it: where and as which device
// it syncs, when the last good sync was, and what the servers said last, in their own words. Beside
// the data and not in it: without this file nothing but words is lost.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentConfig, Status } from '../../../agent/index.ts';
import type { Device } from './device.ts';
import { writePrivate } from './private-files.ts';

/** What is kept of a further service of the folder. */
export interface ServiceNotes {
  readonly remote: AgentConfig['remote'];
  readonly collections: readonly string[];
}

interface Notes {
  /** The folder's further services, by name. */
  readonly remotes: { readonly [name: string]: ServiceNotes };
  readonly remote: AgentConfig['remote'] | null;
  /** Collections of apps that are synced with the first service. */
  readonly own: readonly string[];
  /** Null: it syncs without being among the account's devices. */
  readonly device: Device | null;
  /**
   * When the last good sync ended; null: none has since there are notes of it. The agent writes it
   * with other things only.
   */
  readonly lastSyncMs: number | null;
  readonly said: Pick<Status, 'error' | 'alert' | 'quotaRemainingBytes'>;
}

export const NOTES_FILE = 'notes.json';

const NOTHING: Notes = {
  remotes: {},
  own: [],
  remote: null,
  device: null,
  lastSyncMs: null,
  said: { error: null, alert: null, quotaRemainingBytes: null },
};

/** What the last sync left; nothing where there was none, or where its file is damaged. */
export function readNotes(directory: string): Notes {
  try {
    const read: unknown = JSON.parse(readFileSync(join(directory, NOTES_FILE), 'utf8'));
    return isNotes(read) ? { ...NOTHING, ...read } : NOTHING;
  } catch {
    return NOTHING;
  }
}

/** What each member must have: another thing is no note of ours. */
const FORMS: readonly [path: readonly string[], members: readonly string[]][] = [
  [['remote'], ['protocol', 'serverUrl', 'audience', 'auth']],
  [['device'], ['name', 'type', 'version', 'os']],
  [
    ['said', 'error'],
    ['code', 'message'],
  ],
];

function isNotes(value: unknown): value is Partial<Notes> {
  const {
    own = [],
    remotes = {},
    said = NOTHING.said,
    lastSyncMs = null,
  } = (membersOf(value) ?? {}) as {
    own?: unknown;
    remotes?: unknown;
    said?: unknown;
    lastSyncMs?: unknown;
  };
  const alert = membersOf(said)?.alert ?? null;
  const quota = membersOf(said)?.quotaRemainingBytes ?? null;
  return (
    membersOf(value) !== null &&
    Object.entries(membersOf(remotes) ?? {}).every(isServiceNote) &&
    membersOf(remotes) !== null &&
    Array.isArray(own) &&
    own.every((name) => typeof name === 'string') &&
    membersOf(said) !== null &&
    (lastSyncMs === null || typeof lastSyncMs === 'number') &&
    (alert === null || typeof alert === 'string') &&
    (quota === null || typeof quota === 'number') &&
    FORMS.every(([path, members]) => {
      let found: unknown = value;
      for (const name of path) found = membersOf(found)?.[name] ?? null;
      if (found === null) return true;
      const texts = membersOf(found);
      return texts !== null && members.every((name) => typeof texts[name] === 'string');
    })
  );
}

function isServiceNote([name, value]: [string, unknown]): boolean {
  const { remote, collections } = membersOf(value) ?? {};
  const members = membersOf(remote);
  return (
    /^[a-z0-9-]{1,16}$/.test(name) &&
    ['protocol', 'serverUrl', 'audience', 'auth'].every(
      (member) => typeof members?.[member] === 'string',
    ) &&
    Array.isArray(collections) &&
    collections.every((collection) => typeof collection === 'string')
  );
}

function membersOf(value: unknown): { readonly [name: string]: unknown } | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: unknown })
    : null;
}

/**
 * Replaces the notes if they say something new. Errors: `UsageError`, when the disk does not take
 * them.
 */
export async function writeNotes(directory: string, notes: Notes): Promise<void> {
  const text = JSON.stringify(notes);
  if (text === JSON.stringify(readNotes(directory))) return;
  await writePrivate(join(directory, NOTES_FILE), [text]);
}
