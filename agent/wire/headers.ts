// Reading a server's headers, which may hold anything: every number is checked and every wait is
// bounded. Pure. A value that cannot be read counts as absent; of several numbers the largest
// counts.

import type { Header } from '../../platform/ports.ts';
import { STAMP_MS_MAX } from '../limits.ts';
import { clampWait } from '../schedule/backoff.ts';

/**
 * The first header of that (lower-case) name, or null; one that a proxy has doubled (`a, a`) counts
 * once.
 */
export function header(headers: readonly Header[], name: string): string | null {
  // Taking a pair apart would cost an interpreter twice as much as all the rest.
  for (const one of headers) if (one[0] === name) return undoubled(one[1]);
  return null;
}

function undoubled(text: string): string {
  const end = text.length / 2 - 1;
  return text === `${text.slice(0, end)}, ${text.slice(0, end)}` ? text.slice(0, end) : text;
}

/**
 * The largest of the numbers that a header of that name says, null if there is none: proxies repeat
 * headers, in a line of its own or behind a comma. `read` makes a number of one value, or null.
 */
function largest(
  headers: readonly Header[],
  name: string,
  read: (text: string) => number | null,
): number | null {
  let most: number | null = null;
  for (const one of headers) {
    if (one[0] !== name) continue;
    const whole = read(one[1].trim());
    const values = whole === null ? valuesOf(one[1]).map((text) => read(text.trim())) : [whole];
    for (const value of values) if (value !== null && !(value <= (most ?? -1))) most = value;
  }
  return most;
}

/** A date has a comma of its own. */
const VALUES = /\s*(?:[A-Z][a-z]{2}, )?[^,]+/g;

function valuesOf(text: string): string[] {
  if (!text.includes(',')) return [text];
  const values = text.match(VALUES) ?? [];
  // A comma inside a number is one of decimals, unless it stands between equals.
  const isOne = /,\S/.test(text) && values.some((value) => value !== values[0]);
  return isOne ? [text] : values;
}

/**
 * Seconds (`Backoff`, `Retry-After`) or an HTTP date, as a bounded wait in
 * milliseconds; 0 for none.
 */
export function waitHeader(headers: readonly Header[], name: string, nowMs: number): number {
  const waitMs = largest(headers, name, (text) => {
    const seconds = decimal(text);
    if (seconds !== null) return seconds * 1000;
    const dateMs = httpDateMs(text);
    return dateMs === null ? null : dateMs - nowMs;
  });
  return waitMs !== null && waitMs > 0 ? clampWait(waitMs) : 0;
}

/**
 * A quoted entity tag of milliseconds: `"1442849065120"`. Null if it is anything else.
 */
export function etagMs(headers: readonly Header[]): number | null {
  return largest(headers, 'etag', (text) => {
    const match = /^(?:W\/)?"(\d{1,15})"$/.exec(text);
    const stampMs = Number(match?.[1] ?? Number.NaN);
    return stampMs <= STAMP_MS_MAX ? stampMs : null;
  });
}

/** A plain non-negative number, or null. */
export function decimalHeader(headers: readonly Header[], name: string): number | null {
  return largest(headers, name, decimal);
}

function decimal(text: string): number | null {
  return /^\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : null;
}

/** A header of decimal seconds as whole milliseconds, or null. */
export function headerMs(headers: readonly Header[], name: string): number | null {
  return largest(headers, name, (text) => secondsMs(decimal(text)));
}

/** `Date` as milliseconds since 1970, or null. */
export function dateHeaderMs(headers: readonly Header[]): number | null {
  return largest(headers, 'date', httpDateMs);
}

/**
 * Decimal seconds of a server as whole milliseconds, or null for what is no time before the
 * year 3000. Rounded: 1388635807.41 seconds times 1000 falls short of the integer in floating
 * point.
 */
export function secondsMs(seconds: unknown): number | null {
  const ms = typeof seconds === 'number' ? Math.round(seconds * 1000) : -1;
  return ms >= 0 && ms <= STAMP_MS_MAX ? ms : null;
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const HTTP_DATE = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;

/** An IMF-fixdate (RFC 9110 5.6.7) as milliseconds since 1970, or null. */
export function httpDateMs(text: string): number | null {
  const match = HTTP_DATE.exec(text);
  if (match === null) return null;
  const month = MONTHS.indexOf(match[2] ?? '') / 3;
  if (!Number.isInteger(month) || month < 0) return null;
  const [day = 0, , year = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return ((daysBefore(year, month) + day - 1) * 86_400 + hour * 3600 + minute * 60 + second) * 1000;
}

/** Days from 1970 to the first of a month (0 to 11) in the Gregorian calendar. */
function daysBefore(year: number, month: number): number {
  // Years that begin in March put the leap day at their end.
  const shifted = year * 12 + month - 2;
  const y = Math.floor(shifted / 12);
  const m = shifted - y * 12;
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leapDays + Math.floor((m * 306 + 5) / 10) - 719_468;
}
