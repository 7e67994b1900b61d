// A card as a file has it, of version 3.0, which every program reads, or 4.0. What a version has no
// word for is written by its name all the same: readers pass over what they do not know, and ours
// reads back what was written.

import { toBase64 } from './binary.ts';
import { type Card, kindOf, nameFor, type Property } from './card.ts';
import { withoutControls } from './charset.ts';
import { writeParam, writeValue } from './escapes.ts';
import { revOf } from './rev.ts';

/** The one that more programs read comes first. */
export const VERSIONS = ['3.0', '4.0'] as const;

export type Version = (typeof VERSIONS)[number];

/** Octets of a line of a file. */
const OCTETS_MAX = 75;

/** `changedMs`: 0 if nobody knows. The lines end as files of mail do. */
export function writeCard(card: Card, changedMs: number, version: Version): string {
  const name = [{ value: nameFor(card) }];
  const { fn = name, n, rev = [], ...others } = card;
  const isOld = version === '3.0';
  const properties: [string, readonly Property[]][] = [
    ['fn', fn],
    // Version 3.0 has to have it.
    ['n', n ?? (isOld ? [{ value: ['', '', '', '', ''] }] : [])],
    ...Object.entries(others),
    ['rev', [...(changedMs > 0 ? [{ value: revOf(changedMs, isOld) }] : []), ...rev]],
  ];
  const lines = properties.flatMap(([one, list]) =>
    list.map((property) => contentLine(one, property, isOld)),
  );
  return ['BEGIN:VCARD', `VERSION:${version}`, ...lines, 'END:VCARD', ''].map(folded).join('\r\n');
}

function contentLine(name: string, property: Property, isOld: boolean): string {
  const { written, params } = isOld ? oldForm(name, property) : newForm(name, property);
  const group = property.group === undefined ? '' : `${property.group.replace(/[^\w-]/g, '-')}.`;
  const words = [...params].map(([param, values]) => {
    const all = isOld && param === 'type' ? values.map(upper) : values;
    return `;${upper(param)}=${all.map(writeParam).join(',')}`;
  });
  return `${group}${upper(name)}${words.join('')}:${written}`;
}

/** Of plain letters alone, which a reader takes for the small ones. */
function upper(text: string): string {
  return text.replace(/[a-z]/g, (letter) => letter.toUpperCase());
}

interface Written {
  readonly written: string;
  readonly params: ReadonlyMap<string, readonly string[]>;
}

function newForm(name: string, { value, params = {} }: Property): Written {
  const form = params.value?.[0]?.toLowerCase();
  const usual = form === 'uri' && kindOf(name) === 'text' ? 'uri' : kindOf(name);
  const kind = params.encoding === undefined ? usual : 'raw';
  return {
    written: writeValue(kind, value, form === 'text'),
    params: new Map(Object.entries(params)),
  };
}

function oldForm(name: string, property: Property): Written {
  const isBinary = kindOf(name) === 'binary' && property.params?.encoding === undefined;
  const binary = isBinary ? toBase64(name, property) : null;
  const { written, params: given } = binary ?? newForm(name, property);
  const params = new Map(given);
  if (isBinary && binary === null && !params.has('value')) params.set('value', ['uri']);
  if (`${params.get('pref')}` === '1') {
    params.delete('pref');
    params.set('type', [...(params.get('type') ?? []), 'pref']);
  }
  const isPlace = name === 'geo' && /^geo:-?[\d.]+,-?[\d.]+$/.test(written);
  return { written: isPlace ? written.slice('geo:'.length).replace(',', ';') : written, params };
}

/** No character is cut in two. */
function folded(content: string): string {
  const line = withoutControls(content);
  if (Buffer.byteLength(line) <= OCTETS_MAX) return line;
  const lines: string[] = [];
  let start = 0;
  let octets = 0;
  for (let at = 0; at < line.length; ) {
    const code = line.codePointAt(at) ?? 0;
    const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (octets + size > OCTETS_MAX) {
      lines.push(line.slice(start, at));
      start = at;
      // The space that says that the line goes on.
      octets = 1;
    }
    octets += size;
    at += code > 0xffff ? 2 : 1;
  }
  return [...lines, line.slice(start)].join('\r\n ');
}
