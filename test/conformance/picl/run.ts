// `npm run conformance:picl -- URL`: holds a PiCL server in any language to docs/picl.md, and
// prints a line for each rule. Exit codes: 0 all hold, 1 some do not, 2 it cannot be run.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Proof } from './asking.ts';
import { hold } from './hold.ts';

const HELP = `Usage: npm run conformance:picl -- URL [options]

Holds a server to docs/picl.md. It writes into one collection of one user, under keys of its own;
nothing that is there is changed.
  URL                where the login is
  --token FILE       an access token, in a file
  --assertion FILE   instead: a BrowserID assertion, which is used for several logins
  --collection NAME  the collection (default: the first that the login names)
`;

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  return 2;
});

async function main(args: string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { token: text, assertion: text, collection: text, help: { type: 'boolean' } },
  });
  const [url] = positionals;
  if (values.help || url === undefined) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  const proof: Proof = {
    ...(values.token && { bearer: lineOf(values.token) }),
    ...(values.assertion && { assertion: async () => lineOf(values.assertion ?? '') }),
  };
  const server = { url, proof, fetch: (request: Request) => fetch(request), nowMs: Date.now };
  const results = await hold(server, values.collection ?? null, ({ id, says, why }) =>
    process.stdout.write(
      `${why === null ? 'ok    ' : 'BROKEN'} ${id} ${says}${why === null ? '' : `: ${why}`}\n`,
    ),
  );
  const broken = results.filter(({ why }) => why !== null).length;
  process.stdout.write(`${results.length - broken} rules hold, ${broken} are broken\n`);
  return broken === 0 ? 0 : 1;
}

function lineOf(path: string): string {
  return readFileSync(path, 'utf8').trim();
}
