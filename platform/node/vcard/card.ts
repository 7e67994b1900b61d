// A vCard without its file: properties by name, as records in `contacts` have them, and which of
// them are texts, lists, addresses. Of a property that is not named here the value stays as it is
// written.

/** A text, or the components of a structured one, each of which may be a list. */
export type PropertyValue = string | readonly (string | readonly string[])[];

export interface Property {
  readonly value: PropertyValue;
  readonly params?: { readonly [name: string]: readonly string[] };
  readonly group?: string;
}

export interface Card {
  readonly [name: string]: readonly Property[];
}

/**
 * `structure`: components with `;` between them, each a list with `,`. `list`: texts with `,`.
 * `binary`: bytes, or an address where they are. `raw`: nobody knows.
 */
export type Kind = 'text' | 'list' | 'structure' | 'uri' | 'binary' | 'raw';

const KINDS: ReadonlyMap<string, Kind> = new Map(
  Object.entries({
    text: `agent anniversary bday birthplace class deathdate deathplace email fn kind label lang
      mailer note prodid rev role sort-string tel title tz version x-abadr x-abdate x-ablabel
      x-abrelatednames x-aim x-assistant x-gtalk x-icq x-jabber x-maidenname x-manager x-msn
      x-phonetic-first-name x-phonetic-last-name x-phonetic-middle-name x-phonetic-org x-qq x-skype
      x-skype-username x-spouse x-yahoo xml`,
    list: 'nickname categories',
    structure: 'n adr org gender',
    uri: 'url uid source member related impp fburl caladruri caluri geo',
    binary: 'photo logo sound key',
  }).flatMap(([kind, names]) => names.split(/\s+/).map((name) => [name, kind as Kind] as const)),
);

export function kindOf(name: string): Kind {
  return KINDS.get(name) ?? 'raw';
}

export function isEmptyValue(value: PropertyValue): boolean {
  return typeof value === 'string' ? value === '' : value.every((part) => part.length === 0);
}

/** How a person is called; empty: there is nothing to call them by. */
export function calledBy(card: Card): string {
  const name = card.fn?.[0]?.value;
  return typeof name === 'string' && name.trim() !== '' ? name : nameFor(card);
}

/** What two cards of one person have alike, however it is written; empty: it has none. */
export function plainUid(card: Card): string {
  const uid = card.uid?.[0]?.value;
  return typeof uid === 'string' ? uid.replace(/^urn:uuid:/i, '').toLowerCase() : '';
}

/** How somebody without a name in full is called; empty: there is nothing to call them by. */
export function nameFor(card: Card): string {
  const first = (name: string): PropertyValue => card[name]?.[0]?.value ?? '';
  const texts = (value: PropertyValue): string[] =>
    typeof value === 'string' ? [value] : value.flat();
  const n = first('n');
  const [family = '', given = '', more = '', before = '', after = ''] =
    typeof n === 'string' ? [n] : n;
  const parts = texts([before, given, more, family, after]);
  const wanted = [parts, ...['org', 'nickname', 'email', 'tel'].map((name) => texts(first(name)))];
  const names = wanted.map((all) => all.filter((text) => text.trim() !== '').join(' '));
  return names.find((name) => name !== '') ?? '';
}
