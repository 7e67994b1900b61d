// `--help` and `--version`, which every command of `kitsync` has: they are looked for before
// anything else is, and then nothing else is done.

import { versionOf } from './device.ts';

/**
 * What the arguments of a command ask for instead of its work; null: nothing. Behind `--` all are
 * words.
 */
export function wishOf(args: readonly string[]): 'help' | 'version' | null {
  const end = args.indexOf('--');
  const options = end < 0 ? args : args.slice(0, end);
  if (options.includes('--version')) return 'version';
  return options.includes('--help') || options.includes('-h') ? 'help' : null;
}

export function versionLine(): string {
  return `kitsync ${versionOf()}\n`;
}

/** How a command is typed, and what its options are; null: there is no such command. */
export function helpOf(command: string): string | null {
  const text = TEXTS.get(command);
  if (text === undefined) return null;
  return `Usage: kitsync ${text}\nEvery command: --help, --version\n${EXIT_CODES}`;
}

/** The commands, a line each. */
export const COMMAND_LINES = `
  sign-in      signs in with the browser of any device, with a password, to a Kinto, or to a
               server of Open Web Apps
  import       signs in with what a trusted device hands over
  doctor       looks for what keeps a sync from working, and says what to do
  sync         keeps the data of an account in a folder of this machine
  sync-now     has the sync that runs on a folder sync at once
  status       what the folder holds, and how the last sync went
  quarantine   what was set aside, and why
  conflicts    what was changed here and elsewhere, and waits to be decided
  resolve      decides one of these
  devices      the account's other devices
  list         records of a collection
  export       all records, as JSON
  contacts     reads and writes files of vCards
  apps         the user's web apps: lists, installs, removes, promotes and hides them
  put, delete  changes records
  check        reads all that the folder holds, and tells what is damaged
  sign-out     removes the account's data from this machine
`;

const EXIT_CODES = `
Exit codes: 0 done, 1 it failed, 2 usage, 3 another device has signed this one out
`;

const ACCOUNT = `  --accounts URL       the accounts server, as a browser opens it
  --client-id ID       an OAuth client that it knows
  --credentials FILE   what is written
  --email ADDRESS      how the account is shown; with --password, whose it is
  --allow-http         servers on other machines may be asked without encryption
`;

const SERVER = `  --token-server URL   the token server (with syncto: the Syncto server; with kinto
                       and owa none is needed: their credentials say where it is)
  --allow-http         servers on other machines may be asked without encryption, wherever the
                       token server leads to
  --credentials FILE   who syncs
`;

const PROTOCOL = `  --protocol sync15|syncto|kinto|owa    the protocol (default sync15)
  --collections A,B    what is synced (default history,passwords; with kinto
                       contacts,settings,reading-list; with owa apps, and nothing else);
                       generic(NAME) is an app's own
  --remote NAME=PROTOCOL[:COLLECTIONS]    one more service, and what is synced with it; again for
                       another. Its --token-server and --credentials are given as NAME=VALUE
`;

const OF_SERVICE = `  --remote NAME        of this service only (first: the one without a name)
`;

const FOLDER = `  --data DIR           the folder
  --json               prints JSON
`;

const TEXTS: ReadonlyMap<string, string> = new Map([
  [
    'sign-in',
    `sign-in [options]

Signs in with the browser of any device, or with a password.
${ACCOUNT}  --redirect URL       the address that is registered for the client
  --password           instead: reads the password from the terminal or the input
To a Kinto, with --credentials and --allow-http as above:
  --kinto URL          the server
  --user NAME          the user there; the password is read from the terminal or the input
  --bearer             reads a token in place of a password
  --password-file FILE    reads either from a file that only you can read; else the environment's
                       KITSYNC_PASSWORD is taken, where it is set
  --key-of FILE        the key is that of the account in these credentials, without a code
  --code               asks for a recovery code though the file has a key, or nothing is there yet;
                       KITSYNC_RECOVERY_CODE is taken, where it is set
  --new-key            makes a key beside what is there under one that is lost
The first sign-in of a user makes a key and prints its recovery code, once; others ask for it.
To a server of Open Web Apps, with --accounts, --email, --credentials, --password-file and
--allow-http as above:
  --owa URL            the server, or where a client logs in there. It reads what it keeps
`,
  ],
  [
    'import',
    `import [FILE] [options]

Signs in with what a trusted device hands over, in a file or the input.
${ACCOUNT}`,
  ],
  [
    'doctor',
    `doctor [options]

Looks at each thing that a sync needs, a line each, and says what to do where it is missing:
the rights of the files, name, connection, clock, token server, storage. Changes nothing.
${SERVER}  --data DIR           the folder, if its rights shall be looked at
${PROTOCOL}  --json               prints a JSON object a line
Exit code 1: something is not ok.
`,
  ],
  [
    'sync',
    `sync [options]

Keeps the data of an account in a folder of this machine.
${SERVER}  --data DIR           the folder; made when it is missing
${PROTOCOL}  --strategy COLLECTION=WORD    what becomes of changes that meet others, from now on:
                       remoteWins, localWins, merge, manual (see kitsync conflicts), or default,
                       the collection's own rule; again for another
  --device-name NAME   how the account's other devices see it (default: the host's name)
  --no-device          they do not see it
  --read-only          changes nothing at all on the server
  --initialize         makes an account's first Sync data, if it has none, after asking
  --yes                has said yes to that already
  --interval MINUTES   time between two syncs (default 15)
  --once               one sync, then the end
  --json               prints the agent's events, a JSON object a line
`,
  ],
  [
    'sync-now',
    `sync-now [options]

Has the sync that runs on the folder sync at once, whatever its interval, and tells how that went.
${FOLDER}${OF_SERVICE}`,
  ],
  [
    'status',
    `status [options]

What the folder holds, and how the last sync went.
${FOLDER}${OF_SERVICE}`,
  ],
  [
    'quarantine',
    `quarantine [COLLECTION...] [options]

The records that were set aside, and why: collection, id, code, since which version, in words.
${FOLDER}${OF_SERVICE}`,
  ],
  [
    'conflicts',
    `conflicts [COLLECTION...] [options]

What was changed here and elsewhere in collections that are synced with --strategy manual, and waits
to be decided: collection, id, tag and name, then what the versions have not alike, a line each:
before (was), here (ours), on the server (theirs). Passwords are not shown without --json.
${FOLDER}${OF_SERVICE}`,
  ],
  [
    'resolve',
    `resolve COLLECTION ID ours|theirs [options]
       kitsync resolve COLLECTION ID --record JSON|--delete [options]

Decides a conflict: this version is left here and, after the next sync, everywhere. Put -- before an
id that begins with --.
${FOLDER}  --record JSON        neither: what is otherwise than here, as put takes it (-: the input)
  --delete             neither: the record goes
  --tag TAG            only if the versions are still those that were listed with this tag
`,
  ],
  [
    'devices',
    `devices [options]

The account's other devices.
${FOLDER}${OF_SERVICE}`,
  ],
  [
    'list',
    `list COLLECTION [options]

Records of a collection; without --json, nothing that is secret in them.
${FOLDER}  --prefix TEXT        those whose address, site or name begins with it
  --limit N            at most so many (default 20)
`,
  ],
  [
    'export',
    `export [options]

All records by collection, as JSON, passwords too.
${FOLDER}  --output FILE        into a file of its owner, not to the output
`,
  ],
  [
    'contacts',
    `contacts import FILE... [options]
       kitsync contacts export [FILE] [options]

Files of vCards, as phones and mail programs have them. import adds to the folder's contacts what
they lack: the same file again adds nothing. Versions 2.1, 3.0 and 4.0 are read. export writes all
contacts into the file, or to the output.
  --data DIR           the folder
  --json               import prints JSON
  --vcard 3.0|4.0      what export writes (default 3.0, which more programs read)
Exit code 1: a card was refused, and the others were taken.
`,
  ],
  [
    'apps',
    `apps list [options]
       kitsync apps install ORIGIN [FILE] [options]
       kitsync apps remove ORIGIN... [options]
       kitsync apps promote|hide ORIGIN... [options]

The user's web apps, where the collection apps is synced. Those of this machine lie in the folder
apps of the data, a file each. list prints origin, name, where it is from, and its state; install
takes the manifest from the file or the input; remove is for all devices; promote shows an app from
elsewhere among those of this machine, hide shows it nowhere here.
  --data DIR           the folder
  --purpose WHICH      list: own (default), remote, pick (both), hidden or all
  --limit N            list: at most so many (default 1000)
  --json               list: prints JSON
  --manifest-url URL   install: where the manifest is from
  --off                promote and hide: not any more
`,
  ],
  [
    'put',
    `put COLLECTION [JSON] [options]

A record or a list of records, or from the input: give passwords there, for other users can see
arguments while a command runs. Prints the ids.
${FOLDER}`,
  ],
  [
    'delete',
    `delete COLLECTION [ID...|JSON] [options]

Ids, or records as put has them: their id or guid is enough. Put -- before an id that begins
with --.
${FOLDER}`,
  ],
  [
    'check',
    `check [COLLECTION...] [options]

Reads all that the folder holds, and tells what is damaged.
${FOLDER}${OF_SERVICE}  --repair             has the next sync fetch these collections anew, or all
`,
  ],
  [
    'sign-out',
    `sign-out [options]

Removes the account's data from this machine.
  --data DIR           the folder
  --remote NAME        signs out of this service only (first: the one without a name)
  --credentials FILE   gives the sign-in back to the accounts server, too; of a further service
                       as NAME=FILE
  --forget-credentials removes that file
  --allow-http         servers on other machines may be asked without encryption
  --yes                does not ask
`,
  ],
]);
