// Saved logins as Firefox syncs them: one record per origin, target and user name.
// Two devices' changes are merged member by member against what they last agreed on; a deletion on
// the server is final, and a deletion here gives way to a change there, so that no password is lost
// that somebody just typed. No index entry holds anything but the origin.

import type { Body, Collection, MergeDecision, MergeInput, Prepared } from './collection.ts';
import {
  addressKey,
  addressPrefix,
  believed,
  chooseId,
  complaintOfEdit,
  countOf,
  hasSameMembers,
  isLocalYounger,
  isSameValue,
  refuse,
  withIdFirst,
} from './members.ts';
import { NO_RECORD_ID } from './record-id.ts';

/** Firefox's own account is stored as a login too; it never leaves a device. */
const ACCOUNT_ORIGIN = 'chrome://FirefoxAccounts';

const PLAIN_TEXTS = ['hostname', 'formSubmitURL', 'httpRealm', 'usernameField', 'passwordField'];
const TEXTS = [...PLAIN_TEXTS, 'username', 'password'];
const TIMES = ['timeCreated', 'timeLastUsed', 'timePasswordChanged'];
const KNOWN = [...TEXTS, ...TIMES, 'timesUsed'];

/** Scheme and host of a URL, without what stands before an `@`. */
const ORIGIN = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?([^/?#@]+)/i;

export const passwords: Collection = {
  name: 'passwords',
  letter: 'p',
  sealed: true,
  evictable: false,

  check,
  isEmpty: () => false,

  index: (body) => [addressKey(originOf(body))],
  things: {
    key: (body) => addressKey(originOf(body)),
    same: (a, b) => isDupe(a, b) && (a.formSubmitURL ?? null) === (b.formSubmitURL ?? null),
    isDupe,
    clock: (body, knownMs) => believed(timeOf(body.timePasswordChanged), knownMs),
  },
  addressPrefix,
  matches: (body, prefix) => originOf(body).startsWith(prefix),

  merge,
  outgoing: withIdFirst,
  prepare,
  newId,

  view: (id, body) => ({
    guid: id,
    origin: body.hostname,
    formActionOrigin: body.formSubmitURL ?? null,
    httpRealm: body.httpRealm ?? null,
    username: body.username ?? null,
    password: body.password,
    usernameField: body.usernameField ?? null,
    passwordField: body.passwordField ?? null,
    timeCreated: countOf(body.timeCreated),
    timePasswordChanged: countOf(body.timePasswordChanged),
    timeLastUsed: countOf(body.timeLastUsed),
    timesUsed: countOf(body.timesUsed),
  }),
};

/** Lenient: what a login lacks besides origin and password, other clients cope with. */
function check(body: Body): string | null {
  for (const name of TEXTS) {
    if (typeof (body[name] ?? '') !== 'string') return `${name}: not a string`;
  }
  if (!body.hostname) return 'hostname: empty';
  if (!body.password) return 'password: empty';
  if (originOf(body).startsWith(ACCOUNT_ORIGIN))
    return 'hostname: the account itself is not synced';
  return null;
}

/**
 * As Firefox has it, where a form on any page (`''`) is the same target as one on a certain page.
 */
function isDupe(a: Body, b: Body): boolean {
  const formA = a.formSubmitURL ?? null;
  const formB = b.formSubmitURL ?? null;
  return (
    a.hostname === b.hostname &&
    (a.username || '') === (b.username || '') &&
    (a.httpRealm || '') === (b.httpRealm || '') &&
    (formA === formB || (formA !== null && formB !== null && !(formA && formB)))
  );
}

function merge(input: MergeInput): MergeDecision {
  const { local, mirror, incoming, epoch } = input;
  const theirs = incoming.body;
  if (theirs === null) return { mirror: null, local: 'none' };
  // What another server once had is as good as never sent.
  const mine = local ?? (mirror?.epoch === epoch ? null : mirror);
  let sent: MergeDecision['local'] = 'none';
  if (mine?.body === null) {
    // Without a mirror it may be this device's own upload, whose answer was lost.
    const isUnchanged = mirror ? hasSameMembers(mirror.body, theirs) : isLocalYounger(input);
    if (isUnchanged) sent = 'keep';
    // Equal sides include our own upload whose answer was lost: its uses are not counted twice.
  } else if (mine?.body && !hasSameMembers(mine.body, theirs)) {
    // An older password than the one agreed on is a version before that.
    const isBefore =
      mirror?.epoch !== epoch && mirror && isPasswordLater(mirror.body, theirs, false);
    const merged =
      local && mirror
        ? mergeThree(mine.body, isBefore ? theirs : mirror.body, theirs, isLocalYounger(input))
        : mergeTwo(mine.body, theirs, isLocalYounger(input));
    if (!hasSameMembers(merged, theirs)) sent = merged;
  }
  return { mirror: 'asIs', local: sent };
}

/**
 * Member by member: the side that changed it, and where both did, the later password, else the
 * younger change.
 */
function mergeThree(mine: Body, base: Body, theirs: Body, isMineYounger: boolean): Body {
  const isMineLater = isPasswordLater(mine, theirs, isMineYounger);
  const [ours, agreed, others] = [membersOf(mine), membersOf(base), membersOf(theirs)];
  const pick = (name: string): unknown => {
    const [own, old, other] = [ours.get(name), agreed.get(name), others.get(name)];
    if (!isSaid(name, other)) return own ?? other;
    if (!isSaid(name, own)) return other;
    if (name === 'timesUsed') return Math.max(0, timeOf(own) + timeOf(other) - timeOf(old));
    if (isSameValue(own, old)) return other;
    const isOfPassword = name === 'password' || name === 'timePasswordChanged';
    const isMine = isOfPassword ? isMineLater : isMineYounger;
    return isMine || isSameValue(other, old) ? own : other;
  };
  const names = Object.keys({ ...theirs, ...mine });
  const merged: Body = Object.fromEntries(names.map((name) => [name, pick(name)]));
  // One side made it a form's login, the other a realm's: a login has one target.
  const isNew = isBothTargets(merged) && !isBothTargets(base);
  return isNew ? { ...merged, httpRealm: null } : merged;
}

/**
 * Whether the password here is the later one; where neither is, whether the change here is the
 * younger.
 */
function isPasswordLater(mine: Body, theirs: Body, isMineYounger: boolean): boolean {
  const laterMs = timeOf(mine.timePasswordChanged) - timeOf(theirs.timePasswordChanged);
  return laterMs > 0 || (laterMs === 0 && isMineYounger);
}

/**
 * Without a common past the later password wins with all that belongs to it, then the younger
 * change; other members stay.
 */
function mergeTwo(mine: Body, theirs: Body, isMineYounger: boolean): Body {
  const isMineLater = isPasswordLater(mine, theirs, isMineYounger);
  const [known, unknown]: [[string, unknown][], [string, unknown][]] = [[], []];
  for (const member of Object.entries(mine)) {
    if (!KNOWN.includes(member[0])) unknown.push(member);
    else if (isMineLater && isSaid(...member)) known.push(member);
  }
  return { ...Object.fromEntries(unknown), ...theirs, ...Object.fromEntries(known) };
}

/** By name. An absent target is null: some clients leave it out, and mean it. */
function membersOf(body: Body): Map<string, unknown> {
  return new Map<string, unknown>([
    ...Object.entries(body),
    ['formSubmitURL', body.formSubmitURL ?? null],
    ['httpRealm', body.httpRealm ?? null],
  ]);
}

/** A client that leaves a member out, or a time at zero, does not know it; that is no change. */
function isSaid(name: string, value: unknown): boolean {
  return value !== undefined && !(TIMES.includes(name) && timeOf(value) === 0);
}

/** A time or count that can be used, else 0. */
function timeOf(value: unknown): number {
  return countOf(value) ?? 0;
}

function isBothTargets(body: Body): boolean {
  return (body.formSubmitURL ?? null) !== null && (body.httpRealm ?? null) !== null;
}

function prepare(input: Body, existing: Body | null, newId: string, nowMs: number): Prepared {
  const id = chooseId(input, existing, newId);
  if (id === null) return refuse(`id: ${NO_RECORD_ID}`);
  const body = withTexts(input, existing);
  const complaint = complaintOfEdit(check, existing, body) ?? checkPut(body, existing);
  if (complaint !== null) return refuse(inAppNames(complaint));
  return { ok: true, id, body: { ...body, id, ...completeTimes(body, existing, nowMs) } };
}

/** The edit laid over the existing record, under wire names. */
function withTexts(input: Body, existing: Body | null): Body {
  const { guid, deleted, origin, formActionOrigin, ...given } = input;
  const { hostname = origin, formSubmitURL = formActionOrigin, httpRealm, ...members } = given;
  const isNew = hostname != null && hostname !== existing?.hostname;
  return {
    ...(existing ?? { usernameField: '', passwordField: '', username: '' }),
    ...members,
    ...(isNew ? { hostname: toOrigin(hostname) } : {}),
    ...newTarget(formSubmitURL ?? null, httpRealm ?? null, existing),
  };
}

/**
 * A new target replaces the old one, whatever its kind; none, or the old one again, leaves it
 * alone.
 */
function newTarget(form: unknown, realm: unknown, existing: Body | null): Body {
  const isSet = (target: unknown, old: unknown): boolean => target !== null && target !== old;
  const isNew = isSet(form, existing?.formSubmitURL) || isSet(realm, existing?.httpRealm);
  if (existing !== null && !isNew) return {};
  const target = { formSubmitURL: toOrigin(form), httpRealm: realm };
  return realm === null ? target : { ...target, usernameField: '', passwordField: '' };
}

/** What Firefox refuses to store, where the edit is what says it. */
function checkPut(body: Body, existing: Body | null): string | null {
  const isEdited = (name: string): boolean =>
    existing === null || !isSameValue(body[name], existing[name]);
  if (isEdited('hostname') && !ORIGIN.test(originOf(body))) return 'hostname: not an origin';
  const hasOneTarget = !isBothTargets(body) && (body.formSubmitURL ?? body.httpRealm) != null;
  if (!hasOneTarget && (isEdited('formSubmitURL') || isEdited('httpRealm'))) {
    return 'formSubmitURL, httpRealm: exactly one is needed';
  }
  for (const name of TEXTS.filter(isEdited)) {
    const text = body[name] ?? '';
    const isPlain = PLAIN_TEXTS.includes(name);
    if ((isPlain ? /[\0\r\n]/ : /\0/).test(text as string)) {
      return `${name}: holds a NUL${isPlain ? ' or a line break' : ''}`;
    }
  }
  const isDot = body.usernameField === '.' && isEdited('usernameField');
  return isDot ? 'usernameField: a lone dot' : null;
}

/** A complaint with the names that apps have for what it speaks of. */
function inAppNames(complaint: string): string {
  return complaint.replace('hostname', 'origin').replace('formSubmitURL', 'formActionOrigin');
}

/**
 * A new login has all times. A changed password is later than the one before, even when the
 * device's clock went back; what else a login lacks or has in an odd form stays so.
 */
function completeTimes(body: Body, existing: Body | null, nowMs: number): Body {
  if (existing === null) {
    const [createdMs, usedMs, changedMs] = TIMES.map((name) => timeOf(body[name]) || nowMs);
    return {
      timeCreated: createdMs,
      timeLastUsed: usedMs,
      timePasswordChanged: changedMs,
      timesUsed: timeOf(body.timesUsed) || 1,
    };
  }
  const changedMs = timeOf(existing.timePasswordChanged);
  const isUsable = (name: string): boolean =>
    timeOf(body[name]) > 0 && !(name === 'timePasswordChanged' && changedMs > 0);
  const kept = [...TIMES, 'timesUsed'].filter((name) => name in existing && !isUsable(name));
  return {
    ...Object.fromEntries(kept.map((name) => [name, existing[name]])),
    ...(existing.password === body.password
      ? {}
      : { timePasswordChanged: Math.max(nowMs, changedMs + 1) }),
  };
}

/** A URL's origin; anything else as it is. A lone dot is Firefox's old word for any page. */
function toOrigin(url: unknown): unknown {
  if (typeof url !== 'string') return url;
  const [, scheme, host] = ORIGIN.exec(url) ?? [];
  if (host !== undefined) return `${scheme}${host}`;
  return url === '.' ? '' : url;
}

function originOf(body: Body): string {
  return body.hostname as string;
}

/** A random UUID (RFC 9562, version 4) in braces. */
function newId(random: Uint8Array): string {
  const hex = Array.from(random.subarray(0, 16), (byte, at) => {
    const bits = at === 6 ? (byte & 0x0f) | 0x40 : at === 8 ? (byte & 0x3f) | 0x80 : byte;
    return (bits + 0x100).toString(16).slice(1) + ([3, 5, 7, 9].includes(at) ? '-' : '');
  });
  return `{${hex.join('')}}`;
}
