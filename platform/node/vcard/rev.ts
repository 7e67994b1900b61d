// The time of a card, as its `REV` writes it.

import type { PropertyValue } from './card.ts';

const FORM = new RegExp(
  `^(\\d{4})-?(\\d\\d)-?(\\d\\d)(?:T(\\d\\d):?(\\d\\d)` +
    `(?::?(\\d\\d)(?:[.,](\\d{1,9}))?)?(Z|[+-]\\d\\d(?::?\\d\\d)?)?)?$`,
  'i',
);

/** Milliseconds of 1970; without a zone it is UTC. Null: it is no time. */
export function instantOf(value: PropertyValue): number | null {
  const found = typeof value === 'string' ? FORM.exec(value.trim()) : null;
  if (found === null) return null;
  const [, year, month, day, hour = '00', minute = '00', second = '00', part = '', zone] = found;
  const offset = /^[+-]/.test(zone ?? '') ? `${zone}`.replace(':', '').padEnd(5, '0') : '+0000';
  const time = `${hour}:${minute}:${second}.${part.slice(0, 3).padEnd(3, '0')}`;
  const there = `${offset.slice(0, 3)}:${offset.slice(3)}`;
  const timeMs = Date.parse(`${year}-${month}-${day}T${time}${there}`);
  return Number.isSafeInteger(timeMs) && timeMs >= 0 ? timeMs : null;
}

export function revOf(timeMs: number, isExtended: boolean): string {
  const text = new Date(timeMs).toISOString();
  // Version 4.0 has no fractions.
  return isExtended ? text.replace('.000Z', 'Z') : text.replace(/[-:]|\.\d+/g, '');
}
