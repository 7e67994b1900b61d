// Made-up records of the collections that are neither history nor passwords: people with numbers
// and addresses, settings, articles, bookmarks, and what an app of its own might keep. What is
// drawn decides all of it.

/** Numbers that one record is made of: 32 bytes. */
type Drawn = Buffer;
type Body = { readonly id: string; readonly [member: string]: unknown };

const WORDS = ['home', 'café', 'größe', '東京', 'work', 'лента', 'übersicht', 'news'];
const GIVEN = ['Ada', 'José', 'Zoë', '太郎', 'Мария', 'Björn', 'Aoife', 'Ngọc'];
const FAMILY = ['Lovelace', 'Núñez', 'Müller', '山田', 'Иванова', 'Ångström', "O'Brien", 'Trần'];

/**
 * The record `index` of a collection; `nowMs`: nothing of it was changed later. `manifestChars`: of
 * a web app, about so many are in its manifest.
 */
export function ownRecord(
  name: string,
  index: number,
  drawn: Drawn,
  nowMs: number,
  manifestChars: number = MANIFEST_CHARS,
): Body {
  const id = drawn.subarray(0, 9).toString('base64url');
  return { id, ...(MAKERS.get(name) ?? note)(name, index, drawn, nowMs, manifestChars) };
}

const MANIFEST_CHARS = 200;

type Maker = (
  name: string,
  index: number,
  drawn: Drawn,
  nowMs: number,
  manifestChars: number,
) => object;

const MAKERS = new Map<string, Maker>([
  ['contacts', contact],
  ['settings', setting],
  ['reading-list', article],
  ['apps', app],
  ['bookmarks', bookmark],
]);

function pick(list: readonly string[], drawn: Drawn, at: number): string {
  return list[drawn.readUInt8(at) % list.length] ?? '';
}

/** A card of some 300 characters, as those that people have; no two have the same name. */
function contact(_name: string, index: number, drawn: Drawn, nowMs: number): object {
  const [given, family] = [pick(GIVEN, drawn, 9), `${pick(FAMILY, drawn, 10)} ${index}`];
  const number = `${drawn.readUInt32BE(11)}`.padStart(10, '0');
  return {
    card: {
      fn: [{ value: `${given} ${family}` }],
      n: [{ value: [family, given, '', '', ''] }],
      tel: [
        { value: `+49 ${number.slice(0, 3)} ${number.slice(3)}`, params: { type: ['cell'] } },
        { value: `+1-${number}`, params: { type: ['work', 'voice'] } },
      ],
      email: [{ value: `person${index}@example.com`, params: { type: ['home'] } }],
      note: [{ value: `${pick(WORDS, drawn, 15)}, ${drawn.toString('base64').slice(20)}` }],
    },
    changedMs: nowMs - drawn.readUInt32BE(16),
  };
}

function setting(_name: string, index: number, drawn: Drawn): object {
  const value = { word: pick(WORDS, drawn, 9), level: drawn.readUInt8(10), isOn: index % 2 === 0 };
  const values = [value, value.level, `${value.word} ${index}`, [value.word, null]];
  return { app: 'https://app.example', name: `setting.${index}`, value: values[index % 4] };
}

function article(_name: string, index: number, drawn: Drawn, nowMs: number): object {
  return {
    url: `https://articles.example/${index}/${pick(WORDS, drawn, 9)}`,
    title: `${pick(WORDS, drawn, 10)} ${index}`,
    added_by: 'Television',
    added_on: nowMs - drawn.readUInt32BE(11),
    favorite: index % 5 === 0,
  };
}

/** A web app that one of the user's devices has installed, with its receipt. */
function app(
  _name: string,
  index: number,
  drawn: Drawn,
  nowMs: number,
  manifestChars: number,
): object {
  const origin = `https://app${index}.example`;
  const installMs = nowMs - drawn.readUInt32BE(11);
  return {
    origin,
    last_modified: installMs / 1_000,
    manifest: {
      name: `${pick(WORDS, drawn, 9)} ${index}`,
      description: drawn.toString('base64').repeat(Math.ceil(manifestChars / 44)),
      icons: { 128: `/icons/${index}.png` },
    },
    manifest_url: `${origin}/manifest.webapp`,
    install_data: { receipts: [`${drawn.toString('base64url')}~${index}`] },
    install_origin: 'https://store.example',
    install_time: Math.floor(installMs / 1_000),
  };
}

/** As Firefox has them in the menu: every fifth is a folder. */
function bookmark(_name: string, index: number, drawn: Drawn, nowMs: number): object {
  const place = { parentid: 'menu', parentName: 'menu', dateAdded: nowMs - drawn.readUInt32BE(11) };
  const title = `${pick(WORDS, drawn, 9)} ${index}`;
  if (index % 5 === 0) return { type: 'folder', title, ...place, children: [] };
  const bmkUri = `https://pages.example/${index}/${pick(WORDS, drawn, 10)}`;
  return { type: 'bookmark', title, bmkUri, ...place, tags: [], hasDupe: true };
}

/** What an app might keep: members of every kind that JSON has. */
function note(name: string, index: number, drawn: Drawn, nowMs: number): object {
  return {
    title: `${name} ${index}: ${pick(WORDS, drawn, 9)}`,
    lines: [drawn.toString('base64'), '', 'ünïcödé'],
    changedMs: nowMs - drawn.readUInt32BE(10),
    place: { folder: index % 3, isDone: index % 2 === 0, note: null },
  };
}
