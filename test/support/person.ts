// A person with an account of five pages, a computer and its folder, for tests of the commands that
// sign in and out.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Run, run, serveAccount } from './commands.ts';
import { temporaryFolder } from './folders.ts';

export type Person = Awaited<ReturnType<typeof newPerson>>;

/** The servers are to be closed. */
export async function newPerson() {
  const serving = await serveAccount(5);
  const { urls, account } = serving.world;
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const credentials = join(folder, 'credentials.json');
  const accountArgs = (command: string, ...more: string[]): string[] => [
    ...[command, '--accounts', urls.accounts, '--client-id', 'c11e27'],
    ...['--credentials', credentials, ...more],
  ];
  return {
    ...{ serving, folder, data, credentials, accountArgs },
    /** What the credentials file says. */
    read: () => JSON.parse(readFileSync(credentials, 'utf8')),
    /** One sync. */
    once: (...more: string[]): Promise<Run> =>
      run([
        ...['sync', '--token-server', urls.token, '--credentials', credentials],
        ...['--data', data, '--once', ...more],
      ]),
    /** With the account's own password, unless another one is typed. */
    signIn: (typed: string = account.password, email: string = account.email): Promise<Run> =>
      run(accountArgs('sign-in', '--password', '--email', email), typed),
  };
}
