// Entity tags of collections, `SEQNUM-CHANGEID`, and the conditions that name them. They come bare,
// as the proposal shows them, or quoted, as HTTP wants them.

import { refusal } from './refusals.ts';

/** A collection's state. */
interface Head {
  readonly seqnum: number;
  readonly changeid: string;
}

interface Tag {
  /** Digits, for there is no telling how large it is. */
  readonly seqnum: string;
  readonly changeid: string;
  readonly isWeak: boolean;
}

/** `any`: the asterisk. Null: there is no such header. */
type Condition = readonly Tag[] | 'any' | null;

export interface Conditions {
  readonly match: Condition;
  readonly noneMatch: Condition;
}

/** Errors: HttpError 400. */
export function conditionsOf(headers: Headers): Conditions {
  return {
    match: conditionOf('If-Match', headers),
    noneMatch: conditionOf('If-None-Match', headers),
  };
}

/** Whether `If-Match` holds, which weak tags never match. */
export function isMatch({ match }: Conditions, head: Head): boolean {
  return match === null || match === 'any' || match.some((tag) => !tag.isWeak && isOf(tag, head));
}

/** Whether `If-None-Match` names the state. */
export function isNamed({ noneMatch }: Conditions, head: Head): boolean {
  return noneMatch === 'any' || (noneMatch?.some((tag) => isOf(tag, head)) ?? false);
}

function conditionOf(name: string, headers: Headers): Condition {
  const text = headers.get(name);
  if (text === null) return null;
  if (text.trim() === '*') return 'any';
  return text.split(',').map((part) => {
    const [, weak, , digits, changeid] = TAG.exec(part.trim()) ?? [];
    if (digits === undefined || changeid === undefined)
      throw refusal('bad-precondition', { header: name });
    return { seqnum: digits, changeid, isWeak: weak !== undefined };
  });
}

const TAG = /^(W\/)?("?)(\d+)-([A-Za-z0-9_-]{1,128})\2$/;

function isOf(tag: Tag, { seqnum, changeid }: Head): boolean {
  return tag.changeid === changeid && tag.seqnum.replace(/^0+(?=\d)/, '') === String(seqnum);
}
