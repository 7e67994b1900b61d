// Contacts in files of vCards: `kitsync contacts import` adds what a folder's contacts lack, and
// `export` writes all of them. A card that cannot be taken is told by its file, number, name and
// line, and those around it are taken. Importing a file twice adds nothing the second time.

import { createHash } from 'node:crypto';
import { SyncError } from '../../../agent/index.ts';
import { type Card, calledBy, plainUid } from '../vcard/card.ts';
import { type BadCard, type ReadCard, readCards } from '../vcard/reader.ts';
import { type Version, writeCard } from '../vcard/writer.ts';
import { Failure, failureLine } from './complaint.ts';
import type { LocalApi } from './control.ts';
import { readGiven } from './given-files.ts';
import { recordsOf, withApi } from './local.ts';
import { missingOf } from './missing.ts';
import type { ContactsOptions } from './options.ts';
import { writeOutput } from './private-files.ts';
import { printable, type Terminal } from './terminal.ts';

/** A file is in memory as a whole, and as text of its bytes. */
const FILE_BYTES_MAX = 268_435_456;
const COLLECTION = 'contacts';

/** Resolves to the exit code. Errors: those of local.ts. */
export async function contacts(options: ContactsOptions, terminal: Terminal): Promise<number> {
  if (options.action === 'import') return importFiles(options, terminal);
  await exportFile(options, terminal);
  return 0;
}

interface Counts {
  new: number;
  changed: number;
  unchanged: number;
  refused: number;
}

async function importFiles(
  { directory, files, json }: ContactsOptions,
  terminal: Terminal,
): Promise<number> {
  const read = files.map((file) => ({ file, bytes: readGiven(file, FILE_BYTES_MAX) }));
  const counts: Counts = { new: 0, changed: 0, unchanged: 0, refused: 0 };
  const refuse = (complaint: string): void => {
    counts.refused++;
    terminal.complain(`kitsync: ${printable(complaint)}\n`);
  };
  // Whatever ends it, what was taken stays, and is told.
  const told = (): void => {
    terminal.write(json ? `${JSON.stringify(counts)}\n` : summaryOf(counts));
  };
  await withApi(directory, async (api) => {
    const known = await knownContacts(api);
    for (const { file, bytes } of read) {
      let isEmpty = true;
      for (const found of readCards(bytes)) {
        isEmpty = false;
        const what = 'card' in found ? await take(api, known, found) : found.complaint;
        if (isOutcome(what)) counts[what]++;
        else refuse(complaintOn(file, found, what));
      }
      if (isEmpty) refuse(`${file}: there is no card in it`);
    }
  }).finally(told);
  return counts.refused > 0 ? 1 : 0;
}

type Outcome = Exclude<keyof Counts, 'refused'>;

function isOutcome(what: string): what is Outcome {
  return what === 'new' || what === 'changed' || what === 'unchanged';
}

/** Contacts as they are in the folder, without what they say. */
interface Known {
  /** What each says, as a digest, by id. */
  readonly digests: Map<string, string>;
  /** Ids by UIDs. */
  readonly ids: Map<string, string>;
}

interface Contact {
  readonly guid: string;
  readonly card: Card;
  readonly changedMs: number | null;
}

async function knownContacts(api: LocalApi): Promise<Known> {
  const known: Known = { digests: new Map(), ids: new Map() };
  for await (const contact of everyContact(api)) learn(known, contact);
  return known;
}

function learn({ digests, ids }: Known, { guid, card }: Contact): void {
  digests.set(guid, digestOf(card));
  const uid = plainUid(card);
  if (uid !== '' && !ids.has(uid)) ids.set(uid, guid);
}

function digestOf(card: Card): string {
  return createHash('sha256').update(JSON.stringify(card)).digest('base64');
}

async function* everyContact(api: LocalApi): AsyncGenerator<Contact> {
  const records = recordsOf(api, COLLECTION, Number.POSITIVE_INFINITY);
  for await (const record of records) yield record as unknown as Contact;
}

/** What became of a good card, or why it is refused. Errors: what is no fault of the card's. */
async function take(api: LocalApi, known: Known, found: ReadCard): Promise<Outcome | string> {
  const { card, changedMs } = found;
  const guid = known.ids.get(plainUid(card));
  const record = {
    add: card,
    ...(changedMs !== null && { changedMs }),
    ...(guid !== undefined && { guid }),
  };
  const put = await api.put(COLLECTION, record).catch((error: unknown) => {
    const isCards = error instanceof SyncError && REFUSED.includes(error.code);
    if (!isCards) throw error;
    return { why: failureLine(error.shown) };
  });
  if (typeof put !== 'string') return put.why;
  const before = known.digests.get(put);
  const after = (await api.get(COLLECTION, put)) as unknown as Contact | null;
  if (after !== null) learn(known, after);
  if (before === undefined) return 'new';
  return before === known.digests.get(put) ? 'unchanged' : 'changed';
}

const REFUSED: readonly string[] = ['tooLarge', 'badInput', 'clientTooOld'];

function complaintOn(file: string, found: ReadCard | BadCard, complaint: string): string {
  const { number } = found;
  const name = 'card' in found ? calledBy(found.card) : found.name;
  const called = name === '' ? '' : ` (${name.slice(0, NAME_CHARS_MAX)})`;
  const card = number === null ? '' : `: card ${number}${called}`;
  return `${file}${card}, line ${found.line}: ${complaint}`;
}

/** Of what a card is called in a complaint. */
const NAME_CHARS_MAX = 100;

function summaryOf({ new: made, changed, unchanged, refused }: Counts): string {
  const all = [`${made} new`, `${changed} changed`, `${unchanged} unchanged`];
  return `${[...all, ...(refused > 0 ? [`${refused} refused`] : [])].join(', ')}\n`;
}

async function exportFile(
  { directory, files, version }: ContactsOptions,
  terminal: Terminal,
): Promise<void> {
  await withApi(directory, async (api) => {
    const [file] = files;
    const pieces = exported(api, version);
    if (file !== undefined) return writeOutput(file, pieces);
    for await (const piece of pieces) terminal.write(piece);
  });
}

async function* exported(api: LocalApi, version: Version): AsyncGenerator<string> {
  for await (const { card, changedMs } of everyContact(api)) {
    yield writeCard(card, changedMs ?? 0, version);
  }
  const { collections } = await api.status();
  if (!missingOf(collections).includes(COLLECTION)) return;
  throw new Failure('not all is there: contacts were damaged; `kitsync check` tells more');
}
