// kinto.js in the machine that the agent runs in: the same engine, byte cap and instruction
// counter, fed the records of the same synthetic account in the form in which Syncto serves them.
// Reports counts; what kinto.js does not do (cryptography, storage) is not charged to it.

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { createVm, type Vm } from '../../emulator/device/vm.ts';
import { VmKilled } from '../../emulator/device/vm-errors.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';

interface KintoRun {
  /** Null: the machine was killed, or the sync failed. */
  readonly records: number | null;
  readonly peakBytes: number;
  readonly instructions: number;
}

const PIECE_CHARS = 16_384;
/** No watchdog: kinto.js imports everything in one turn. */
const SLICE_OPS_MAX = Number.MAX_SAFE_INTEGER;

/** The program with its polyfills as one minified script that leaves `program.sync`. */
export async function buildKinto(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('kinto-device.js', import.meta.url))],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    globalName: 'program',
    target: 'es2020',
    mainFields: ['module', 'main'],
  });
  return outputFiles[0]?.text ?? '';
}

/** One sync of `records` records under a cap, pages of `pageRecords`. */
export async function runKinto(
  script: string,
  records: number,
  capBytes: number,
  pageRecords = 1_000,
): Promise<KintoRun> {
  const vm = await createVm({ capBytes, sliceOpsMax: SLICE_OPS_MAX });
  let done: number | null = null;
  try {
    provide(vm, serve(records, pageRecords));
    vm.release(vm.evaluate(script, 'kinto.js'));
    const finish = vm.hostFunction('done', (count, reason) => {
      if (count === -1) throw new Error(`kinto.js: ${reason}`);
      done = Number(count);
      return undefined;
    });
    vm.run(vm.evaluate('program.sync', 'bench.js'), [finish]);
  } catch (error) {
    if (!(error instanceof VmKilled && error.reason === 'memory')) throw error;
  }
  const { peakBytes, instructions } = vm.meter();
  vm.drop();
  return { records: done === records ? done : null, peakBytes, instructions };
}

interface Server {
  open(url: string): string;
  read(): string | null;
}

/** Answers as Syncto does: the collection's description, then pages of records. */
function serve(records: number, pageRecords: number): Server {
  const [user] = syntheticAccount({ records, seed: 1 }).store.users.values();
  const history = user?.collections.get('history');
  if (!history) throw new Error('the account has no history');
  const list = history.oldestFirst(history.modifiedMs);
  const page = (from: number): string => {
    const data = Array.from({ length: Math.min(pageRecords, records - from) }, (_, index) => {
      const { id, payload, sortindex, modifiedMs } = list.at(from + index);
      return { id, payload, sortindex, last_modified: modifiedMs };
    });
    return JSON.stringify({ data });
  };
  let body = '';
  let at = 0;
  return {
    open(url) {
      const { pathname, searchParams, origin } = new URL(url);
      const isList = pathname.endsWith('/records');
      const from = Number(searchParams.get('_token') ?? 0);
      body = isList ? page(from) : JSON.stringify({ data: { id: 'history' } });
      at = 0;
      const next = from + pageRecords;
      const more = isList && next < records;
      const headers = {
        etag: `"${history.modifiedMs}"`,
        ...(more ? { 'next-page': `${origin}${pathname}?_token=${next}` } : {}),
      };
      return JSON.stringify({ status: 200, headers });
    },
    read() {
      const piece = body.slice(at, at + PIECE_CHARS);
      at += PIECE_CHARS;
      return piece === '' ? null : piece;
    },
  };
}

/** Host functions as globals of the machine, where the polyfills look for them. */
function provide(vm: Vm, { open, read }: Server): void {
  const define = vm.evaluate('(name, value) => { globalThis[name] = value; }', 'bench.js');
  vm.run(define, ['open', vm.hostFunction('open', (url) => open(String(url)))]);
  vm.run(define, ['read', vm.hostFunction('read', () => read())]);
}
