// Conflicts that a folder leaves to its owner: `kitsync conflicts` shows what the versions have
// otherwise, and `resolve` decides one of them. Nothing is decided that was not asked for.

import type { Conflict, Resolution } from '../../../agent/index.ts';
import { type Card, calledBy } from '../vcard/card.ts';
import { writeCard } from '../vcard/writer.ts';
import { withPlainAddresses } from './addresses.ts';
import { UsageError } from './complaint.ts';
import { cardOf } from './contents.ts';
import type { LocalApi } from './control.ts';
import { recordsIn, warnOfArgument } from './edits.ts';
import { checkCollections, knownServices } from './known-services.ts';
import { withApi } from './local.ts';
import { readNotes } from './notes.ts';
import type { LocalOptions, ResolveOptions } from './options.ts';
import { printable, printableJson, type Terminal } from './terminal.ts';

type Members = NonNullable<Conflict['ours']>;

/** Conflicts that are asked for at once. */
const PAGE_CONFLICTS = 100;
/** Of a line of a version. */
const LINE_CHARS_MAX = 300;

/** Errors of both: `UsageError`, `Failure`, `StorageError`, `SyncError`. */
export async function conflicts(options: LocalOptions, terminal: Terminal): Promise<void> {
  const { directory, words, json, remote } = options;
  const services = knownServices(readNotes(directory), remote);
  checkCollections(services, words);
  const known = [...new Set(services.flatMap(({ collections }) => collections))];
  await withApi(directory, async (api) => {
    const { collections } = await api.status();
    const asked = known.filter((name) =>
      words.length > 0 ? words.includes(name) : (collections[name]?.conflicts ?? 0) > 0,
    );
    for (const collection of asked) {
      for await (const conflict of conflictsOf(api, collection)) {
        terminal.write(
          json
            ? `${printableJson({ collection, ...conflict })}\n`
            : shownText(collection, conflict),
        );
      }
    }
  });
}

export async function resolve(options: ResolveOptions, terminal: Terminal): Promise<void> {
  const { directory, collection, id, tag, json } = options;
  const text = options.recordText === '-' ? await terminal.read() : options.recordText;
  const given = text === null ? null : onlyRecord(text);
  if (options.recordText !== '-') warnOfArgument([collection, text ?? ''], terminal);
  await withApi(directory, async (api) => {
    const decided: Resolution =
      given === null
        ? options.version
        : withPlainAddresses(collection, given, await api.get(collection, id));
    await api.resolve(collection, id, decided, tag ?? undefined);
    terminal.write(json ? `${JSON.stringify({ id })}\n` : `${printable(id)}\n`);
  });
}

/** Errors: `UsageError`. */
function onlyRecord(text: string): Members {
  const [record, another] = recordsIn(text);
  if (record !== undefined && another === undefined) return record;
  throw new UsageError('--record must be one record');
}

async function* conflictsOf(api: LocalApi, collection: string): AsyncGenerator<Conflict> {
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<LocalApi['conflicts']>> = await api.conflicts(collection, {
      limit: PAGE_CONFLICTS,
      after,
    });
    yield* page.conflicts;
    after = page.next;
  } while (after !== null);
}

/**
 * A row that says which record it is, then a row for each line that the versions have not alike:
 * whose it is, and the line.
 */
function shownText(collection: string, { id, tag, ours, theirs, base }: Conflict): string {
  const [our, their, was] = [ours, theirs, base].map((body) => linesOf(collection, body));
  const lines = (all: Lines = new Map(), ...others: (Lines | undefined)[]): string[] =>
    [...all]
      .filter(([line]) => !others.some((other) => other?.has(line)))
      .map(([, shown]) => shown);
  const rows = [
    [collection, id, tag, nameOf(collection, ours ?? theirs ?? {})],
    ...lines(was, our, their).map((line) => ['', 'was', line]),
    ...lines(our, their).map((line) => ['', 'ours', line]),
    ...lines(their, our).map((line) => ['', 'theirs', line]),
  ];
  return rows.map((row) => `${row.map(printable).join('\t')}\n`).join('');
}

function nameOf(collection: string, body: Members): string {
  const { title, name, url, origin } = body;
  const card = cardOf(collection, body);
  const known = card === null ? (title ?? name ?? url ?? origin) : calledBy(card);
  return typeof known === 'string' ? known.slice(0, LINE_CHARS_MAX) : '';
}

/** Each line of a version, and how it is shown. */
type Lines = ReadonlyMap<string, string>;

const DELETED: Lines = new Map([['', 'deleted']]);

function linesOf(collection: string, body: Members | null): Lines {
  if (body === null) return DELETED;
  const card = cardOf(collection, body);
  if (card !== null) return new Map(linesOfCard(card).map((line) => [line, shortened(line)]));
  const { id: _, guid: __, ...members } = body;
  return new Map(
    Object.entries(members).map(([name, value]) => {
      const line = `${name}: ${JSON.stringify(value)}`;
      const isSecret = collection === 'passwords' && name === 'password';
      return [line, isSecret ? 'password: another one (--json shows it)' : shortened(line)];
    }),
  );
}

function linesOfCard(card: Card): string[] {
  const text = writeCard(card, 0, '4.0').replace(/\r\n /g, '');
  return text.split('\r\n').filter((line) => !/^(BEGIN|VERSION|END):|^$/.test(line));
}

function shortened(line: string): string {
  if (line.length <= LINE_CHARS_MAX) return line;
  return `${line.slice(0, LINE_CHARS_MAX)}... (${line.length} characters)`;
}
