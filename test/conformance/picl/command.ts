// Holds a PiCL server in any language to docs/picl.md, and prints a line for each rule. Exit codes:
// 0 all hold, 1 some do not, 2 it cannot be run.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parsedUrl } from '../../../platform/parsed-url.ts';
import { Broken, type Server } from './asking.ts';
import { hold } from './hold.ts';

const HELP = `Usage: npm run conformance:picl -- URL [options]

Holds a server to docs/picl.md. It writes into one collection of one user, under keys of its own:
nothing that is there is changed, but the user's own devices go on with none of it afterwards.
  URL                where the login is
  --token FILE       an access token, in a file
  --assertion FILE   instead: a BrowserID assertion, which is used for several logins
  --collection NAME  the collection (default: the first that nobody has written)

Exit codes: 0 all rules hold, 1 some are broken, 2 it cannot be run
`;

interface Output {
  write(text: string): void;
  complain(text: string): void;
}

/** It cannot be run: the message is one line for people. */
class Unusable extends Error {}

/** Runs the command; resolves to the exit code. */
export async function main(args: readonly string[], output: Output): Promise<number> {
  if (args.includes('--help')) {
    output.write(HELP);
    return 0;
  }
  try {
    return await run(args, output);
  } catch (error) {
    if (!(error instanceof Unusable || error instanceof Broken)) throw error;
    output.complain(`conformance:picl: ${error.message}\n`);
    return 2;
  }
}

async function run(args: readonly string[], { write }: Output): Promise<number> {
  const { server, collection } = parsed(args);
  const results = await hold(server, collection, ({ id, says, why }) =>
    write(`${why === null ? 'ok    ' : 'BROKEN'} ${id} ${says}${why === null ? '' : `: ${why}`}\n`),
  );
  const broken = results.filter(({ why }) => why !== null).length;
  write(`${results.length - broken} rules hold, ${broken} are broken\n`);
  return broken === 0 ? 0 : 1;
}

const text = { type: 'string' } as const;
const OPTIONS = { token: text, assertion: text, collection: text } as const;

function parsed(args: readonly string[]): { server: Server; collection: string | null } {
  const { values, positionals } = typed(args);
  const [url, more] = positionals;
  if (url === undefined) throw new Unusable('URL is missing; --help says how it is called');
  if (more !== undefined) throw new Unusable(`one word too many: ${more}`);
  if (!/^https?:$/.test(parsedUrl(url)?.protocol ?? ''))
    throw new Unusable(`URL must be an http or https URL, not "${url}"`);
  const { token, assertion, collection = null } = values;
  if ((token === undefined) === (assertion === undefined))
    throw new Unusable('either --token or --assertion must be given: it says who logs in');
  const secret = lineOf(token ?? assertion ?? '');
  const proof = token === undefined ? { assertion: async () => secret } : { bearer: secret };
  return { server: { url, proof, fetch: asked, nowMs: Date.now }, collection };
}

function typed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw new Unusable((error as Error).message.split(/[.\n]/, 1)[0]);
  }
}

function lineOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Unusable(`cannot read ${path}: ${(error as Error).message}`);
  }
}

/** A server that does not answer is told by its name. */
async function asked(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const { cause, message } = error as Error;
    const why = cause instanceof Error ? cause.message : message;
    throw new Unusable(`${new URL(request.url).host}: ${why}`);
  }
}
