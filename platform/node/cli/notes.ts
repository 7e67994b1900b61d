// What a sync leaves in the folder for the commands that come after it: where and as which device
// it syncs, when the last good sync was, and what the servers said last, in their own words. Beside
// the data and not in it: without this file nothing but words is lost.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentConfig, Status } from '../../../agent/index.ts';
import type { Device } from './device.ts';
import { type Incident, isIncident } from './incidents.ts';
import { writePrivate } from './private-files.ts';
import { FIRST } from './service.ts';
import { isStrategyNotes, type StrategyNotes } from './strategies.ts';

/** What is kept of how a service was, and of what it said. */
export interface Said {
  /**
   * When the last good sync ended; null: none has since there are notes of it. The agent writes it
   * with other things only.
   */
  readonly lastSyncMs: number | null;
  readonly said: Pick<Status, 'error' | 'alert' | 'quotaRemainingBytes'>;
  readonly incidents?: readonly Incident[];
}

/** What is kept of a further service of the folder. */
export interface ServiceNotes extends Partial<Said> {
  readonly remote: AgentConfig['remote'];
  readonly collections: readonly string[];
}

export interface Notes extends Said {
  /** The folder's further services, by name. */
  readonly remotes: { readonly [name: string]: ServiceNotes };
  readonly remote: AgentConfig['remote'] | null;
  /** Collections of apps that are synced with the first service. */
  readonly own: readonly string[];
  /** What becomes of conflicts, where that is not the collection's own rule. */
  readonly strategies: StrategyNotes;
  /** Null: it syncs without being among the account's devices. */
  readonly device: Device | null;
}

export const NOTES_FILE = 'notes.json';

const UNHEARD: Said = {
  lastSyncMs: null,
  said: { error: null, alert: null, quotaRemainingBytes: null },
};
const NOTHING: Notes = {
  ...{ remotes: {}, own: [], strategies: {}, remote: null, device: null },
  ...UNHEARD,
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

/** What is kept of a service of the folder, by its name. */
export function saidBy(notes: Notes, name: string): Said {
  const found: Partial<Said> = name === FIRST ? notes : (notes.remotes[name] ?? UNHEARD);
  const { lastSyncMs = null, said, incidents } = found;
  return { lastSyncMs, said: { ...UNHEARD.said, ...said }, ...(incidents && { incidents }) };
}

/** The notes with what one service has said. */
export function withSaid(notes: Notes, name: string, said: Said): Notes {
  if (name === FIRST) return { ...notes, ...said };
  const kept = notes.remotes[name];
  if (kept === undefined) return notes;
  return { ...notes, remotes: { ...notes.remotes, [name]: { ...kept, ...said } } };
}

const REMOTE = ['protocol', 'serverUrl', 'audience', 'auth'];
const DEVICE = ['name', 'type', 'version', 'os'];

/** Another thing is no note of ours. */
function isNotes(value: unknown): value is Partial<Notes> {
  const members = membersOf(value);
  if (members === null) return false;
  const { own = [], remotes = {}, strategies = {}, remote = null, device = null } = members;
  const [named, decided] = [membersOf(remotes), membersOf(strategies)];
  return (
    isSaid(members) &&
    named !== null &&
    Object.entries(named).every(isServiceNote) &&
    isTextList(own) &&
    decided !== null &&
    isStrategyNotes(decided) &&
    (remote === null || hasTexts(remote, REMOTE)) &&
    (device === null || hasTexts(device, DEVICE))
  );
}

function isServiceNote([name, value]: [string, unknown]): boolean {
  const members = membersOf(value);
  return (
    /^[a-z0-9-]{1,16}$/.test(name) &&
    members !== null &&
    hasTexts(members.remote, REMOTE) &&
    isTextList(members.collections) &&
    isSaid(members)
  );
}

function isSaid({ said = UNHEARD.said, lastSyncMs = null, incidents = [] }: Members): boolean {
  const words = membersOf(said);
  if (words === null || !Array.isArray(incidents) || !incidents.every(isIncident)) return false;
  const { error = null, alert = null, quotaRemainingBytes: quota = null } = words;
  return (
    (lastSyncMs === null || typeof lastSyncMs === 'number') &&
    (alert === null || typeof alert === 'string') &&
    (quota === null || typeof quota === 'number') &&
    (error === null || hasTexts(error, ['code', 'message']))
  );
}

function hasTexts(value: unknown, names: readonly string[]): boolean {
  const members = membersOf(value);
  return members !== null && names.every((name) => typeof members[name] === 'string');
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

type Members = { readonly [name: string]: unknown };

function membersOf(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Members)
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
