// The `kitsync` commands for real servers. Exit codes: 0 done, 1 it failed, 2 the command cannot be
// run as it was typed, 3 another device has signed this one out. Complaints are one line on the
// error stream. Whatever is written is for its owner only.

import { withoutUserInfo } from '../server-url.ts';
import { apps } from './apps.ts';
import { parseApps } from './apps-options.ts';
import { check } from './check.ts';
import { complaintOf, UsageError } from './complaint.ts';
import { conflicts, resolve } from './conflicts.ts';
import { contacts } from './contacts.ts';
import { doctor } from './doctor.ts';
import { put, remove } from './edits.ts';
import { helpOf, versionLine, wishOf } from './help.ts';
import { signInToKinto } from './kinto-sign-in.ts';
import { devices, exportAll, list } from './local.ts';
import {
  parseCheck,
  parseContacts,
  parseDoctor,
  parseExport,
  parseImport,
  parseList,
  parseLocal,
  parseOfService,
  parseResolve,
  parseSignIn,
  parseSignOut,
  parseSync,
} from './options.ts';
import { signInToOwa } from './owa-sign-in.ts';
import { quarantine } from './quarantine.ts';
import { importAccount, signIn } from './sign-in.ts';
import { signOut } from './sign-out.ts';
import { status } from './status.ts';
import { sync } from './sync.ts';
import { syncNow } from './sync-now.ts';
import { processTerminal, type Terminal } from './terminal.ts';

type Command = (args: readonly string[], terminal: Terminal) => Promise<number>;

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['sync', (args, terminal) => sync(parseSync(args), terminal)],
  [
    'sign-in',
    (args, terminal) => {
      const options = parseSignIn(args);
      if ('owaUrl' in options) return done(signInToOwa(options, terminal));
      if ('kintoUrl' in options) return done(signInToKinto(options, terminal));
      return done(signIn(options, terminal));
    },
  ],
  ['import', (args, terminal) => done(importAccount(parseImport(args), terminal))],
  ['sign-out', (args, terminal) => done(signOut(parseSignOut(args), terminal))],
  ['doctor', (args, terminal) => doctor(parseDoctor(args), terminal)],
  ['check', (args, terminal) => check(parseCheck(args), terminal)],
  ['status', (args, terminal) => done(status(parseOfService(args, []), terminal))],
  [
    'quarantine',
    (args, terminal) => done(quarantine(parseOfService(args, ['COLLECTION...?']), terminal)),
  ],
  ['sync-now', (args, terminal) => syncNow(parseOfService(args, []), terminal)],
  ['devices', (args, terminal) => done(devices(parseOfService(args, []), terminal))],
  ['list', (args, terminal) => done(list(parseList(args), terminal))],
  ['export', (args, terminal) => done(exportAll(parseExport(args), terminal))],
  [
    'conflicts',
    (args, terminal) => done(conflicts(parseOfService(args, ['COLLECTION...?']), terminal)),
  ],
  ['resolve', (args, terminal) => done(resolve(parseResolve(args), terminal))],
  ['contacts', (args, terminal) => contacts(parseContacts(args), terminal)],
  ['apps', (args, terminal) => done(apps(parseApps(args), terminal))],
  ['put', (args, terminal) => done(put(parseLocal(args, ['COLLECTION', 'JSON?']), terminal))],
  [
    'delete',
    (args, terminal) => done(remove(parseLocal(args, ['COLLECTION', 'ID...?']), terminal)),
  ],
]);

export const COMMAND_NAMES: readonly string[] = [...COMMANDS.keys()];

/** Runs a command; resolves to the exit code. */
export async function main(
  args: readonly string[],
  terminal: Terminal = processTerminal,
): Promise<number> {
  const [name = '', ...rest] = args;
  process.umask(0o077);
  try {
    const wish = wishOf(args);
    const command = COMMANDS.get(name);
    if (command === undefined && wish !== 'version') throw unknownCommand(name);
    if (wish !== null) {
      terminal.write(wish === 'version' ? versionLine() : (helpOf(name) ?? ''));
      return 0;
    }
    return (await command?.(rest, terminal)) ?? 0;
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
