// docs/errors.md, from what the code says: each code with its words (agent/errors.ts), what can be
// done (platform/node/cli/advice.ts) and what a command ends with. `npm run docs` writes it.

import { SyncError } from '../../agent/index.ts';
import { ADVICE_BY_CODE, BY_CAUSE, BY_WORD } from '../../platform/node/cli/advice.ts';
import { complaintOf } from '../../platform/node/cli/complaint.ts';
import { type Word, wordsOf } from './markdown.ts';

export function errorCodes(): Word[] {
  return wordsOf('agent/errors.ts', 'SyncErrorCode');
}

export function errorsPage(): string {
  const codes = errorCodes().map(({ word, means }) => {
    // What the type lists the class takes.
    const error = new SyncError(word as SyncError['code'], '');
    const advice = ADVICE_BY_CODE[error.code] ?? '';
    return [`\`${word}\``, means, advice, PASSES.get(error.retry), complaintOf(error).exitCode];
  });
  const causes = BY_CAUSE.map(([codes, advice]) => [
    codesOf(codes)
      .map((code) => `\`${code}\``)
      .join(', '),
    advice,
  ]);
  const words = [...BY_WORD].map(([word, advice]) => [`\`${word}\``, advice]);
  return `${HEAD}
${table(['code', 'means', 'what to do', 'passes', 'exit code'], codes)}
${CAUSES}
${table(['cause', 'what to do'], causes)}
${WORDS}
${table(['word', 'what to do'], words)}`;
}

const PASSES: ReadonlyMap<string, string> = new Map([
  ['later', 'by itself'],
  ['afterUser', 'when a person mends it'],
  ['never', 'not for this request'],
]);

const HEAD = `# Errors

Written by \`npm run docs\` from the code; not to be edited.

Every error has a code, which stays what it is, and a message, which names fields and limits and
may be said better one day. A command prints both in one line, \`message (code) - what to do\`,
\`status --json\` and a device's \`status\` have both as members. Other exit codes of a command: 0
done, 2 it cannot be run as it was typed or with the files that it names, 3 another device has
signed this one out. A sync that goes on (without \`--once\`) does not end with any of these: it
tries again, ever more rarely.
`;

const CAUSES = `## What lies below

Where a connection fails, the message ends with a code of the system and the host.
`;

const WORDS = `## Words of a token server

A token server that refuses a sign-in says why; the message has its word.
`;

/** The codes that an expression begins with. */
function codesOf({ source }: RegExp): string[] {
  const [, list = ''] = /^\^\(?([^) ]*)/.exec(source) ?? [];
  return list.split('|').map((code) => code.replace(/\[A-Z_\]\+/g, '...'));
}

function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}
