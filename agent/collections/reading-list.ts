// Pages that a user wants to read, in the form that Firefox's reading list had on its server: url,
// title and their `resolved_` ones, excerpt, who added it and when, the flags unread, favorite and
// archived, who marked it as read and when, how far it was read. What only one side has changed is
// as it says. Where both have: an article was read as far as it was on either; it was added when it
// was added first; it was marked as read by whoever did so first, where both did; of everything
// else the later change stays, and at the same age the server's. So it is where one side has
// deleted what the other has changed. What a record does not say is the form's default, so what two
// devices have added apart is merged like that, too.
// Source: mozilla-services/readinglist, docs/model.rst and views/article.py.

import { ARTICLE_TITLE_CHARS_MAX, ARTICLE_URL_CHARS_MAX } from '../limits.ts';
import type { Body, Collection, MergeDecision, MergeInput, Prepared } from './collection.ts';
import {
  addressKey,
  addressPrefix,
  chooseId,
  complaintOfEdit,
  countOf,
  hasSameMembers,
  isLocalYounger,
  isOlderThanAgreed,
  overOlder,
  refuse,
  shortId,
  withIdFirst,
  youngerWins,
} from './members.ts';
import { NO_RECORD_ID } from './record-id.ts';
import { mergedMembers, type Sides } from './three-way.ts';

/** What the form says of an article of which nothing else is said. */
const DEFAULTS: Body = {
  excerpt: '',
  archived: false,
  favorite: false,
  unread: true,
  is_article: true,
  read_position: 0,
  marked_read_by: null,
  marked_read_on: null,
  word_count: null,
};
/** Of the program that adds it, where its app does not say. */
const ADDED_BY = 'Kitsync';
type Kind = 'address' | 'title' | 'text' | 'flag' | 'count';
/** What an edit may say of each member; one with a `?` may be null, too. */
const FORM: readonly (readonly [name: string, kind: Kind | `${Kind}?`])[] = [
  ['url', 'address'],
  ['resolved_url', 'address?'],
  ['preview', 'address?'],
  ['title', 'title?'],
  ['resolved_title', 'title?'],
  ['excerpt', 'text'],
  ['added_by', 'text'],
  ['marked_read_by', 'text?'],
  ['archived', 'flag'],
  ['favorite', 'flag'],
  ['unread', 'flag'],
  ['is_article', 'flag'],
  ['word_count', 'count?'],
  ['added_on', 'count'],
  ['marked_read_on', 'count?'],
  ['read_position', 'count'],
];
/** Spaces around these are nobody's. */
const TRIMMED = FORM.filter(([, kind]) => /address|title/.test(kind)).map(([name]) => name);
const MARKS = ['marked_read_by', 'marked_read_on'];
const ADDRESS = /^[a-z][a-z0-9+.-]*:\S+$/i;

export const readingList: Collection = {
  name: 'reading-list',
  letter: 'r',
  // Its addresses are its index.
  sealed: false,
  evictable: false,

  check,
  isEmpty: () => false,

  index: (body) => [addressKey(addressOf(body))],
  things: {
    key: (body) => addressKey(addressOf(body)),
    same: (a, b) => addressOf(a) === addressOf(b),
    unite: (newer, older) => ({ ...united(newer, {}, older, true), id: newer.id }),
  },
  addressPrefix,
  matches: (body, prefix) => addressOf(body).startsWith(prefix),

  merge,
  outgoing: withIdFirst,
  prepare,
  newId: shortId,
  view,
};

function view(id: string, { id: _, ...body }: Body): Body {
  const resolved_url = addressOf(body);
  const resolved_title = body.resolved_title ?? body.title;
  return { ...whole(body), resolved_url, resolved_title, guid: id };
}

function check({ url, resolved_url = null }: Body): string | null {
  if (typeof url !== 'string' || url === '') return 'url: not a text';
  return resolved_url === null || typeof resolved_url === 'string'
    ? null
    : 'resolved_url: not a text';
}

function merge(arrived: MergeInput): MergeDecision {
  const input = isOlderThanAgreed(arrived) ? overOlder(arrived) : arrived;
  const { local, mirror, incoming } = input;
  if (!local?.body || !incoming.body) return youngerWins(arrived);
  const { id = local.body.id } = incoming.body;
  const theirs = whole({ ...incoming.body, id });
  const merged = united(local.body, mirror?.body ?? {}, theirs, isLocalYounger(input));
  const sent: Body = { ...merged, id };
  return { mirror: 'asIs', local: hasSameMembers(sent, theirs) ? 'none' : sent };
}

/** `isMine`: of what both have changed in their own ways, mine is the later one. */
function united(mine: Body, base: Body, theirs: Body, isMine: boolean): Body {
  const later = ({ mine, theirs }: Sides): unknown => (isMine ? mine : theirs);
  const first = ({ mine, theirs }: Sides): unknown =>
    (countOf(mine) ?? Number.MAX_VALUE) < (countOf(theirs) ?? Number.MAX_VALUE) ? mine : theirs;
  const [ours, agreed, others] = [whole(mine), whole(base), whole(theirs)];
  const merged = mergedMembers(ours, agreed, others, (name, sides) => {
    if (name === 'added_on') return first(sides);
    if (name !== 'read_position') return later(sides);
    return Math.max(countOf(sides.mine) ?? 0, countOf(sides.theirs) ?? 0);
  });
  return { ...merged, ...marksOf(merged, mine, theirs) };
}

/** With what the form says where a record does not. */
function whole(body: Body): Body {
  return { ...DEFAULTS, ...body };
}

/** Who marked the article as read, and when: whoever did first, of those that say it is read. */
function marksOf(merged: Body, mine: Body, theirs: Body): Body {
  if (merged.unread !== false) {
    return merged.marked_read_on == null ? {} : { marked_read_by: null, marked_read_on: null };
  }
  const [one, other = one] = [mine, theirs].filter(
    ({ unread, marked_read_on }) => unread === false && countOf(marked_read_on) !== null,
  );
  const isOther = Number(countOf(other?.marked_read_on)) < Number(countOf(one?.marked_read_on));
  return Object.fromEntries(
    Object.entries((isOther ? other : one) ?? {}).filter(([name]) => MARKS.includes(name)),
  );
}

/** An edit, by the rules that the form's own server had. */
function prepare(input: Body, existing: Body | null, newId: string, nowMs: number): Prepared {
  const { guid, deleted, ...members } = input;
  const id = chooseId(input, existing, newId);
  if (id === null) return refuse(`id: ${NO_RECORD_ID}`);
  const { url, ...others } = trimmed(members);
  // Who knows it by the address where it was found in the end has named the same one.
  const isKnown = url === undefined || (existing !== null && url === addressOf(existing));
  const given: Body = isKnown ? others : { ...others, url };
  const before: Body = existing ?? { ...DEFAULTS, added_on: nowMs, added_by: ADDED_BY };
  const body: Body = { ...before, ...given, ...readBy(given, before, nowMs), id };
  const complaint = complaintOfEdit(check, existing, body) ?? complaintOfNew(given, before);
  return complaint === null ? { ok: true, id, body } : refuse(complaint);
}

/** What follows from an edit of how far the article was read, and whether. */
function readBy(given: Body, before: Body, nowMs: number): Body {
  const { unread = true } = before;
  if (given.unread === true && unread === false) {
    return { marked_read_by: null, marked_read_on: null, read_position: 0 };
  }
  const known = countOf(before.read_position) ?? 0;
  const further = given.read_position === undefined ? {} : furthest(given.read_position, known);
  if (given.unread !== false) return further;
  // Whoever was first has marked it.
  if (unread === false) {
    const { marked_read_by = null, marked_read_on = null } = before;
    return { ...further, marked_read_by, marked_read_on };
  }
  const { marked_read_by = ADDED_BY, marked_read_on = nowMs } = given;
  return { ...further, marked_read_by, marked_read_on };
}

/** What is no count stays as it was given, to be refused. */
function furthest(given: unknown, known: number): Body {
  const isCount = typeof given === 'number' && countOf(given) === given;
  return { read_position: isCount ? Math.max(given, known) : given };
}

/** What is wrong with the members that an edit gives. */
function complaintOfNew(given: Body, before: Body): string | null {
  const { url = given.url } = before;
  if (given.url !== undefined && given.url !== url) return 'url: not that of this article';
  for (const [name, kind] of FORM) {
    const value = new Map(Object.entries(given)).get(name);
    if (value === undefined || (value === null && kind.endsWith('?'))) continue;
    const complaint = complaintOf(value, kind.replace('?', '') as Kind);
    if (complaint !== null) return `${name}: ${complaint}`;
  }
  return null;
}

function complaintOf(value: unknown, kind: Kind): string | null {
  if (kind === 'flag') return typeof value === 'boolean' ? null : 'neither true nor false';
  if (kind === 'count') return countOf(value) === value ? null : 'not a count';
  if (typeof value !== 'string') return 'not a text';
  if (kind === 'text') return null;
  const max = kind === 'address' ? ARTICLE_URL_CHARS_MAX : ARTICLE_TITLE_CHARS_MAX;
  if (value.length > max) return `${value.length} characters, it may have ${max}`;
  return kind === 'title' || ADDRESS.test(value) ? null : 'not an address';
}

function trimmed(members: Body): Body {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [
      name,
      TRIMMED.includes(name) && typeof value === 'string' ? value.trim() : value,
    ]),
  );
}

/** Where it was found in the end: what it is known by. */
function addressOf({ url, resolved_url }: Body): string {
  return `${resolved_url || url}`;
}
