// What a contact holds: the properties of a vCard by name, each with its value, parameters and
// group, so that all that a card says has a place. Reads and compares; nothing here decides which
// of two versions counts. Pure.

import { isObject } from '../../crypto/engine.ts';
import type { Body } from './collection.ts';
import { hasSameMembers } from './members.ts';

/** A text, or the components of a structured one, each of which may be a list. */
type PropertyValue = string | readonly (string | readonly string[])[];

export interface Property {
  readonly value: PropertyValue;
  /** By names in lower case. */
  readonly params?: { readonly [name: string]: readonly string[] };
  /** Properties of one group belong together: a number and its label. */
  readonly group?: string;
}

export type Card = ReadonlyMap<string, readonly Property[]>;

const NAME = /^[a-z0-9_-]{1,64}$/;
/** They say something of the property that they share a group with, and nothing alone. */
/** Of a picture's data. */
const END_CHARS = 64;
const LABELS = ['x-ablabel', 'x-abadr'];

/** Null if it is a card, else a complaint that names the property. */
export function complaintOfCard(card: unknown): string | null {
  if (!isObject(card)) return 'card: not an object';
  for (const [name, list] of Object.entries(card)) {
    const at = `card.${name}`;
    if (!NAME.test(name)) return `${at}: not a name of 1 to 64 of a-z, 0-9, _ and -`;
    if (!Array.isArray(list) || list.length === 0) return `${at}: not a list of properties`;
    for (const property of list as unknown[]) {
      const complaint = complaintOf(property);
      if (complaint !== null) return at + complaint;
    }
  }
  return null;
}

function complaintOf(property: unknown): string | null {
  if (!isObject(property)) return ': not an object';
  const { value, group, params = {} } = property as Body;
  if (typeof value !== 'string' && !isListOf(value, isComponent)) {
    return '.value: not a text, nor a list of texts and lists of texts';
  }
  if (group !== undefined && typeof group !== 'string') return '.group: not a text';
  const isGood = isObject(params) && Object.values(params).every((list) => isListOf(list, isText));
  return isGood ? null : '.params: not an object of lists of texts';
}

function isListOf(list: unknown, isGood: (item: unknown) => boolean): boolean {
  return Array.isArray(list) && list.every(isGood);
}

function isComponent(value: unknown): boolean {
  return isText(value) || isListOf(value, isText);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

/** Of a body that was checked. */
export function cardOf(body: Body): Card {
  return new Map(Object.entries(body.card as object));
}

export function isLabel(name: string): boolean {
  return LABELS.includes(name);
}

/**
 * What a property is the same by, however it is written: a phone number by what is dialled, an
 * address of e-mail in lower case, a label by what it is a label of, anything else by its value.
 */
export function propertyKey(name: string, { value, group }: Property): string {
  if (group !== undefined && isLabel(name)) return group.toLowerCase();
  if (typeof value !== 'string') return JSON.stringify(value);
  // Long, and as good as never two of one length that end alike.
  if (value.startsWith('data:')) return `${value.length} ${value.slice(-END_CHARS)}`;
  if (name === 'tel') return value.replace(/^tel:|[\s().\u2010-\u2015-]/gi, '') || value;
  return name === 'email' ? value.toLowerCase() : value;
}

/** However the members of both are ordered. */
export function isSameProperty(a: Property | undefined, b: Property | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const isSame = hasSameMembers({ ...a, params: null }, { ...b, params: null });
  return isSame && hasSameMembers(a.params ?? {}, b.params ?? {});
}

export function isSameList(a: readonly Property[], b: readonly Property[]): boolean {
  return a.length === b.length && a.every((one, at) => isSameProperty(one, b[at]));
}

/** The same properties, however their names are ordered. */
export function isSameCard(a: Card, b: Card): boolean {
  return a.size === b.size && [...a].every(([name, list]) => isSameList(list, b.get(name) ?? []));
}

/** How a contact is called: its name in full, else what comes first of what it has instead. */
export function nameIn(card: Card): string {
  for (const name of ['fn', 'n', 'org', 'nickname', 'email', 'tel']) {
    const text = textOf(card.get(name)?.[0]?.value).replace(/\s+/g, ' ').trim();
    if (text !== '') return text;
  }
  return '';
}

/** In one form; empty: it has none. */
function uidIn(card: Card): string {
  return textOf(card.get('uid')?.[0]?.value)
    .replace(/^urn:uuid:/i, '')
    .toLowerCase();
}

function textOf(value: PropertyValue = ''): string {
  return typeof value === 'string' ? value : ([] as string[]).concat(...value).join(' ');
}

/**
 * Both are of one person: they have the same name, and the same UID; or, where neither has one, the
 * same birthday, and the same numbers and addresses of e-mail; without those, the same of all.
 */
export function isSamePerson(a: Card, b: Card): boolean {
  if (nameIn(a) !== nameIn(b)) return false;
  const [uid, other] = [uidIn(a), uidIn(b)];
  if (uid !== '' || other !== '') return uid === other;
  const [own, others] = [waysTo(a), waysTo(b)];
  if (own.length + others.length > 0) return isAlike(a, b) && `${own}` === `${others}`;
  return isSameCard(a, b);
}

/**
 * Who knew both would make one of them: nothing that tells people apart does, and they share an
 * address of e-mail, or have the same numbers and nothing else to reach them by. Two people with
 * one name may have one telephone.
 */
export function isLikelySamePerson(a: Card, b: Card): boolean {
  const [uid, other] = [uidIn(a), uidIn(b)];
  if ((uid !== '' && other !== '' && uid !== other) || nameIn(a) !== nameIn(b)) return false;
  if (!isAlike(a, b, true)) return false;
  const mails = keysOf(b, 'email');
  if (keysOf(a, 'email').some((key) => mails.includes(key))) return true;
  const [own, others] = [waysTo(a), waysTo(b)];
  return own.length > 0 && `${own}` === `${others}`;
}

/** Name in parts and birthday are the same; `mayLack`: or only one of both says them. */
function isAlike(a: Card, b: Card, mayLack = false): boolean {
  return [partsOf, birthdayOf].every((said) => {
    const [own, other] = [said(a), said(b)];
    return own === other || (mayLack && (own === '' || other === ''));
  });
}

/** Some programs leave out empty parts at the end. */
function partsOf(card: Card): string {
  const value = card.get('n')?.[0]?.value ?? '';
  return (typeof value === 'string' ? value : value.join(';')).replace(/;+$/, '');
}

/** Day by day: without hyphens, the time, and the year that stands for none. */
function birthdayOf(card: Card): string {
  const text = textOf(card.get('bday')?.[0]?.value);
  return text.replace(/T.*$/, '').replace(/-/g, '').replace(/^1604/, '');
}

/** Every number and address of e-mail, in an order of its own. */
function waysTo(card: Card): string[] {
  return [...keysOf(card, 'email'), ...keysOf(card, 'tel')].map((key) => `${key}\n`);
}

function keysOf(card: Card, name: string): string[] {
  return [...new Set(card.get(name)?.map((one) => propertyKey(name, one)))].sort();
}
