// Which of two entries of one app stays: the one that was changed last; of two that were changed at
// once a deletion, else the one whose digest is larger. What comes out is the same in whichever
// order entries arrive, on every device and on every server. The text of the winner stays as it is,
// but that two live entries have the receipts of both.

import { isObject } from '../http.ts';
import { digestOf, type Entry } from './entry.ts';
import { membersIn, memberText } from './members.ts';
import { receiptsOf, united } from './receipts.ts';

/**
 * `held` is what is there. The text of the one that stays, or of the winner with the receipts of
 * both, if that has no more than `bytesMax` bytes in UTF-8.
 */
export function merged(held: Entry, posted: Entry, bytesMax: number): string {
  if (held.text === posted.text) return held.text;
  if (held.isWellFormed !== posted.isWellFormed) return held.isWellFormed ? held.text : posted.text;
  if (!held.isWellFormed) return carried(held, posted).text;
  const isNewer = beats(posted, held);
  const [winner, loser] = isNewer ? [posted, held] : [held, posted];
  return winner.isDeleted || loser.isDeleted ? winner.text : withReceipts(winner, loser, bytesMax);
}

/** Of what nobody takes for an app, who writes last is right, unless both say when that was. */
function carried(held: Entry, posted: Entry): Entry {
  if (held.seconds === null || posted.seconds === null) return posted;
  return posted.seconds > held.seconds ? posted : held;
}

/** Of two that are well-formed. Equal ones do not beat each other. */
function beats(one: Entry, other: Entry): boolean {
  const [seconds, otherSeconds] = [one.seconds ?? 0, other.seconds ?? 0];
  if (seconds !== otherSeconds) return seconds > otherSeconds;
  if (one.isDeleted !== other.isDeleted) return one.isDeleted;
  const [digest, otherDigest] = [digestOf(one), digestOf(other)];
  if (digest !== otherDigest) return digest > otherDigest;
  const isSame = !hasMore(one, other) && !hasMore(other, one);
  return !isSame && receiptsOf(dataOf(one)).rank > receiptsOf(dataOf(other)).rank;
}

/** Whether one has a receipt that the other has not. */
function hasMore(one: Entry, other: Entry): boolean {
  return united(dataOf(other), dataOf(one)) !== null;
}

function withReceipts(winner: Entry, loser: Entry, bytesMax: number): string {
  const data = united(dataOf(winner), dataOf(loser));
  if (data === null) return winner.text;
  const member = { name: 'install_data', text: JSON.stringify(data) };
  const members = membersIn(winner.text);
  const others = members.map((one) => (one.name === member.name ? member : one));
  const whole = others.includes(member) ? others : [...others, member];
  const text = `{${whole.map(memberText).join(',')}}`;
  return Buffer.byteLength(text) > bytesMax ? winner.text : text;
}

function dataOf({ value }: Entry): unknown {
  return isObject(value) ? value.install_data : undefined;
}
