// Cards of versions 2.1, 3.0 and 4.0 from a file, as they are kept: every property that a card has,
// with its parameters and group. What is written in several ways has one form here: types in lower
// case, preference as a number, binary values and places as URIs, the time of the card beside it.
// A card that cannot be read is told, and those around it are read.

import { fromBase64 } from './binary.ts';
import { type Card, isEmptyValue, kindOf, nameFor, type Property } from './card.ts';
import { byteText, decodeBytes, unquoted, withoutControls } from './charset.ts';
import { type ContentLine, contentLine } from './content-line.ts';
import { readValue } from './escapes.ts';
import { CardFault } from './fault.ts';
import { type CardLines, cardsIn, type Line, unfolded } from './lines.ts';
import { instantOf } from './rev.ts';

export interface ReadCard {
  /** Which one of the file, from 1. */
  readonly number: number;
  /** Where it begins in the file, from 1. */
  readonly line: number;
  readonly card: Card;
  /** When it was changed last; null: it does not say. */
  readonly changedMs: number | null;
}

export interface BadCard {
  /** As that of a good one; null: the line is in no card. */
  readonly number: number | null;
  /** Its name in full, as far as it has one. */
  readonly name: string;
  readonly line: number;
  /** What is wrong, and the limit where there is one. */
  readonly complaint: string;
}

/** Cards in their order, good and bad. */
export function* readCards(bytes: Uint8Array): Generator<ReadCard | BadCard> {
  let number = 0;
  for (const found of cardsIn(byteText(bytes))) {
    if (found.isCard) number++;
    try {
      yield { number, ...readCard(found) };
    } catch (error) {
      if (!(error instanceof CardFault)) throw error;
      const { line, message: complaint } = error;
      yield { number: found.isCard ? number : null, name: nameOf(found.lines), line, complaint };
    }
  }
}

function nameOf(lines: readonly Line[]): string {
  const written = lines.map(({ text }) => /^(?:[\w-]+\.)?FN[^:]*:(.*)$/i.exec(text)?.[1]);
  return decodeBytes(written.find((text) => text !== undefined) ?? '').trim();
}

const VERSIONS = ['2.1', '3.0', '4.0'];

function readCard({ line, lines, fault }: CardLines): Omit<ReadCard, 'number'> {
  if (fault !== null) throw fault;
  const isOld = versionOf(lines) === '2.1';
  const properties = new Map<string, Property[]>();
  let changedMs: number | null = null;
  for (const one of unfolded(lines, isOld)) {
    const content = contentLine(one, isOld);
    const { name } = content;
    if (name === 'version') continue;
    const property = propertyOf(content, one.inner, isOld);
    const time = name === 'rev' ? instantOf(property.value) : null;
    if (time !== null) changedMs = time;
    else if (kindOf(name) === 'raw' || !isEmptyValue(property.value)) {
      properties.set(name, [...(properties.get(name) ?? []), property]);
    }
  }
  const card = Object.fromEntries(properties);
  if (properties.size === 0) throw new CardFault(line, 'it says nothing');
  const name = properties.has('fn') ? '' : nameFor(card);
  return { line, card: name === '' ? card : { fn: [{ value: name }], ...card }, changedMs };
}

/** Some programs do not say it, and write 3.0. */
function versionOf(lines: readonly Line[]): string {
  for (const { line, text } of lines) {
    const [, version] = /^VERSION(?:;[^:]*)?:\s*(.*?)\s*$/i.exec(text) ?? [];
    if (version !== undefined && VERSIONS.includes(version)) return version;
    if (version !== undefined) {
      const known = VERSIONS.join(', ');
      throw new CardFault(line, `VERSION is ${JSON.stringify(version)}, known are ${known}`);
    }
  }
  return '3.0';
}

function propertyOf(content: ContentLine, inner: string | undefined, isOld: boolean): Property {
  const { name, group } = content;
  const { value, params } = plainParams(decodedValue(content, inner, isOld), name, isOld);
  // Each program has an order of its own.
  const kept = [...params]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([param, values]) => [plainText(param), values.map((one) => plainText(one))]);
  return {
    value,
    ...(kept.length > 0 && { params: Object.fromEntries(kept) }),
    ...(group !== undefined && { group }),
  };
}

function plainText(bytes: string, charset?: string): string {
  return withoutControls(decodeBytes(bytes, charset).replace(/\r\n?/g, '\n'));
}

interface Read {
  readonly value: Property['value'];
  readonly params: ReadonlyMap<string, readonly string[]>;
}

/** The value, and the parameters that do not say how it was written. */
function decodedValue(content: ContentLine, inner: string | undefined, isOld: boolean): Read {
  const { name, written } = content;
  const params = new Map(content.params);
  const [given = '8bit'] = params.get('encoding') ?? [];
  const encoding = given.toLowerCase();
  const charset = params.get('charset')?.[0];
  for (const param of ['encoding', 'charset']) params.delete(param);
  const decoded = (bytes: string): string => plainText(bytes, charset);
  const kind = kindOf(name);
  if (inner !== undefined) return { value: decoded(inner), params };
  if (encoding === 'quoted-printable') {
    const value = readValue(kind, written, isOld, (text) => decoded(unquoted(text)));
    return { value, params };
  }
  if (encoding !== 'b' && encoding !== 'base64') {
    const isOther = !/^[78]bit$/.test(encoding);
    if (isOther) params.set('encoding', [given]);
    return { value: readValue(kind, decoded(written), isOld), params };
  }
  const bytes = kind === 'text' ? Buffer.from(written, 'base64').toString('latin1') : null;
  if (bytes !== null) return { value: decoded(bytes), params };
  const text = decoded(written).trim();
  const binary = kind === 'binary' ? fromBase64(name, params, text) : null;
  // Of something unknown, base64 stays what it is.
  params.set('encoding', ['b']);
  return binary ?? { value: readValue('raw', text, isOld), params };
}

/** Without what only says what the value is anyway. */
function plainParams({ value, params: given }: Read, name: string, isOld: boolean): Read {
  const params = new Map(given);
  const types = params.get('type') ?? [];
  if (types.includes('pref')) {
    params.set('pref', params.get('pref') ?? ['1']);
    const rest = types.filter((type) => type !== 'pref');
    if (rest.length > 0) params.set('type', rest);
    else params.delete('type');
  }
  const [form = ''] = params.get('value')?.map((one) => one.toLowerCase()) ?? [];
  const text = typeof value === 'string' ? value : '';
  if (name === 'tel' && form === 'uri' && /^tel:[+\d().*#-]+$/i.test(text)) {
    params.delete('value');
    return { value: text.slice('tel:'.length), params };
  }
  if (name === 'geo' && /^-?[\d.]+;-?[\d.]+$/.test(text) && !isOld) {
    return { value: `geo:${text.replace(';', ',')}`, params };
  }
  if (USUAL.get(kindOf(name))?.includes(form)) params.delete('value');
  return { value, params };
}

const USUAL: ReadonlyMap<string, readonly string[]> = new Map([
  ['text', ['phone-number']],
  ['uri', ['uri', 'url']],
  ['binary', ['uri', 'url', 'binary', 'inline']],
]);
