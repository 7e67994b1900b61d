// The `kitsync` commands for real servers. Exit codes: 0 done, 1 it failed, 2 the command cannot be run as it was
// typed. Complaints are one line on the error stream. Whatever is written is for its owner only.

import { complaintOf, UsageError } from './complaint.ts';
import { exportAll, list, put, remove, status } from './local.ts';
import { parseExport, parseList, parseLocal, parseSignIn, parseSync } from './options.ts';
import { signIn } from './sign-in.ts';
import { sync } from './sync.ts';
import { processTerminal, type Terminal } from './terminal.ts';

const HELP = `Usage: kitsync <command> [options]

sync         keeps the data of an account in a folder of this machine
  --token-server URL   the token server (with syncto: the Syncto server)
  --credentials FILE   who syncs; \`kitsync sign-in\` writes it
  --data DIR           the folder; made when it is missing
  --protocol sync15|syncto    the protocol (default sync15)
  --collections A,B    what is synced (default history,passwords)
  --initialize         makes an account's first Sync data, if it has none
  --read-only          changes nothing on the server
  --interval MINUTES   time between two syncs (default 15)
  --once               one sync, then the end
  --json               prints the agent's events, a JSON object a line

sign-in      signs in with the browser of any device
  --accounts URL       the accounts server, as a browser opens it
  --client-id ID       an OAuth client that it knows
  --redirect URL       the address that is registered for the client
  --credentials FILE   what is written
  --email ADDRESS      how the account is shown

status       what the folder holds, and how the last sync went
list COLLECTION [--prefix TEXT] [--limit N]
export [--output FILE]
put COLLECTION [JSON]          a record or a list of records, or from the input
delete COLLECTION [ID|JSON]    likewise; a record needs only its id or guid
  --data DIR           the folder
  --json               prints JSON

Exit codes: 0 done, 1 it failed, 2 usage
`;

type Command = (args: readonly string[], terminal: Terminal) => Promise<number>;

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['sync', (args, terminal) => sync(parseSync(args), terminal)],
  ['sign-in', (args, terminal) => done(signIn(parseSignIn(args), terminal))],
  ['status', (args, terminal) => done(status(parseLocal(args, []), terminal))],
  ['list', (args, terminal) => done(list(parseList(args), terminal))],
  ['export', (args, terminal) => done(exportAll(parseExport(args), terminal))],
  ['put', (args, terminal) => done(put(parseLocal(args, ['COLLECTION', 'JSON?']), terminal))],
  ['delete', (args, terminal) => done(remove(parseLocal(args, ['COLLECTION', 'ID?']), terminal))],
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
    if (command === undefined) throw new UsageError(`unknown command "${name}"`);
    return await command(rest, terminal);
  } catch (error) {
    const { line, exitCode } = complaintOf(error);
    terminal.complain(`kitsync: ${line}\n`);
    return exitCode;
  }
}

async function done(work: Promise<void>): Promise<number> {
  await work;
  return 0;
}
