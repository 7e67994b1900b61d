// What a person typed after `kitsync picl`, checked, and how it is typed.

import { parseArgs } from 'node:util';
import { parted } from '../command-line.ts';
import { ServerUrlRefused, serverUrlOf } from '../server-url.ts';
import { type Head, headOfTag } from './reading.ts';
import { UsageError } from './usage.ts';

export const HELP = `Usage: kitsync picl verify COLLECTION [options]
       kitsync picl log COLLECTION [options]

A second reading of what a PiCL server holds, which shares nothing with the one that syncs.
verify walks the collection's whole chain and prints the head that it proves, or the first change
that does not follow. log prints what changed, in order, opened.
  --server URL         where the login is; with --credentials
  --file FILE          instead: answers to /changes that were kept, a JSON document or one a line
  --credentials FILE   the user's sign-in: its token signs in, its key proves and opens
  --key-file FILE      the key alone: JSON with root, kB or key, as docs/picl.md has them.
                       Without a key verify looks at the chain, and at no signature
  --head SEQNUM-ID     a head that was verified before, here or by another device
  --compacted          the file does not begin with the first change
  --opaque             ids are made in a way that this does not know
  --json               prints JSON
  --allow-http         a server on another machine may be asked without encryption

Exit codes: 0 done, 1 the chain is broken or the server does not answer, 2 usage
`;

export interface PiclOptions {
  readonly command: 'verify' | 'log';
  readonly collection: string;
  /** One of both is there. */
  readonly server: string | null;
  readonly file: string | null;
  readonly credentials: string | null;
  readonly keyFile: string | null;
  readonly earlier: Head | null;
  readonly isCompacted: boolean;
  readonly isOpaque: boolean;
  readonly json: boolean;
  readonly allowHttp: boolean;
}

/** Errors: UsageError. */
export function parsePicl(args: readonly string[]): PiclOptions {
  const { values, words } = parsed(args);
  const [command, collection] = words;
  if (command !== 'verify' && command !== 'log')
    throw new UsageError('picl must be followed by verify or log; --help shows both');
  if (collection === undefined) throw new UsageError('COLLECTION is missing');
  if (!/^[\w-]{1,64}$/.test(collection))
    throw new UsageError('COLLECTION must be 1 to 64 letters, digits, "_" and "-"');
  if (words.length > 2) throw new UsageError('one word too many');
  const { server = null, file = null, credentials = null, head } = values;
  const { 'key-file': keyFile = null, 'allow-http': allowHttp } = values;
  if ((server === null) === (file === null))
    throw new UsageError('either --server or --file must be given');
  if (server !== null && credentials === null)
    throw new UsageError('--credentials is missing: --server signs in with it');
  if (command === 'log' && credentials === null && keyFile === null)
    throw new UsageError('--key-file is missing: log opens what was sealed');
  return {
    ...{ command, collection, file, credentials, keyFile, allowHttp },
    server: server === null ? null : serverOf(server, allowHttp),
    earlier: earlierOf(head),
    isCompacted: values.compacted,
    isOpaque: values.opaque,
    json: values.json,
  };
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;

const OPTIONS = {
  ...{ server: text, file: text, credentials: text, 'key-file': text, head: text },
  ...{ compacted: flag, opaque: flag, json: flag, 'allow-http': flag },
} as const;

function parsed(args: readonly string[]) {
  try {
    const line = parted(args, OPTIONS, true);
    return {
      values: parseArgs({ args: line.options, options: OPTIONS }).values,
      words: line.words,
    };
  } catch (error) {
    throw new UsageError((error as Error).message.split(/[.\n]/, 1)[0] ?? '');
  }
}

function serverOf(url: string, allowHttp: boolean): string {
  try {
    return serverUrlOf('--server', url, { allowHttp, mayShow: true });
  } catch (error) {
    throw error instanceof ServerUrlRefused ? new UsageError(error.message) : error;
  }
}

function earlierOf(tag: string | undefined): Head | null {
  if (tag === undefined) return null;
  const head = headOfTag(tag);
  if (head === null) throw new UsageError('--head must be SEQNUM-ID, as verify prints it');
  return head;
}
