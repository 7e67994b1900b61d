// The account's devices as Firefox syncs them: one record per device, each written by the device
// itself, and by others only to leave it a command. A command that was carried out stays carried
// out: a merge brings new ones in and none back.

import type { Body, Collection, MergeDecision, MergeInput } from '../../collections/collection.ts';
import { editedOver, hasSameMembers, isSameValue, refuse } from '../../collections/members.ts';
import { ownRecord } from '../../collections/own-record.ts';

/** Firefox's words for a device. */
const TYPES = ['desktop', 'mobile', 'tablet', 'vr', 'tv'];

export const clientRecords: Collection = /* @__PURE__ */ ownRecord({
  name: 'clients',
  letter: 'c',
  check: () => null,
  merge,
  prepare: () => refuse('clients: they are not changed by apps'),
  view: (id, { name, type, os, version, application, formfactor }) => ({
    id,
    name: textOf(name) ?? '',
    type: typeOf(type),
    os: textOf(os),
    version: textOf(version),
    application: textOf(application),
    formfactor: textOf(formfactor),
  }),
});

/** What other devices ask of the one that the record describes. */
export function commandsOf({ commands }: Body): readonly unknown[] {
  return Array.isArray(commands) ? commands : [];
}

function merge({ local, mirror, incoming }: MergeInput): MergeDecision {
  const theirs = incoming.body;
  if (!local?.body) return { mirror: theirs && 'asIs', local: 'none' };
  if (theirs === null) return { mirror: null, local: 'keep' };
  const left = commandsOf(local.body);
  const done = (mirror ? commandsOf(mirror.body) : []).filter((command) => !has(left, command));
  const isList = Array.isArray(theirs.commands ?? []);
  const commands = isList
    ? commandsOf(theirs).filter((command) => !has(done, command))
    : theirs.commands;
  const edited = editedOver(local.body, mirror?.body, theirs);
  const merged: Body = { ...edited, commands };
  return { mirror: 'asIs', local: hasSameMembers(merged, theirs) ? 'none' : merged };
}

function has(commands: readonly unknown[], wanted: unknown): boolean {
  return commands.some((command) => isSameValue(command, wanted));
}

/** Phones were called so once. */
function typeOf(type: unknown): string | null {
  const known = type === 'phone' ? 'mobile' : textOf(type);
  return known !== null && TYPES.includes(known) ? known : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
