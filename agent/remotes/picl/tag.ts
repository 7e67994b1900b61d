// The head of a log, and the entity tag that says it: `NUMBER-CHANGEID`, bare or quoted.

import type { Header } from '../../../platform/ports.ts';
import { header } from '../../wire/headers.ts';
import { GENESIS } from './scheme.ts';
import { violation } from './violation.ts';

/** The last change of a log. */
export interface Head {
  readonly seqnum: number;
  readonly changeid: string;
}

/** Of a log that was never written. */
export const NO_CHANGES: Head = { seqnum: 0, changeid: GENESIS };

export interface Tag extends Head {
  readonly isQuoted: boolean;
}

/**
 * Null: it is none. Errors: `badResponse` (`unsafeSeqnum`) for a number that would be rounded.
 */
export function tagOf(text: string | null): Tag | null {
  const [, mark, digits = '', changeid = ''] = TAG.exec(text?.trim() ?? '') ?? [];
  if (mark === undefined) return null;
  return { seqnum: safeSeqnum(Number(digits)), changeid, isQuoted: mark !== '' };
}

/** Errors: as `tagOf`. */
export function tagIn(headers: readonly Header[]): Tag | null {
  return tagOf(header(headers, 'etag'));
}

/** As a condition names it, in the server's own way. */
export function tagText({ seqnum, changeid }: Head, isQuoted: boolean): string {
  const tag = `${seqnum}-${changeid}`;
  return isQuoted ? `"${tag}"` : tag;
}

export function isSameHead(one: Head, other: Head): boolean {
  return one.seqnum === other.seqnum && one.changeid === other.changeid;
}

/** Nothing was ever written. */
export function isEmptyLog({ seqnum, changeid }: Head): boolean {
  return seqnum === 0 && changeid === GENESIS;
}

/** Errors: `badResponse` (`unsafeSeqnum`). */
export function safeSeqnum(seqnum: number): number {
  if (Number.isSafeInteger(seqnum)) return seqnum;
  throw violation('unsafeSeqnum', 'a seqnum is past 2^53 - 1');
}

/** A change id may have hyphens: the first one ends the number. */
const TAG = /^(?:W\/)?("?)(\d{1,64})-([A-Za-z0-9_-]{1,128})\1$/;
