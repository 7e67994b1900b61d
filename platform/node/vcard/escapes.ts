// Escapes of vCard's values and parameters, both ways. What is no escape is what it looks like.

import type { Kind, PropertyValue } from './card.ts';

/**
 * The value of a content line. `isOld`: of version 2.1, where only separators are escaped, and `,`
 * separates nothing but the texts of a list. `decode` is given each text that stands alone.
 */
export function readValue(
  kind: Kind,
  written: string,
  isOld: boolean,
  decode: (text: string) => string = (text) => text,
): PropertyValue {
  const plain = (text: string): string => decode(unescaped(text, isOld));
  if (kind === 'raw') return decode(written).replace(/\r\n?|\n/g, '\\n');
  if (kind === 'list') return split(written, ',').map(plain);
  if (kind !== 'structure') return plain(written);
  return split(written, ';').map((component) => {
    const [first = '', ...more] = isOld ? [component] : split(component, ',');
    return more.length === 0 ? plain(first) : [first, ...more].map(plain);
  });
}

/** As versions 3.0 and 4.0 have it. `isText`: a URI's place holds a text. */
export function writeValue(kind: Kind, value: PropertyValue, isText = false): string {
  if (typeof value !== 'string') {
    const separator = kind === 'list' ? ',' : ';';
    const component = (part: string | readonly string[]): string =>
      typeof part === 'string' ? escaped(part) : part.map(escaped).join(',');
    return value.map(component).join(separator);
  }
  if (kind === 'raw') return value.replace(LINE_ENDS, '\\n');
  const isWhole = (kind === 'uri' || kind === 'binary') && !isText;
  return isWhole ? value.replace(/\\/g, '\\\\').replace(LINE_ENDS, '\\n') : escaped(value);
}

/** The values of a parameter, without the quotes that they had. RFC 6868. */
export function readParam(written: string): string {
  const signs = new Map([
    ['^n', '\n'],
    ["^'", '"'],
    ['^^', '^'],
  ]);
  return written.replace(/\^[n'^]/g, (sign) => signs.get(sign) ?? sign);
}

export function writeParam(value: string): string {
  const text = value.replace(/\^/g, '^^').replace(LINE_ENDS, '^n').replace(/"/g, "^'");
  return /[:;,]/.test(text) ? `"${text}"` : text;
}

/** Between unescaped separators. */
function split(written: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < written.length; at++) {
    if (written[at] === '\\') at++;
    else if (written[at] === separator) {
      parts.push(written.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, written.slice(start)];
}

/** Some programs escape a colon, too. */
function unescaped(written: string, isOld: boolean): string {
  const known = isOld ? /\\([\\;:,])/g : /\\([\\;:,nN])/g;
  return written.replace(known, (_, sign: string) => (/n/i.test(sign) ? '\n' : sign));
}

function escaped(text: string): string {
  return text.replace(/[\\;,]/g, '\\$&').replace(LINE_ENDS, '\\n');
}

const LINE_ENDS = /\r\n?|\n/g;
