// The `kitsync` commands for real servers. Exit codes: 0 done, 1 it failed, 2 the command cannot be run as it was
// typed, 3 another device has signed this one out. Complaints are one line on the error stream. Whatever is written
// is for its owner only.

import { withoutUserInfo } from '../server-url.ts';
import { check } from './check.ts';
import { complaintOf, UsageError } from './complaint.ts';
import { put, remove } from './edits.ts';
import { devices, exportAll, list } from './local.ts';
import {
  parseCheck,
  parseExport,
  parseImport,
  parseList,
  parseLocal,
  parseSignIn,
  parseSignOut,
  parseSync,
} from './options.ts';
import { importAccount, signIn } from './sign-in.ts';
import { signOut } from './sign-out.ts';
import { status } from './status.ts';
import { sync } from './sync.ts';
import { processTerminal, type Terminal } from './terminal.ts';

const HELP = `Usage: kitsync <command> [options]

sign-in      signs in with the browser of any device, or with a password
  --accounts URL       the accounts server, as a browser opens it
  --client-id ID       an OAuth client that it knows
  --credentials FILE   what is written
  --redirect URL       the address that is registered for the client
  --password           instead: reads the password from the terminal or the input
  --email ADDRESS      how the account is shown; with --password, whose it is
  --allow-http         servers on other machines may be asked without encryption

import [FILE]          signs in with what a trusted device hands over, in a file or the input
  --accounts, --client-id, --credentials, --email, --allow-http    as above

sync         keeps the data of an account in a folder of this machine
  --token-server URL   the token server (with syncto: the Syncto server)
  --allow-http         as above, and wherever the token server leads to
  --credentials FILE   who syncs
  --data DIR           the folder; made when it is missing
  --protocol sync15|syncto    the protocol (default sync15)
  --collections A,B    what is synced (default history,passwords)
  --device-name NAME   how the account's other devices see this one (default: the host's name)
  --no-device          they do not see it
  --read-only          changes nothing at all on the server
  --initialize         makes an account's first Sync data, if it has none, after asking
  --yes                has said yes to that already
  --interval MINUTES   time between two syncs (default 15)
  --once               one sync, then the end
  --json               prints the agent's events, a JSON object a line

status       what the folder holds, and how the last sync went
devices      the account's other devices
list COLLECTION [--prefix TEXT] [--limit N]
export [--output FILE]
put COLLECTION [JSON]          a record or a list of records, or from the input: give passwords
                               there, for other users can see arguments while a command runs
delete COLLECTION [ID...|JSON] ids, or records as put has them: their id or guid is enough
  --data DIR           the folder
  --json               prints JSON

check [COLLECTION...]          reads all that the folder holds, and tells what is damaged
  --repair             has the next sync fetch these collections anew, or all
  --data, --json       as above

sign-out     removes the account's data from this machine
  --data DIR           the folder
  --credentials FILE   gives the sign-in back to the accounts server, too
  --forget-credentials removes that file
  --allow-http         as above
  --yes                does not ask

Exit codes: 0 done, 1 it failed, 2 usage, 3 another device has signed this one out
`;

type Command = (args: readonly string[], terminal: Terminal) => Promise<number>;

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['sync', (args, terminal) => sync(parseSync(args), terminal)],
  ['sign-in', (args, terminal) => done(signIn(parseSignIn(args), terminal))],
  ['import', (args, terminal) => done(importAccount(parseImport(args), terminal))],
  ['sign-out', (args, terminal) => done(signOut(parseSignOut(args), terminal))],
  ['check', (args, terminal) => check(parseCheck(args), terminal)],
  ['status', (args, terminal) => done(status(parseLocal(args, []), terminal))],
  ['devices', (args, terminal) => done(devices(parseLocal(args, []), terminal))],
  ['list', (args, terminal) => done(list(parseList(args), terminal))],
  ['export', (args, terminal) => done(exportAll(parseExport(args), terminal))],
  ['put', (args, terminal) => done(put(parseLocal(args, ['COLLECTION', 'JSON?']), terminal))],
  [
    'delete',
    (args, terminal) => done(remove(parseLocal(args, ['COLLECTION', 'ID...?']), terminal)),
  ],
]);

/** Runs a command; resolves to the exit code. */
export async function main(
  args: readonly string[],
  terminal: Terminal = processTerminal,
): Promise<number> {
  const [name = '', ...rest] = args;
  process.umask(0o077);
  try {
    if (rest.includes('--help')) {
      terminal.write(HELP);
      return 0;
    }
    const command = COMMANDS.get(name);
    if (command === undefined) throw unknownCommand(name);
    return await command(rest, terminal);
  } catch (error) {
    const { line, exitCode } = complaintOf(error);
    terminal.complain(`kitsync: ${withoutUserInfo(line)}\n`);
    return exitCode;
  }
}

function unknownCommand(name: string): UsageError {
  return new UsageError(`unknown command "${name}"; \`kitsync help\` lists them`);
}

async function done(work: Promise<void>): Promise<number> {
  await work;
  return 0;
}
