// How the tests run: all folders, a file that needs it in a process of its own, and a
// last line that says how many passed and failed.

import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { posix } from 'node:path';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import type { Reporter, Vitest } from 'vitest/node';
import {
  type Checklist,
  checked,
  OWA_CHECKLIST,
  PICL_CHECKLIST,
} from './test/support/checklist.ts';

const tally: Reporter = {
  onTestRunEnd(modules) {
    const states = modules.flatMap((module) => {
      const tests = [...module.children.allTests()].map((test) => test.result().state);
      // A file that could not be loaded has no tests to fail.
      return tests.includes('failed') || module.ok() ? tests : [...tests, 'failed'];
    });
    const count = (wanted: string) => states.filter((state) => state === wanted).length;
    console.log(`${count('passed')} passed, ${count('failed')} failed`);
  },
};

/** Says how many numbered behaviours were seen to hold; a whole run fails where one was not. */
function checklist(list: Checklist): Reporter {
  let runner: Vitest | undefined;
  return {
    onInit(vitest) {
      runner = vitest;
    },
    async onTestRunEnd(modules) {
      const tests = modules.flatMap((module) =>
        [...module.children.allTests()].map((test) => ({
          file: module.relativeModuleId,
          suite: test.fullName.split(' > ')[0] ?? '',
          name: test.name,
          passed: test.result().state === 'passed',
        })),
      );
      const { lines, missing } = checked(list, tests);
      for (const line of lines) console.log(line);
      const files = (await runner?.globTestSpecifications()) ?? [];
      const isPart = runner?.config.testNamePattern !== undefined || files.length > modules.length;
      if (isPart || missing.length === 0) return;
      console.log(`not seen to hold:\n${missing.join('\n')}`);
      process.exitCode = 1;
    },
  };
}

/**
 * What changes its process, or a module for whoever comes next. All other files come one after the
 * other in the processes that are there, because each start loads all anew: a third of the time.
 */
const CHANGES = /\bvi\.(mock|spyOn|stub|hoisted|useFake)|\bprocess\.(chdir|env|on|exit)\b/;
const SHARE = 'test/sim/share.ts';
const ROOMS = ['agent', 'platform', 'crypto', 'test', 'firmware-bundle', 'emulator'];
const ALL = `{${ROOMS}}/**/*.test.ts`;

/**
 * What needs more than Node, or longer: `npm run test:NAME` runs a mode of its own. Its files that
 * are not below test/ are in `npm test`, too.
 */
const MODES: ReadonlyMap<string, string[]> = new Map([
  ['firefox', ['test/interop/**/*.test.ts']],
  ['hostile', ['test/hostile/**/*.test.ts']],
  ['package', ['test/package/**/*.test.ts']],
  // What the servers keep, in a PostgreSQL of the tests' own.
  ['servers', ['test/servers/**/*.test.ts']],
  // A real Kinto, on its memory and on PostgreSQL.
  ['kinto', ['test/kinto/**/*.test.ts']],
  // A storage with a history that can be verified: its proof, on all its storages.
  ['picl', ['test/picl/**/*.test.ts', '{agent/remotes,emulator/servers}/picl/*.test.ts']],
  // Open Web Apps sync: its numbered behaviours.
  [
    'owa',
    [
      'agent/{remotes/owa,installed}/*.test.ts',
      'agent/collections/installed-*.test.ts',
      'agent/remotes/inner-names.test.ts',
      'test/contract/owa-server.test.ts',
      'test/servers/owa-{sqlite,postgres}.test.ts',
    ],
  ],
  // A real Syncto, on a Python 3.6.
  ['syncto', ['test/syncto/real.test.ts']],
  // All cases of the simulations, of which `npm test` looks at a share.
  ['sim', ['test/sim/**/*.test.ts', ...filesInShares()]],
  // Every write at which a device can be cut that goes on from an old store.
  ['old-stores', ['test/sim/old-stores*.test.ts']],
]);
/** What starts what all files of a mode have together. */
const BEFORE_ALL: ReadonlyMap<string, string[]> = new Map([['kinto', ['test/kinto/shared.ts']]]);
/** What a mode's tests have to show, by number. */
const CHECKLISTS: ReadonlyMap<string, Checklist> = new Map([
  ['owa', OWA_CHECKLIST],
  ['picl', PICL_CHECKLIST],
]);
/** Each of their files has the machine for itself. */
const ONE_BY_ONE = ['firefox', 'kinto', 'package', 'picl', 'servers'];
/** Some files wait for processes and timers: others compute for them meanwhile. */
const WORKERS = availableParallelism() * 2;
/** Simulations compute all the time, and each has a limit. */
const SIM_WORKERS = availableParallelism();
/** These are in `npm test` too. */
const SHARED = ['owa', 'sim', 'old-stores'];

const FAST_CHECK = JSON.stringify(import.meta.resolve('fast-check'));
/**
 * Properties look at the same cases in every run: a change is told by what it changed, and never by
 * chance. `KITSYNC_CASES=N` has others.
 */
const sameCases = {
  name: 'same cases',
  enforce: 'pre',
  resolveId: (id: string) => (id === 'fast-check' ? '\0same cases' : null),
  load: (id: string) =>
    id === '\0same cases'
      ? `import fc from ${FAST_CHECK};
         fc.configureGlobal({ seed: ${Number(process.env.KITSYNC_CASES ?? 1)} });
         export * from ${FAST_CHECK};
         export { fc as default };`
      : null,
} as const;

export default defineConfig(({ mode }) => {
  const list = CHECKLISTS.get(mode);
  return {
    plugins: [sameCases],
    test: {
      env:
        mode === 'sim'
          ? { KITSYNC_SIM: process.env.KITSYNC_SIM ?? 'whole' }
          : mode === 'old-stores'
            ? { KITSYNC_SIM: 'all' }
            : {},
      pool: 'forks',
      reporters: ['default', tally, ...(list === undefined ? [] : [checklist(list)])],
      projects: projectsOf(mode),
    },
  };
});

function projectsOf(mode: string): TestProjectConfiguration[] {
  const own = MODES.get(mode);
  if (own !== undefined) {
    const maxWorkers = ONE_BY_ONE.includes(mode) ? 1 : SIM_WORKERS;
    const limits = { isolate: true, testTimeout: 300_000, maxWorkers };
    return [projectOf(mode, own, [], { ...limits, globalSetup: BEFORE_ALL.get(mode) ?? [] })];
  }
  const others = [...MODES].flatMap(([name, files]) =>
    SHARED.includes(name) ? [] : files.filter((file) => file.startsWith('test/')),
  );
  const alone = ROOMS.flatMap((room) => filesAlone(room));
  return [
    projectOf('alone', alone, others, { isolate: true }),
    projectOf('together', [ALL], [...others, ...alone], { isolate: false }),
  ];
}

/** All limits are said here: a project is read without the mode, and would have others. */
function projectOf(
  name: string,
  include: string[],
  exclude: string[],
  limits: { isolate: boolean; testTimeout?: number; maxWorkers?: number; globalSetup?: string[] },
) {
  const { testTimeout = 60_000, maxWorkers = WORKERS, ...rest } = limits;
  const test = { name, include, exclude, hookTimeout: 120_000, testTimeout, maxWorkers, ...rest };
  return { extends: true, test } as const;
}

/** Test files of a folder that do not leave everything as it was. */
function filesAlone(room: string): string[] {
  return textsOf(room).flatMap(([path, text]) =>
    path.endsWith('.test.ts') && CHANGES.test(text) ? [path] : [],
  );
}

/** Test files that do a share of their work in `npm test`, or whose suite does. */
function filesInShares(): string[] {
  const imports = new Map(
    ROOMS.flatMap(textsOf).map(([path, text]) => [path, importsOf(path, text)]),
  );
  const asksFor = (path: string): boolean => imports.get(path)?.includes(SHARE) ?? false;
  return [...imports].flatMap(([path, others]) =>
    isOfSim(path) && (asksFor(path) || others.some(asksFor)) ? [path] : [],
  );
}

/** Those before a real Kinto have a mode of their own, and go by its clock. */
function isOfSim(path: string): boolean {
  return path.endsWith('.test.ts') && !path.startsWith('test/kinto/');
}

function importsOf(path: string, text: string): string[] {
  const found = text.matchAll(/ from '(\.[^']*)'/g);
  return [...found].map(([, name = '']) => posix.join(posix.dirname(path), name));
}

/** All sources below a folder: path and text. */
function textsOf(room: string): [string, string][] {
  const folder = new URL(`${room}/`, import.meta.url);
  return readdirSync(folder, { recursive: true })
    .map((path) => String(path).replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts'))
    .map((path) => [`${room}/${path}`, readFileSync(new URL(path, folder), 'utf8')]);
}
