// `kitsync picl`: what a PiCL server holds, seen by a second implementation. Exit codes: 0 done,
// 1 the chain is broken or could not be read, 2 it cannot be run as it was typed.

import { type Change, keysOf } from './chain.ts';
import { type Renewal, readSign } from './keys.ts';
import { entryOf, lineOf, shown } from './log.ts';
import { HELP, type PiclOptions, parsePicl } from './options.ts';
import { serverSource } from './server.ts';
import { fileSource, type Source } from './source.ts';
import { Failure, UsageError } from './usage.ts';
import { type Verdict, verify } from './verify.ts';

interface Output {
  write(text: string): void;
  complain(text: string): void;
}

/** Runs a command; resolves to the exit code. */
export async function main(
  args: readonly string[],
  output: Output = {
    write: (text) => void process.stdout.write(text),
    complain: (text) => void process.stderr.write(text),
  },
): Promise<number> {
  if (args.includes('--help')) {
    output.write(HELP);
    return 0;
  }
  try {
    return await run(parsePicl(args), output);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof Failure)) throw error;
    output.complain(`kitsync: ${error.message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function run(options: PiclOptions, { write, complain }: Output): Promise<number> {
  const { command, collection, credentials, keyFile, earlier, isOpaque, json } = options;
  const sign = credentials === null ? null : readSign(credentials);
  const root = (keyFile === null ? null : readSign(keyFile).root) ?? sign?.root ?? null;
  const keys = root && keysOf(root, collection);
  const source = await sourceOf(options, sign?.token ?? null);
  if (command === 'verify') {
    const verdict = await verify(source, { keys, isOpaque, earlier });
    write(json ? `${shown(verdict)}\n` : linesOf(verdict, collection, keys !== null));
    return verdict.violation === null ? 0 : 1;
  }
  if (keys === null) throw new UsageError('log opens what was sealed: there is no key');
  const each = (change: Change) => {
    const entry = entryOf(change, collection, keys);
    write(json ? `${shown(entry)}\n` : lineOf(entry));
  };
  const verdict = await verify(source, { keys, isOpaque, earlier, each });
  if (verdict.violation === null) return 0;
  complain(`kitsync: ${linesOf(verdict, collection, true)}`);
  return 1;
}

async function sourceOf(options: PiclOptions, token: string | Renewal | null): Promise<Source> {
  const { server, file, credentials, collection, allowHttp, isCompacted } = options;
  if (file !== null) return fileSource(file, isCompacted);
  if (token === null)
    throw new UsageError(`${credentials}: accessToken or refreshToken is missing`);
  return serverSource({ url: server ?? '', token, collection, allowHttp });
}

function linesOf(verdict: Verdict, collection: string, isSigned: boolean): string {
  const { violation, what, head, changes, records, isCompacted } = verdict;
  const proven = head === null ? 'nothing' : `${head.seqnum}-${head.changeid}`;
  if (violation !== null) {
    const { index, seqnum, reason } = violation;
    const where = [
      ...(index === null ? [] : [`index ${index}`]),
      ...(seqnum === null ? [] : [`seqnum ${seqnum}`]),
      ...(what === null ? [] : [what]),
    ];
    const hint =
      reason === 'bad-signature' && changes === 0
        ? `nothing of it is signed: is it the log of ${collection}, and this the key of its user?\n`
        : '';
    return `violation: ${[reason, ...where].join(', ')}\n${hint}proven before it: ${proven}\n`;
  }
  const notes = [
    ...(isSigned ? [] : ['no signature was looked at: there is no key']),
    ...(isCompacted ? ['what came before the first change was compacted'] : []),
    ...(records === null ? [] : [`records compared: ${records}`]),
  ];
  return `head: ${proven}\nchanges: ${changes}\n${notes.map((note) => `${note}\n`).join('')}`;
}
