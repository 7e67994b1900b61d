// Photos, logos, sounds and keys: a record has a `data:` URI, or the address where they are; a card
// of version 3.0 has base64 and says of what kind.

import type { Property } from './card.ts';

type Params = ReadonlyMap<string, readonly string[]>;

const FAMILIES = new Map([
  ['photo', 'image'],
  ['logo', 'image'],
  ['sound', 'audio'],
]);
const UNKNOWN = 'application/octet-stream';
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** Nothing that says what a picture is. */
const PLACES = ['home', 'work', 'pref'];

/** A property whose value is base64; null: it is none. `params` are without the encoding. */
export function fromBase64(
  name: string,
  params: Params,
  written: string,
): { readonly value: string; readonly params: Params } | null {
  const data = written.replace(/\s+/g, '');
  if (!BASE64.test(data)) return null;
  const family = FAMILIES.get(name);
  const types = params.get('type') ?? [];
  const at = types.findIndex((type) => !PLACES.includes(type));
  const media = types[at];
  if (family === undefined || media === undefined || !/^[\w.+-]+(\/[\w.+-]+)?$/.test(media)) {
    return { value: `data:${UNKNOWN};base64,${data}`, params };
  }
  const rest = types.filter((_, index) => index !== at);
  const others = [...params].filter(([param]) => param !== 'type' && param !== 'mediatype');
  return {
    value: `data:${media.includes('/') ? media : `${family}/${media}`};base64,${data}`,
    params: new Map(rest.length === 0 ? others : [...others, ['type', rest]]),
  };
}

/**
 * How version 3.0 writes the property: base64 and what goes before it; null: as the address that
 * it is.
 */
export function toBase64(
  name: string,
  { value, params = {} }: Property,
): { readonly written: string; readonly params: Params } | null {
  const [, media = '', data] =
    (typeof value === 'string' && /^data:([\w.+-]+\/[\w.+-]+);base64,(.*)$/s.exec(value)) || [];
  if (data === undefined || !BASE64.test(data) || params.value !== undefined) return null;
  const [family, subtype = ''] = media.split('/', 2);
  const isNamed = family === FAMILIES.get(name);
  if (!isNamed && media !== UNKNOWN) return null;
  const { type = [], ...others } = params;
  // It would be read as what the picture is.
  if (!isNamed && FAMILIES.has(name) && type.some((one) => !PLACES.includes(one))) return null;
  const types = isNamed ? [subtype, ...type] : type;
  const known: [string, readonly string[]][] = [['encoding', ['b']], ...Object.entries(others)];
  return { written: data, params: new Map(types.length > 0 ? [...known, ['type', types]] : known) };
}
