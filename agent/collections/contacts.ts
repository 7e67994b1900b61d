// People and how to reach them: what a vCard says, property by property (contact-card.ts), and when
// that was changed. Two devices' changes are merged by contact-merge.ts; a change on either side
// outlives a deletion on the other. What another client has beside the card travels along. No index
// entry holds anything of a contact.

import { isObject } from '../../crypto/engine.ts';
import type { Body, Collection, MergeDecision, MergeInput, Prepared } from './collection.ts';
import {
  cardOf,
  complaintOfCard,
  isLikelySamePerson,
  isSameCard,
  isSamePerson,
  nameIn,
  type Property,
} from './contact-card.ts';
import { mergeCards } from './contact-merge.ts';
import {
  believed,
  changeOutlivesDeletion,
  chooseId,
  complaintOfEdit,
  countOf,
  FIRST_MS,
  hashKey,
  hasSameMembers,
  isLocalYounger,
  isOlderThanAgreed,
  isSameValue,
  overOlder,
  refuse,
  shortId,
  withIdFirst,
} from './members.ts';
import { NO_RECORD_ID } from './record-id.ts';

export const contacts: Collection = {
  name: 'contacts',
  letter: 'v',
  sealed: true,
  evictable: false,
  packed: true,

  check: (body) => complaintOfCard(body.card),
  isEmpty: () => false,

  index: (body) => [nameKey(body)],
  things: {
    key: nameKey,
    same: (a, b) => isSamePerson(cardOf(a), cardOf(b)),
    isDupe: (a, b) => isLikelySamePerson(cardOf(a), cardOf(b)),
    clock: (body, knownMs) => believed(changedMs(body), knownMs),
  },
  addressPrefix: () => 'u',
  matches: (body, prefix) => nameIn(cardOf(body)).startsWith(prefix),

  merge,
  outgoing: withIdFirst,
  prepare,
  newId: shortId,
  view: (id, body) => ({ guid: id, card: body.card, changedMs: countOf(body.changedMs) }),
};

function nameKey(body: Body): string {
  return `u${hashKey(nameIn(cardOf(body)))}`;
}

function merge(arrived: MergeInput): MergeDecision {
  const input = isBeforeAgreed(arrived) ? overOlder(arrived) : arrived;
  const base = input.mirror?.body ?? null;
  return changeOutlivesDeletion(input, hasSameContents, (mine, theirs) => {
    const merged = mergeBodies(mine, base, theirs, isLocalYounger(input));
    return { mirror: 'asIs', local: hasSameContents(merged, theirs) ? 'none' : merged };
  });
}

/** A server that has begun anew has what is older than what was agreed on with another. */
function isBeforeAgreed(input: MergeInput): boolean {
  const { mirror, incoming, epoch } = input;
  if (mirror === null || mirror.epoch === epoch || incoming.body === null) return false;
  const [agreedMs, theirsMs] = [changedMs(mirror.body), changedMs(incoming.body)];
  return agreedMs === theirsMs ? isOlderThanAgreed(input) : agreedMs > theirsMs;
}

function mergeBodies(mine: Body, base: Body | null, theirs: Body, isMineYounger: boolean): Body {
  const [own, old, other] = [mine, base ?? {}, theirs].map(membersBeside);
  const merged: [string, unknown][] = [];
  for (const name of new Map([...(other ?? []), ...(own ?? [])]).keys()) {
    const [mines, olds, others] = [own?.get(name), old?.get(name), other?.get(name)];
    const isTheirs = isSameValue(mines, olds) || mines === undefined;
    const isMine =
      isSameValue(others, olds) || (!isTheirs && (others === undefined || isMineYounger));
    const value = isMine ? mines : others;
    if (value !== undefined) merged.push([name, value]);
  }
  const card = mergeCards(cardOf(mine), base && cardOf(base), cardOf(theirs), isMineYounger);
  const laterMs = Math.max(changedMs(mine), changedMs(theirs));
  return {
    ...Object.fromEntries(merged),
    ...(theirs.id === undefined ? {} : { id: theirs.id }),
    ...(laterMs > 0 ? { changedMs: laterMs } : {}),
    card: Object.fromEntries(card),
  };
}

/** Members that are neither the card nor what is said of it. */
function membersBeside({ id: _, card, changedMs: __, ...members }: Body): Map<string, unknown> {
  return new Map(Object.entries(members));
}

/** The same but for the time, however the properties are ordered by name. */
function hasSameContents(a: Body, b: Body): boolean {
  const besides = { card: null, changedMs: null };
  return (
    hasSameMembers({ ...a, ...besides }, { ...b, ...besides }) && isSameCard(cardOf(a), cardOf(b))
  );
}

/**
 * An edit: `card` has the properties that it changes, by name (a list of all of that name; null or
 * an empty list: none); `add` is a card whose properties the contact shall have besides, and so is
 * the card of a new contact of somebody who is known already. `changedMs`: when that card was
 * changed; the later one counts for what a card has once.
 */
function prepare(
  input: Body,
  existing: Body | null,
  newId: string,
  nowMs: number,
  asked: string | null = newId,
): Prepared {
  const id = chooseId(input, existing, newId);
  if (id === null) return refuse(`id: ${NO_RECORD_ID}`);
  const { id: _, guid, deleted, card = {}, add, changedMs: givenMs, ...members } = input;
  const isKnown = existing !== null && asked === null;
  const [edit, more = {}] = isKnown && add === undefined ? [{}, card] : [card, add];
  if (!isObject(edit)) return refuse('card: not an object');
  const complaint = complaintOfCard(more)?.replace(/^card/, isKnown ? 'card' : 'add') ?? null;
  if (complaint !== null) return refuse(complaint);
  const before = (existing?.card ?? {}) as Body;
  const edited = Object.entries({ ...before, ...edit }).filter(
    ([, list]) => list !== null && !(Array.isArray(list) && list.length === 0),
  );
  const body: Body = { ...existing, ...members, id, card: Object.fromEntries(edited) };
  const wrong = complaintOfEdit((one) => complaintOfCard(one.card), existing, body);
  if (wrong !== null) return refuse(wrong);
  const isLater = (countOf(givenMs) ?? 0) > (existing === null ? 0 : changedMs(existing));
  const added = new Map<string, Property[]>(Object.entries(more as object));
  const whole = mergeCards(added, null, cardOf(body), isLater);
  if (whole.size === 0) return refuse('card: empty');
  const made = { ...body, card: Object.fromEntries(whole) };
  if (existing === null) return { ok: true, id, body: { ...made, ...firstTime(givenMs, nowMs) } };
  const time = hasSameContents(made, existing) ? {} : nextTime(existing, nowMs);
  return { ok: true, id, body: { ...made, ...time } };
}

function firstTime(givenMs: unknown, nowMs: number): Body {
  const timeMs = countOf(givenMs) || nowMs;
  return timeMs < FIRST_MS ? {} : { changedMs: timeMs };
}

/** Later than the one before, even when the device's clock went back. */
function nextTime(existing: Body, nowMs: number): Body {
  const timeMs = Math.max(nowMs, changedMs(existing) + 1);
  return timeMs < FIRST_MS ? {} : { changedMs: timeMs };
}

/** When the contact was last changed; 0: it does not say. */
function changedMs(body: Body): number {
  return countOf(body.changedMs) ?? 0;
}
