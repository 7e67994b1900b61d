// A content line taken apart: group, name, parameters, and the value as it is written.

import { readParam } from './escapes.ts';
import { CardFault } from './fault.ts';
import type { Line } from './lines.ts';

export interface ContentLine {
  readonly line: number;
  readonly group: string | undefined;
  /** In lower case, as the names of parameters. */
  readonly name: string;
  readonly params: ReadonlyMap<string, readonly string[]>;
  readonly written: string;
}

/** Of what a complaint shows. */
const SHOWN_CHARS_MAX = 40;
const NAME_CHARS_MAX = 64;

/** `isOld`: of version 2.1. Errors: `CardFault`. */
export function contentLine({ line, text }: Line, isOld: boolean): ContentLine {
  const [head = '', group, name = ''] = HEAD.exec(text) ?? [];
  if (name === '') throw new CardFault(line, `no property: "${text.slice(0, SHOWN_CHARS_MAX)}"`);
  if (name.length > NAME_CHARS_MAX) {
    throw new CardFault(line, `a name of ${name.length} characters, at most ${NAME_CHARS_MAX}`);
  }
  const params = new Map<string, string[]>();
  let at = head.length;
  while (text[at] === ';') {
    PARAM.lastIndex = at + 1;
    const [whole = '', paramName = '', values] = PARAM.exec(text) ?? [];
    at += 1 + whole.length;
    // A parameter may have no name, and Outlook leaves a `;` behind the last one.
    if (values === undefined) addParam(params, bareName(paramName), [paramName]);
    else addParam(params, lower(paramName), valuesOf(values, isOld));
  }
  if (text[at] !== ':') {
    throw new CardFault(line, `no ":" behind ${name.toUpperCase()} and its parameters`);
  }
  return { line, group, name: lower(name), params, written: text.slice(at + 1) };
}

const HEAD = /^\s*(?:([\w-]+)\.)?([\w-]+)\s*(?=[;:])/;
/** What stands between two `;`: a name, `=` and values; or one of both. */
const PARAM = /([^=;:"]*)(?:=((?:"[^"]*"|[^";:])*))?/y;
const VALUE = /"([^"]*)"|([^",]+)|,/g;

function addParam(params: Map<string, string[]>, name: string, values: readonly string[]): void {
  if (name === '' || (values.length === 1 && values[0] === '' && name === 'type')) return;
  const all = name === 'type' ? values.flatMap((value) => lower(value).split(',')) : values;
  const known = params.get(name);
  if (known === undefined) params.set(name, [...all]);
  else for (const value of all) known.push(value);
}

function valuesOf(written: string, isOld: boolean): string[] {
  const values = [''];
  for (const [sign, quoted, plain] of written.matchAll(VALUE)) {
    if (sign === ',') values.push('');
    else values[values.length - 1] += quoted ?? plain ?? '';
  }
  return isOld ? values : values.map(readParam);
}

/** Of letters that are bytes of a text alone: others may be halves of one. */
function lower(bytes: string): string {
  return bytes.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Version 2.1 names parameters by their values. */
function bareName(value: string): string {
  if (value === '') return '';
  if (/^(quoted-printable|base64|b|[78]bit)$/i.test(value)) return 'encoding';
  return /^(url|inline|content-id|cid)$/i.test(value) ? 'value' : 'type';
}
