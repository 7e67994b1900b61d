// Browsing history as Firefox syncs it: one record per page, with its title and its newest visits.
// Visits only ever unite: no merge loses one (the newest are kept when there are too many). Their
// dates stay in microseconds, although Firefox cuts those it receives to milliseconds. Members and
// visits that it does not understand travel along untouched.

import { VISITS_UP_MAX } from '../limits.ts';
import type { Body, Collection, MergeDecision, MergeInput, Prepared } from './collection.ts';
import {
  addressKey,
  addressPrefix,
  believed,
  chooseId,
  complaintOfEdit,
  editedOver,
  FIRST_MS,
  hasSameMembers,
  isLocalYounger,
  refuse,
  shortId,
  withIdFirst,
} from './members.ts';

/** Visits of a page kept by a merge, unless one side alone has more: five uploads' worth. */
export const VISITS_KEPT_MAX = 100;

const URL_CHARS_MAX = 65_536;
/** Firefox cuts longer ones. */
const TITLE_CHARS_MAX = 4_096;
const VISITS_PUT_MAX = 1_000;
/** Firefox's transition types: link 1 to reload 9. */
const VISIT_TYPE_MAX = 9;
/** Other clients drop what is older. It also tells milliseconds apart. */
const FIRST_VISIT_US = FIRST_MS * 1000;

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
/** Firefox's, or what stands for an id where a remote hashes all of them. */
const PAGE_ID = /^([\w-]{12}|h-[\w-]{43})$/;

/** `date` in microseconds since 1970. */
interface Visit {
  readonly date: number;
  readonly type: number;
}

export const history: Collection = {
  name: 'history',
  letter: 'h',
  sealed: false,
  evictable: true,

  check,

  isEmpty: (body) => newestDate(body) === 0,

  index: (body, knownMs) => [
    `d${(Number.MAX_SAFE_INTEGER - orderDate(body, knownMs)).toString(36).padStart(11, '0')}`,
    addressKey(urlOf(body)),
  ],

  things: {
    key: (body) => addressKey(urlOf(body)),
    same: isSamePage,
    clock: orderDate,
    unite: (newer, older) => ({
      ...newer,
      title: newer.title || older.title,
      visits: uniteVisits(visitsOf(older), visitsOf(newer)),
    }),
  },
  addressPrefix,
  matches: (body, prefix) => urlOf(body).startsWith(prefix),

  merge,
  outgoing,

  prepare,

  newId: shortId,

  view: (id, body) => ({
    guid: id,
    url: body.histUri,
    title: body.title ?? '',
    visits: newestFirst(visitsOf(body)).map(({ date, type }) => ({ date, type })),
  }),
};

function check(body: Body): string | null {
  const { histUri, title, visits } = body;
  if (typeof histUri !== 'string' || !SCHEME.test(histUri)) return 'histUri: not a URL';
  if (histUri.length > URL_CHARS_MAX) return `histUri: longer than ${URL_CHARS_MAX} characters`;
  if (typeof (title ?? '') !== 'string') return 'title: not a string';
  if (!Array.isArray(visits)) return 'visits: not a list';
  return null;
}

function merge(input: MergeInput): MergeDecision {
  const { local, mirror, incoming, epoch } = input;
  const theirs = incoming.body;
  const agreed = mirror?.body;
  // However late it was written: what was agreed on, or less of it, is no news.
  const isAsAgreed =
    local &&
    agreed &&
    theirs &&
    hasSameMembers(
      { ...agreed, ...theirs, visits: uniteVisits(visitsOf(theirs), visitsOf(agreed)) },
      agreed,
    );
  const ifYounger = isAsAgreed || isLocalYounger(input) ? 'keep' : 'none';
  if (theirs === null) return { mirror: null, local: local?.body ? ifYounger : 'none' };

  const mine = local ? local.body : agreed;
  // Another page under the same id is no edit of ours: ids are random, and pages keep theirs for
  // life.
  if (!mine || !isSamePage(mine, theirs)) {
    return { mirror: 'asIs', local: mine === null ? ifYounger : 'none' };
  }

  const visits = uniteVisits(visitsOf(mine), visitsOf(theirs));
  const isUnsent = local ?? mirror?.epoch !== epoch;
  const title = isUnsent && laterTitle(mine, theirs, ifYounger === 'keep');
  const members = editedOver(mine, agreed, theirs, false);
  const united: Body = { ...mine, ...members, ...(title ? { title } : {}), visits };
  if (isUnsent && !hasSameMembers(outgoing('', united), outgoing('', theirs))) {
    return { mirror: 'asIs', local: united };
  }
  return { mirror: hasSameMembers(united, theirs) ? 'asIs' : united, local: 'none' };
}

/**
 * The title of the later visit, or of the younger change of the same one; having one counts more
 * than having none.
 */
function laterTitle(mine: Body, theirs: Body, isMineYounger: boolean): unknown {
  const byVisit = newestDate(mine) - newestDate(theirs);
  return byVisit > 0 || (byVisit === 0 && isMineYounger)
    ? mine.title || theirs.title
    : theirs.title || mine.title;
}

/**
 * All visits of both, newest first, then what in `theirs` is no visit. Equal date and type is one
 * visit, and so is one that was cut to milliseconds: the precise one stays. Members that both have
 * are those of `theirs`.
 */
function uniteVisits(mine: readonly unknown[], theirs: readonly unknown[]): readonly unknown[] {
  const united: Visit[] = [];
  let millisecond = 0;
  const atType = new Map<number, number>();
  for (const visit of newestFirst([...mine, ...theirs])) {
    if (Math.floor(visit.date / 1000) !== millisecond) {
      millisecond = Math.floor(visit.date / 1000);
      atType.clear();
    }
    // Sorted by date, so a cut date comes after the precise ones of its millisecond.
    const at = atType.get(visit.type) ?? -1;
    const known = united[at];
    if (known?.date === visit.date) united[at] = overlay(known, visit);
    else if (known && visit.date % 1000 === 0) united[at] = overlay(visit, known);
    else atType.set(visit.type, united.push(visit) - 1);
  }
  const countMax = Math.max(VISITS_KEPT_MAX, mine.length, theirs.length);
  return [...united.slice(0, countMax), ...theirs.filter((visit) => !isVisit(visit))];
}

/**
 * `upper` with the members that only `lower` has; `upper` itself, order and all, if there are none.
 */
function overlay(lower: Visit, upper: Visit): Visit {
  // Nearly all have their date and type and no more.
  if (Object.keys(lower).length === 2) return upper;
  const both = { ...lower, ...upper };
  return Object.keys(both).length === Object.keys(upper).length ? upper : both;
}

function outgoing(id: string, body: Body): Body {
  return { ...withIdFirst(id, body), visits: upVisits(body) };
}

function upVisits(body: Body): readonly unknown[] {
  const visits = visitsOf(body);
  const others = visits.filter((visit) => !isVisit(visit));
  return [...newestFirst(visits).slice(0, VISITS_UP_MAX), ...others];
}

function prepare(input: Body, existing: Body | null, newId: string, nowMs: number): Prepared {
  const { guid, url, deleted, ...members } = input;
  const id = chooseId(input, existing, newId);
  if (id === null || !(existing || PAGE_ID.test(id))) {
    return refuse('id: not 12 base64url characters');
  }
  const given = (members.visits ?? []) as readonly unknown[];
  const known = existing ? visitsOf(existing) : [];
  const complaint = checkPut(given, known);
  if (complaint !== null) return refuse(complaint);
  let visits = given.length > 0 ? uniteVisits(given, known) : known;
  if (!visits.some(isVisit)) {
    if (nowMs * 1000 < FIRST_VISIT_US) {
      return refuse('visits: none, and the device does not know the time');
    }
    visits = [{ date: nowMs * 1000, type: 1 }, ...visits];
  }
  const isTitled = existing === null || members.title !== undefined;
  const body: Body = {
    ...existing,
    ...members,
    id,
    histUri: members.histUri ?? url ?? existing?.histUri,
    ...(isTitled ? { title: cutTitle(members.title) ?? '' } : {}),
    visits,
  };
  if (existing && !isSamePage(existing, body)) return refuse('url: not that of this record');
  const bad = complaintOfEdit(check, existing, body);
  return bad === null ? { ok: true, id, body } : refuse(bad.replace('histUri', 'url'));
}

/** Visits that the page has already are not the edit's. */
function checkPut(visits: unknown, known: readonly unknown[]): string | null {
  if (!Array.isArray(visits)) return 'visits: not a list';
  const seen = new Set(known.filter(isVisit).map(visitKey));
  let added = 0;
  for (const [at, visit] of visits.entries()) {
    if (isVisit(visit) && seen.has(visitKey(visit))) continue;
    if (++added > VISITS_PUT_MAX) return `visits: more than ${VISITS_PUT_MAX}`;
    if (!isVisit(visit) || visit.date < FIRST_VISIT_US) {
      return `visits[${at}]: needs an integer type, and a date in microseconds after January 1993`;
    }
    if (visit.type < 1 || visit.type > VISIT_TYPE_MAX) {
      return `visits[${at}].type: not 1 to ${VISIT_TYPE_MAX}`;
    }
  }
  return null;
}

function visitKey({ date, type }: Visit): string {
  return `${date} ${type}`;
}

/** Cut as Firefox does, but not through a surrogate pair. */
function cutTitle(title: unknown): unknown {
  if (typeof title !== 'string' || title.length <= TITLE_CHARS_MAX) return title;
  return title.slice(0, TITLE_CHARS_MAX).replace(/[\ud800-\udbff]$/, '');
}

function isSamePage(a: Body, b: Body): boolean {
  return a.histUri === b.histUri;
}

function urlOf(body: Body): string {
  return body.histUri as string;
}

function visitsOf(body: Body): readonly unknown[] {
  return body.visits as readonly unknown[];
}

function isVisit(value: unknown): value is Visit {
  if (typeof value !== 'object' || value === null) return false;
  const { date, type } = value as Partial<Visit>;
  return Number.isSafeInteger(date) && (date as number) > 0 && Number.isInteger(type);
}

function newestFirst(visits: readonly unknown[]): Visit[] {
  return visits.filter(isVisit).sort((a, b) => b.date - a.date || a.type - b.type);
}

/**
 * That of the newest visit, unless it lies in the future of the clock that knew it last. A clock
 * may know nothing.
 */
function orderDate(body: Body, knownMs: number): number {
  const newest = newestDate(body);
  const newestMs = Math.floor(newest / 1000);
  return believed(newestMs, knownMs) < newestMs ? Math.floor(knownMs) * 1000 : newest;
}

/** Microseconds; 0 without any visit. */
function newestDate(body: Body): number {
  let newest = 0;
  for (const visit of visitsOf(body)) {
    if (isVisit(visit) && visit.date > newest) newest = visit.date;
  }
  return newest;
}
