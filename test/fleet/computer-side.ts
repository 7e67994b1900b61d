// `kitsync sync --once` as a process for each pass, on one folder.

import { join } from 'node:path';
import type { PassReport } from '../../emulator/ledger.ts';
import { startCommand } from '../../platform/node/cli/testing.ts';
import { run } from '../support/commands.ts';
import { temporaryFolder } from '../support/folders.ts';
import { memoryOf } from './cluster.ts';
import { type Kind, type Side, thingOf, viewOf } from './side.ts';
import { outcomeOf } from './television-side.ts';

interface ComputerSide extends Side {
  /** Resident at most, of the last pass's process. */
  peakBytes(): number;
}

const LOOK_MS = 40;

/** Signed in with a password, and synced for the first time. */
export async function computerSide(url: string, password: string): Promise<ComputerSide> {
  const folder = temporaryFolder();
  const credentials = join(folder, 'credentials.json');
  const data = join(folder, 'data');
  const account = ['--accounts', `${url}/accounts`, '--client-id', 'any'];
  const user = ['--email', 'user@example.test', '--credentials', credentials];
  const tell = async (args: readonly string[], input = '') => {
    const { code, out, complaints } = await run(args, input);
    if (code !== 0) throw new Error(`kitsync ${args[0]}: ${complaints}`);
    return out;
  };
  await tell(['sign-in', '--password', ...account, ...user], password);
  const start = () =>
    startCommand([
      ...['sync', '--once', '--json', '--protocol', 'syncto', '--token-server', `${url}/syncto`],
      ...['--credentials', credentials, '--data', data],
    ]);
  let peakBytes = 0;
  const listed = async (kind: Kind, ...more: string[]): Promise<View[]> =>
    JSON.parse(await tell(['list', kind, '--data', data, '--limit', '5000', '--json', ...more]));
  const found = async (kind: Kind, key: string) =>
    (await listed(kind, '--prefix', key)).find((view) => thingOf(kind, view).key === key);
  const side: ComputerSide = {
    name: 'computer',
    findsDoubles: true,
    async value(kind, key) {
      const view = await found(kind, key);
      return view === undefined ? null : thingOf(kind, view).value;
    },
    async put(kind, thing) {
      const record = viewOf(kind, thing, (await found(kind, thing.key))?.guid);
      await tell(['put', kind, '--data', data], JSON.stringify(record));
    },
    async delete(kind, key) {
      const { guid } = (await found(kind, key)) ?? {};
      await tell(['delete', kind, '--data', data, '--', String(guid)]);
      return true;
    },
    held: async (kind) => (await listed(kind)).map((view) => thingOf(kind, view)),
    async pass() {
      const command = start();
      let most = 0;
      const look = setInterval(() => {
        most = Math.max(most, memoryOf(command.child.pid ?? 0, 'VmHWM') ?? 0);
      }, LOOK_MS);
      await command.ended;
      clearInterval(look);
      peakBytes = most;
      const report = reportIn(command.printed());
      if (report !== null) return outcomeOf(report);
      return { ok: false, code: command.complained().trim() || 'nothing said', conflicts: 0 };
    },
    async crash(afterMs) {
      const command = start();
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      command.child.kill('SIGKILL');
      await command.ended;
    },
    peakBytes: () => peakBytes,
  };
  const { ok, code } = await side.pass();
  if (!ok) throw new Error(`the computer did not sync: ${code}`);
  return side;
}

type View = Readonly<Record<string, unknown>>;

/** Of the last pass that it has told of. */
function reportIn(printed: string): PassReport | null {
  const lines = printed.split('\n').filter((line) => line.startsWith('{'));
  const events = lines.map((line) => JSON.parse(line) as { kind: string; report?: PassReport });
  return events.filter(({ kind }) => kind === 'pass').at(-1)?.report ?? null;
}
