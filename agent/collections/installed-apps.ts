// The user's web apps, the same ones on every device: each under its origin, as what a repository
// of apps says of it (`entry`), whole and as it came. An app that is not there is unknown, never
// deleted: a deletion is an entry of its own, and is kept. The later of two versions counts, by
// their own stamps (installed-merge.ts). Of a change that was not sent the record says instead what
// it was made from (`after`); it gets its stamp on its way. What is local to a device (whether an
// app was installed here, where it is shown) is in no record.

import { isObject } from '../../crypto/engine.ts';
import { APP_DEVICE_CHARS_MAX, APP_ENTRY_BYTES_MAX, APP_ENTRY_DEPTH_MAX } from '../limits.ts';
import { isShallow } from './canonical-json.ts';
import type { Body, Collection, MergeDecision, MergeInput, Prepared } from './collection.ts';
import {
  type AppEntry,
  complaintOfApp,
  entryOf,
  isEntryTooLong,
  isPending,
  kindOf,
  kindOfBody,
  nameOf,
  secondsOf,
  stampOf,
} from './installed-entry.ts';
import { isSameEntry, mergeEntries } from './installed-merge.ts';
import { webOrigin } from './installed-origin.ts';
import { withReceipts } from './installed-receipts.ts';
import {
  addressKey,
  addressPrefix,
  believed,
  FIRST_MS,
  refuse,
  shortId,
  withIdFirst,
  writtenAtMs,
} from './members.ts';

export const installedApps: Collection = {
  name: 'apps',
  letter: 'o',
  sealed: true,
  evictable: false,
  idRule: { complaint: 'not the origin of a web app, as https://app.example', idOf: webOrigin },

  check,
  isEmpty: (body) => kindOfBody(body) !== 'live',

  index: (body, knownMs) => [`u${timeKey(body, knownMs)}${addressOf(body)}`, `a${addressOf(body)}`],
  addressPrefix: (prefix) => `a${addressPrefix(prefix).slice(1)}`,
  matches: (body, prefix) => nameOf(body).startsWith(prefix),

  merge,
  stamped,
  withAgreed,
  outgoing: withIdFirst,
  prepare,
  grave: (body) =>
    kindOfBody(body) === 'live'
      ? { ...body, entry: { deleted: true }, after: afterOf(body) }
      : null,
  newId: shortId,
  view: (id, { entry }) => {
    const { credentials, sync, ...shown } = isObject(entry) ? entry : {};
    return { ...shown, guid: id };
  },
};

/** The same where the server reads every record: nothing that is secret from it is put there. */
export function readable<T extends Collection>(collection: T): T {
  return {
    ...collection,
    prepare: (input, ...of) =>
      input.credentials == null
        ? collection.prepare(input, ...of)
        : refuse('credentials: the server of these apps could read them'),
  };
}

function check({ id, entry }: Body): string | null {
  if (typeof id !== 'string') return 'id: not a text';
  if (entry === undefined) return 'entry: there is none';
  return isEntryTooLong(JSON.stringify(entry))
    ? `entry: longer than ${APP_ENTRY_BYTES_MAX} bytes`
    : null;
}

/** In seconds: what the next change of it has to be later than. */
function afterOf(body: Body): number {
  return isPending(body) ? (body.after as number) : entryOf(body).time;
}

function stamped(body: Body, writtenMs: number, agreed?: Body): Body {
  if (!isPending(body)) return body;
  const { after, entry, ...members } = body;
  const last = Math.max(after as number, agreed === undefined ? 0 : entryOf(agreed).time);
  return { ...members, entry: { ...(entry as Body), last_modified: stampOf(writtenMs, last) } };
}

/** A server that has the app has its receipts, too, and has not seen that it was deleted since. */
function withAgreed(body: Body, agreed: Body): Body {
  const isLive = kindOfBody(body) === 'live' && entryOf(agreed).kind === 'live';
  if (!isPending(body) || !isLive) return body;
  return { ...body, entry: withReceipts(body.entry as Body, agreed.entry as Body) };
}

function merge({ local, mirror, incoming, ...times }: MergeInput): MergeDecision {
  const held = local?.body ?? mirror?.body ?? null;
  const arrived = incoming.body;
  if (held === null) return { mirror: arrived && 'asIs', local: 'none' };
  // What is not there is unknown: it goes up again.
  if (arrived === null) return { mirror: null, local: local?.body ? 'keep' : held };
  const theirs = entryOf(arrived);
  if (isOwn(held, theirs)) return { mirror: 'asIs', local: 'none' };
  const isCarried = theirs.kind === 'carried';
  const serverNowMs = times.clockMs || times.serverNowMs;
  const writtenMs = writtenAtMs(local?.changedAtMs ?? 0, { ...times, serverNowMs });
  const ours = entryOf(stamped(held, writtenMs, isCarried ? arrived : mirror?.body));
  if (isCarried) {
    // Of two that nobody here understands, the server's is the one that was written last.
    const isOlder = theirs.time > 0 && ours.time > theirs.time;
    if (ours.kind === 'carried' && !isOlder) return { mirror: 'asIs', local: 'none' };
    if (ours.kind !== 'carried' && local === null) return { mirror: held, local: 'none' };
    return { mirror: 'asIs', local: { ...arrived, entry: ours.value } };
  }
  const result = mergeEntries(ours, theirs);
  if (isSameEntry(result, theirs)) return { mirror: 'asIs', local: 'none' };
  return { mirror: 'asIs', local: { ...arrived, entry: result.value } };
}

/**
 * A change of this device has come back: its answer was lost. Of a deletion nobody can tell: it may
 * be another device's, made before something that this one is later than.
 */
function isOwn(held: Body, theirs: AppEntry): boolean {
  if (!isPending(held) || theirs.kind !== 'live' || theirs.time <= afterOf(held)) return false;
  const { last_modified } = theirs.value as Body;
  const value = { ...(held.entry as Body), last_modified };
  return isSameEntry({ kind: kindOfBody(held), time: theirs.time, value }, theirs);
}

/**
 * An edit changes the members that it names; null takes one out. What was deleted is installed
 * anew, and what cannot be read is overwritten, each with a later stamp.
 */
function prepare(input: Body, existing: Body | null, newId: string, nowMs: number): Prepared {
  const { id: asked, guid, deleted, last_modified, sync, ...members } = input;
  const id = (existing?.id ?? asked ?? newId) as string;
  const isRead = existing !== null && (isPending(existing) || entryOf(existing).time > 0);
  const kind = isRead ? kindOf(existing.entry) : existing === null ? 'deleted' : 'carried';
  const edits = Object.entries(members).filter(([, value]) => value !== undefined);
  if (existing !== null && kind === 'live' && edits.length === 0) {
    return { ok: true, id, body: existing };
  }
  const complaint = complaintOfMembers(members);
  if (complaint !== null) return refuse(complaint);
  const before = existing && kind !== 'deleted' && isObject(existing.entry) ? existing.entry : {};
  const { last_modified: _, sync: __, ...kept } = before as Body;
  const time =
    kind === 'live' || nowMs < FIRST_MS ? {} : { install_time: Math.floor(nowMs / 1_000) };
  const all = Object.entries({ ...time, ...kept, ...Object.fromEntries(edits) });
  const gone = edits.flatMap(([name, value]) => (value === null ? [name] : []));
  const nulls = new Set(kind === 'carried' ? ['deleted', ...gone] : gone);
  const entry: Body = Object.fromEntries(all.filter(([name]) => !nulls.has(name)));
  const wrong = complaintOfApp(entry.manifest, entry.manifest_url);
  if (wrong !== null) return refuse(wrong);
  // With the time that it has when it is sent.
  if (isEntryTooLong(JSON.stringify({ ...entry, last_modified: Number.MAX_VALUE })))
    return refuse(`record: longer than ${APP_ENTRY_BYTES_MAX} bytes`);
  return {
    ok: true,
    id,
    body: { ...existing, id, entry, after: existing ? afterOf(existing) : 0 },
  };
}

function complaintOfMembers(members: Body): string | null {
  if (!isShallow(members, APP_ENTRY_DEPTH_MAX, APP_ENTRY_BYTES_MAX)) {
    return `record: nests deeper than ${APP_ENTRY_DEPTH_MAX} levels`;
  }
  const {
    manifest,
    manifest_url: url,
    install_origin: from,
    install_time: time,
    install_device: device,
  } = members;
  if (manifest != null && !isObject(manifest)) return 'manifest: not an object';
  if (url != null && !(typeof url === 'string' && /^https?:\/\/[^/]/i.test(url)))
    return 'manifest_url: not an http(s) URL';
  if (from != null && typeof from !== 'string') return 'install_origin: not a text';
  if (time != null && !(typeof time === 'number' && time >= 0 && time < Infinity))
    return 'install_time: not a time in seconds';
  if (device == null || (typeof device === 'string' && device.length <= APP_DEVICE_CHARS_MAX))
    return null;
  return `install_device: not a text of at most ${APP_DEVICE_CHARS_MAX} characters`;
}

/** Ends the entries of the index; no two apps have the same name. */
function addressOf(body: Body): string {
  return addressKey(nameOf(body)).slice(1);
}

/** Orders by when it was installed, the newest first; last, what does not say that. */
function timeKey({ entry }: Body, knownMs: number): string {
  const seconds = secondsOf((entry as Body).install_time);
  const timeMs = believed(Math.min(seconds * 1_000, Number.MAX_SAFE_INTEGER), knownMs);
  return (Number.MAX_SAFE_INTEGER - Math.floor(timeMs)).toString(36).padStart(11, '0');
}
