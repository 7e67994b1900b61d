// `kitsync status`: how the last sync went and what the folder holds, in words. It asks no server;
// what the servers said last is in the folder's notes.

import type { Status } from '../../../agent/index.ts';
import { adviceFor } from './advice.ts';
import { duration, failureLine } from './complaint.ts';
import { type Incident, incidentText, merged } from './incidents.ts';
import { knownServices } from './known-services.ts';
import { withApi } from './local.ts';
import { readNotes, type Said, saidBy } from './notes.ts';
import type { LocalOptions } from './options.ts';
import { FIRST } from './service.ts';
import { printable, printableJson, type Terminal } from './terminal.ts';

/** Errors: `UsageError`, `Failure`, `StorageError`, `SyncError`. */
export async function status(options: LocalOptions, terminal: Terminal): Promise<void> {
  const { directory, json, remote } = options;
  const services = knownServices(readNotes(directory), remote);
  await withApi(directory, async (api, isRunning) => {
    const notes = readNotes(directory);
    const deviceName = notes.device?.name ?? null;
    const now = await api.status();
    const { remotes } = now;
    /** As if there were no other. */
    const alone = (name: string): Status => knownOf(remotes?.[name] ?? now, saidBy(notes, name));
    if (json) {
      const all = {
        ...knownOf(now, saidBy(notes, FIRST)),
        ...(remotes && { remotes: byName(remotes, alone) }),
      };
      const shown = remote === null ? all : alone(remote);
      return terminal.write(`${printableJson({ ...shown, isRunning, deviceName })}\n`);
    }
    for (const { name } of services) {
      const serverWaitMs = await api.serverWaitMs(name);
      const { incidents = [] } = saidBy(notes, name);
      const why = services.find((one) => one.name === name)?.whyNoDevices;
      const listed = why ?? deviceName;
      const rows = [
        ...rowsOf(alone(name), { isRunning, serverWaitMs }, listed),
        ...merged(incidents, [], Date.now()).map(incidentRow),
      ];
      const headed: readonly Row[] = remotes === undefined ? rows : [['service', name], ...rows];
      const lines = headed.map(([title, value]) => title.padEnd(NAME_CHARS) + value);
      terminal.write(`${name === services[0]?.name ? '' : '\n'}${lines.join('\n')}\n`);
    }
  });
}

function byName(remotes: object, alone: (name: string) => Status): { [name: string]: Status } {
  return Object.fromEntries(Object.keys(remotes).map((name) => [name, alone(name)]));
}

function knownOf(now: Status, { said, lastSyncMs }: Said): Status {
  return {
    ...now,
    // A sync that finds nothing new writes nothing else.
    lastSyncMs: now.lastSyncMs === null ? null : (lastSyncMs ?? now.lastSyncMs),
    // After a restart the agent knows only the code of its last error.
    error: now.error?.code === said.error?.code ? said.error : now.error,
    alert: now.alert ?? said.alert,
    quotaRemainingBytes: now.quotaRemainingBytes ?? said.quotaRemainingBytes,
  };
}

function incidentRow(incident: Incident): Row {
  return ['seen', `${incidentText(incident)}, last seen ${whenWas(incident.lastMs)}`];
}

const NAME_CHARS = 19;

type Row = readonly [name: string, value: string];

interface Run {
  readonly isRunning: boolean;
  /** See stored.ts. */
  readonly serverWaitMs: number;
}

function rowsOf(now: Status, runs: Run, deviceName: string | null): Row[] {
  const { isRunning } = runs;
  const { account, lastSyncMs, alert, quotaRemainingBytes } = now;
  return [
    ['account', printable(account ?? 'none')],
    ['this device', deviceName === null ? 'not among the devices of the account' : deviceName],
    ['sync', isRunning ? `running (${now.state})` : 'not running'],
    ['last sync', lastSyncMs === null ? 'never' : whenWas(lastSyncMs)],
    ...troubles(now, runs),
    ...optional('the server says', alert === null ? null : alertText(alert)),
    ...optional('room left', quotaRemainingBytes === null ? null : sizeText(quotaRemainingBytes)),
    ...Object.entries(now.collections)
      .filter(([, { enabled, held }]) => enabled || held > 0)
      .map(([name, collection]): Row => [name, collectionText(collection)]),
    ...Object.entries(now.unsent ?? {}).map(
      ([name, changes]): Row => [
        name,
        `another service has it now; changes of before that wait here for it: ${changes}`,
      ],
    ),
  ];
}

function troubles({ error, notBeforeMs }: Status, { isRunning, serverWaitMs }: Run): Row[] {
  const wait = isRunning
    ? notBeforeMs && `no request goes out for another ${until(notBeforeMs - Date.now())}`
    : serverWaitMs && `the server wants no request for another ${until(serverWaitMs)}`;
  // That there is a wait is no error of its own.
  if (error === null || error.code === 'backoff') return optional('waiting', wait || null);
  return [
    ['error', failureLine(error)],
    ...optional('what to do', adviceFor(error)),
    ...optional('waiting', wait || null),
  ];
}

function collectionText(is: Status['collections'][string]): string {
  const { held, pending, quarantined, unknownForm, conflicts = 0 } = is;
  return [
    `${held} held, ${pending} to send, ${quarantined} set aside`,
    ...(unknownForm > 0
      ? [`${unknownForm} of them of a form that this version does not know`]
      : []),
    ...(conflicts > 0 ? [`${conflicts} to be decided: kitsync conflicts`] : []),
    ...(!is.enabled ? ['off'] : is.readOnly ? ['read-only'] : []),
    ...(is.declined ? ['declined on another device'] : []),
    ...(is.absent ? ['not among the collections of the account'] : []),
    ...(is.encrypted === false ? ['readable by its server'] : []),
    ...(is.stopped === null ? [] : ['stopped: the account has it in a newer form']),
  ].join(', ');
}

function optional(name: string, value: string | null): Row[] {
  return value === null ? [] : [[name, value]];
}

/** Either the words themselves, or a message with a code and an address. */
function alertText(alert: string): string {
  let words: unknown[] = [alert];
  try {
    const { message, url } = JSON.parse(alert);
    if (typeof message === 'string') words = [message, url ?? ''];
  } catch {
    // Then it is not JSON.
  }
  return printable(words.join(' ')).trim();
}

function sizeText(bytes: number): string {
  return bytes < 10_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${Math.round(bytes / 1e6)} MB`;
}

function whenWas(timeMs: number): string {
  const agoMs = Date.now() - timeMs;
  return agoMs < 0 ? localTime(timeMs) : `${localTime(timeMs)} (${duration(agoMs)} ago)`;
}

function until(waitMs: number): string {
  return `${duration(waitMs)}, until ${localTime(Date.now() + waitMs)}`;
}

function localTime(timeMs: number): string {
  return new Date(timeMs).toLocaleString('sv-SE');
}
