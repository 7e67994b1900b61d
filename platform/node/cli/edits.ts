// The commands that change what was synced before: put and delete, of one record or of a list.
// A list is looked through before anything is changed. What fails in the middle names the record,
// and the ids that were accepted before it are printed: these changes stay.

import { SyncError } from '../../../agent/index.ts';
import { withPlainAddresses } from './addresses.ts';
import { Failure, UsageError } from './complaint.ts';
import type { LocalApi } from './control.ts';
import { withApi } from './local.ts';
import type { LocalOptions } from './options.ts';
import type { Terminal } from './terminal.ts';

type Members = { readonly [name: string]: unknown };

/**
 * The second word, or the input, is a record or a list of records. Errors: as those of records.ts.
 */
export async function put(options: LocalOptions, terminal: Terminal): Promise<void> {
  const { directory, words, json } = options;
  const [collection = '', text] = words;
  const given = recordsIn(text ?? (await terminal.read()));
  // What is new is looked through before the folder is; a warning stands beside no other complaint.
  for (const [at, record] of given.entries()) {
    if ((record.id ?? record.guid) === undefined)
      naming(given, at, () => withPlainAddresses(collection, record, null));
  }
  warnOfArgument(words, terminal);
  await withApi(directory, async (api) => {
    const records: Members[] = [];
    for (const [at, record] of given.entries()) {
      const existing = await existingOf(api, collection, record);
      records.push(naming(given, at, () => withPlainAddresses(collection, record, existing)));
    }
    const work = async (record: Members): Promise<string> => {
      const id = await api.put(collection, record);
      if (!json) terminal.write(`${id}\n`);
      return id;
    };
    await each(records, work, (ids) => {
      if (json) terminal.write(`${JSON.stringify({ ids })}\n`);
    });
  });
}

/** The record that an edit names by its id; null for a new one. */
async function existingOf(
  api: LocalApi,
  collection: string,
  { id, guid }: Members,
): Promise<Members | null> {
  const wanted = id ?? guid;
  if (typeof wanted !== 'string') return null;
  // What is odd about the collection or the id, `put` has the words for.
  return api.get(collection, wanted).catch((error: unknown) => {
    if (error instanceof SyncError && error.retry === 'never') return null;
    throw error;
  });
}

/**
 * The other words are ids; a single one, or the input, may be a record or a list of records that
 * have one.
 */
export async function remove(options: LocalOptions, terminal: Terminal): Promise<void> {
  const { directory, words, json } = options;
  const [collection = '', ...given] = words;
  const ids = given.length > 1 ? given : idsIn(given[0] ?? (await terminal.read()).trim());
  const records = ids.map((id) => ({ id }));
  warnOfArgument(words, terminal);
  await withApi(directory, async (api) => {
    for (const [at, id] of ids.entries()) {
      if (ids.length === 1 || (await api.get(collection, id)) !== null) continue;
      const missing = new SyncError('notFound', 'there is no such record; nothing was deleted');
      naming(records, at, () => fail(missing));
    }
    const work = async ({ id }: { readonly id: string }): Promise<string> => {
      await api.delete(collection, id).catch((error: unknown) => {
        // A thing may have several ids, and went with the one before.
        const isGone = error instanceof SyncError && error.code === 'notFound';
        if (ids.length === 1 || !isGone) throw error;
      });
      return id;
    };
    await each(records, work, (deleted, isOver) => {
      if (json) terminal.write(`${JSON.stringify({ ids: deleted })}\n`);
      else if (!isOver) for (const id of deleted) terminal.write(`${id}\n`);
    });
  });
}

/** One after the other; then, or when one fails, `show` gets the ids that were accepted. */
async function each<T extends Members>(
  records: readonly T[],
  work: (record: T) => Promise<string>,
  show: (ids: readonly string[], isOver: boolean) => void,
): Promise<void> {
  const accepted: string[] = [];
  for (const [at, record] of records.entries()) {
    try {
      accepted.push(await work(record));
    } catch (error) {
      show(accepted, false);
      naming(records, at, () => fail(error));
    }
  }
  show(accepted, true);
}

function fail(error: unknown): never {
  throw error;
}

/** What `work` gives; an error of it says which record of the list it is about. */
function naming<T>(records: readonly Members[], at: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (records.length === 1) throw error;
    const { id, guid, url, histUri, origin, hostname, extId, name } = records[at] ?? {};
    const known = id ?? guid ?? url ?? histUri ?? origin ?? hostname ?? extId ?? name;
    const which = typeof known === 'string' ? `, ${known.slice(0, NAME_CHARS_MAX)}` : '';
    const start = `record ${at + 1} of ${records.length}${which}: `;
    if (error instanceof SyncError) {
      throw new SyncError(error.code, start + error.message, error.detail);
    }
    if (error instanceof UsageError) throw new UsageError(start + error.message);
    if (error instanceof Failure) throw new Failure(start + error.message);
    throw error;
  }
}

/** Of what a record is called in a complaint. */
const NAME_CHARS_MAX = 100;

/** An id is no secret; a login is one. */
export function warnOfArgument([collection, text]: readonly string[], terminal: Terminal): void {
  if (collection !== 'passwords' || !/password/i.test(text ?? '')) return;
  terminal.complain(
    'kitsync: other users can see the arguments of a command while it runs: ' +
      'give logins on the input\n',
  );
}

/** Of a record as JSON, or of a list of them; `what` it is called. Errors: `UsageError`. */
export function recordsIn(text: string, what = 'record'): Members[] {
  if (text.trim() === '') throw new UsageError(`no ${what} was given`);
  let value: unknown;
  try {
    // Some editors begin a file with a mark.
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    throw new UsageError(`the ${what} is not JSON`);
  }
  const records = Array.isArray(value) ? (value as unknown[]) : [value];
  return records.map((record, at) => {
    if (typeof record === 'object' && record !== null && !Array.isArray(record)) {
      return record as Members;
    }
    const which = records.length > 1 ? `record ${at + 1} of ${records.length}: ` : '';
    throw new UsageError(`${which}a record must be a JSON object, or a list of them`);
  });
}

function idsIn(text: string): string[] {
  // The id of a login has braces too, but no JSON in them.
  if (!/^(\[|\{\s*["}])/.test(text)) return [text];
  const records = recordsIn(text);
  return records.map(({ id, guid }, at) =>
    naming(records, at, () => {
      const found = id ?? guid;
      if (typeof found === 'string') return found;
      throw new UsageError('a record to delete needs its id or guid');
    }),
  );
}
