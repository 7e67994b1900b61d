// The options of a PiCL storage, of `kitsync serve picl` and `kitsync compact`. Errors are
// UsageErrors of one line that names the option.

import { parsedUrl } from '../platform/parsed-url.ts';
import { parse, wholeNumber } from './options.ts';
import { isName } from './servers/picl/changes.ts';
import type { Keep } from './servers/picl/log.ts';
import type { PiclOptions } from './servers/picl/picl.ts';
import { UsageError } from './usage.ts';

const DAY_MS = 86_400_000;
/** Of a history, where compaction was asked for and nothing was said of it. */
const KEEP_CHANGES = '1000';
const KEEP_DAYS = '90';

/** As mutable as what reads a command line wants it. */
export const NONE: string[] = [];

export const PICL_TABLE = {
  collection: { type: 'string', multiple: true, default: NONE },
  'first-seqnum': { type: 'string', default: '1' },
  'records-key': { type: 'string', default: 'records' },
  'quoted-etags': { type: 'boolean', default: false },
  'payload-hash': { type: 'boolean', default: false },
  'keep-changes': { type: 'string' },
  'keep-days': { type: 'string' },
} as const;

interface PiclValues {
  readonly collection: readonly string[];
  readonly 'first-seqnum': string;
  readonly 'records-key': string;
  readonly 'quoted-etags': boolean;
  readonly 'payload-hash': boolean;
  readonly 'keep-changes'?: string | undefined;
  readonly 'keep-days'?: string | undefined;
}

export interface PiclServing {
  readonly picl: Partial<PiclOptions>;
  /** What compaction leaves, every hour; null: histories are kept. */
  readonly keep: Keep | null;
}

export function piclOf(values: PiclValues): PiclServing {
  const collections = values.collection.map(placeOf);
  const places = collections.flatMap(({ name, url }) =>
    url === null ? [] : ([[name, `${url}/picl`]] as const),
  );
  const isKept = values['keep-changes'] === undefined && values['keep-days'] === undefined;
  return {
    picl: {
      ...(collections.length > 0 ? { collections: collections.map(({ name }) => name) } : {}),
      places: new Map(places),
      firstSeqnum: wholeNumber('--first-seqnum', values['first-seqnum'], 0, 1) === 0 ? 0 : 1,
      recordsKey: recordsKeyOf(values['records-key']),
      quotedEtags: values['quoted-etags'],
      requirePayloadHash: values['payload-hash'],
    },
    keep: isKept ? null : keepOf(values),
  };
}

export interface CompactOptions {
  readonly database: string;
  readonly keep: Keep;
}

/** Of `kitsync compact`. */
export function parseCompact(args: readonly string[]): CompactOptions {
  const values = parse(args, {
    database: { type: 'string' },
    'keep-changes': { type: 'string' },
    'keep-days': { type: 'string' },
  });
  const { database } = values;
  if (database === undefined)
    throw new UsageError('--database is missing: which is to be compacted');
  return { database, keep: keepOf(values) };
}

function keepOf(values: Pick<PiclValues, 'keep-changes' | 'keep-days'>): Keep {
  const { 'keep-changes': changes = KEEP_CHANGES, 'keep-days': days = KEEP_DAYS } = values;
  return {
    // The head is what a device goes on from.
    changes: wholeNumber('--keep-changes', changes, 1),
    ageMs: wholeNumber('--keep-days', days, 0, 36_500) * DAY_MS,
  };
}

/** An origin: what is behind it is as on the server's own. */
function placeOf(text: string): { name: string; url: string | null } {
  const [, name = '', url = null] = /^([^=]*)(?:=(.*))?$/.exec(text) ?? [];
  const isGood = url === null || (/^https?:/.test(url) && parsedUrl(url)?.origin === url);
  if (isName(name) && isGood) return { name, url };
  const wanted = 'a name such as history, or history=https://one.example';
  throw new UsageError(`--collection must be ${wanted}, not ${JSON.stringify(text)}`);
}

function recordsKeyOf(text: string): 'records' | 'items' | 'both' {
  const known = (['records', 'items', 'both'] as const).find((name) => name === text);
  if (known !== undefined) return known;
  throw new UsageError(`--records-key must be records, items or both, not ${JSON.stringify(text)}`);
}
