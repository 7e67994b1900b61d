// What a sync leaves in the folder for the commands that come after it: where and as which device it syncs, and what
// the servers said last, in their own words. Beside the data and not in it: without this file nothing but words is lost.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentConfig, Status } from '../../../agent/index.ts';
import type { Device } from './device.ts';
import { writePrivate } from './private-files.ts';

export interface Notes {
  readonly remote: AgentConfig['remote'] | null;
  /** Null: it syncs without being among the account's devices. */
  readonly device: Device | null;
  readonly said: Pick<Status, 'error' | 'alert' | 'quotaRemainingBytes'>;
}

export const NOTES_FILE = 'notes.json';

const NOTHING: Notes = {
  remote: null,
  device: null,
  said: { error: null, alert: null, quotaRemainingBytes: null },
};

/** What the last sync left; nothing where there was none, or where its file is damaged. */
export function readNotes(directory: string): Notes {
  try {
    return {
      ...NOTHING,
      ...(JSON.parse(readFileSync(join(directory, NOTES_FILE), 'utf8')) as Notes),
    };
  } catch {
    return NOTHING;
  }
}

/** Replaces the notes if they say something new. Errors: `UsageError`, when the disk does not take them. */
export async function writeNotes(directory: string, notes: Notes): Promise<void> {
  const text = JSON.stringify(notes);
  if (text === JSON.stringify(readNotes(directory))) return;
  await writePrivate(join(directory, NOTES_FILE), [text]);
}
