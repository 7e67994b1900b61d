// `npm run test:mutations [-- SUITE...] [-- --rule TEXT]`: is there a rule of a suite that nothing
// turns red? Lines of the project are broken in a copy of it, one at a time, and the rule that has
// to notice must fail, by an assertion, on every implementation that it runs on. Exits with 1 if a
// rule survives, or a line that is to be broken is not there any more.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Mutation, Suite } from './suite.ts';
import { SUITES } from './suites.ts';
import { copiedTree, type Tree } from './tree.ts';
import { type Judged, judged, problemOf, survivorsOf, type Tried } from './verdict.ts';

const TYPES = ['--noEmit', '--noUnusedLocals', 'false', '--noUnusedParameters', 'false'];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rule: { type: 'string' } },
});
const begunMs = Date.now();
const trees = Array.from({ length: availableParallelism() }, copiedTree);
// Whoever breaks it off leaves nothing behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
let isGood = true;
for (const suite of SUITES) {
  const isWanted = positionals.length === 0 || positionals.includes(suite.name);
  if (isWanted) isGood = (await proved(suite)) && isGood;
}
process.exitCode = isGood ? 0 : 1;
console.log(`${Math.round((Date.now() - begunMs) / 1_000)} s`);

async function proved(suite: Suite): Promise<boolean> {
  const [tree] = trees;
  if (tree === undefined) throw new TypeError('no tree');
  const isWanted = (rule: string): boolean => rule.includes(values.rule ?? '');
  const rules = (await runOf(tree, suite, isWanted)).filter(({ rule }) => isWanted(rule));
  const red = rules.filter(({ outcome }) => outcome !== 'green');
  for (const { rule, on, why } of red)
    console.log(`RED WITHOUT A MUTATION ${rule} (${on}): ${why}`);
  const mutations = suite.mutations.filter(({ rule }) => isWanted(rule));
  const mistyped = await typesOf(tree, mutations);
  const tried: Tried[] = [];
  const queue = [...mutations];
  const work = async (own: Tree): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const mutation = next;
      const one = await triedOn(own, suite, mutation, mistyped.get(mutation));
      tried.push(one);
      const red = [`red on ${one.on.length}: ${one.on.join(', ')}`, ...one.ended];
      const where = one.problem ?? red.join('\n    ');
      console.log(`${one.problem === null ? 'caught' : 'NOT CAUGHT'} ${mutation.rule}
    ${mutation.file}: ${mutation.from.trim().split('\n')[0]}
    ${where}`);
    }
  };
  await Promise.all(trees.map(work));
  const survivors = survivorsOf(rules, tried);
  for (const survivor of survivors) console.log(`SURVIVES ${survivor}`);
  const names = new Set(rules.map(({ rule }) => rule));
  const held = [...names].filter((rule) => !survivors.some((one) => one.startsWith(`${rule}: `)));
  console.log(`${suite.name}: ${held.length} of ${names.size} rules: a broken line is caught`);
  return survivors.length === 0 && red.length === 0;
}

async function triedOn(
  tree: Tree,
  suite: Suite,
  mutation: Mutation,
  mistyped: string | undefined,
): Promise<Tried> {
  const { rule, beside = suite.beside } = mutation;
  try {
    if (mistyped !== undefined) throw new Error(mistyped);
    const isWanted = (name: string): boolean => name === rule || name === beside;
    const tests = await tree.broken([mutation], () => runOf(tree, suite, isWanted, [rule, beside]));
    const on = tests.flatMap((one) => (one.rule === rule && one.outcome === 'red' ? [one.on] : []));
    const broken = tests.filter((one) => one.rule === rule && one.outcome === 'broken');
    const ended = broken.map((one) => `${one.on} ends by ${one.why}`);
    return { mutation, on, ended, problem: problemOf(tests, rule, beside) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { mutation, on: [], ended: [], problem: error.message };
  }
}

/** Runs the suite's tests, or those of some rules. Errors: for files that do not load. */
async function runOf(
  tree: Tree,
  { files, under }: Suite,
  isWanted: (rule: string) => boolean,
  rules: readonly string[] = [],
): Promise<Judged[]> {
  const report = 'mutation-report.json';
  const names = rules.map((rule) => rule.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = names.length === 0 ? [] : ['-t', `^${under}.* (${names.join('|')})$`];
  const only = [...pattern, '--maxWorkers=1', '--reporter=json', `--outputFile=${report}`];
  tree.forget(report);
  const { output } = await tree.run('vitest/vitest.mjs', 'run', ...files, ...only);
  const text = tree.find(report);
  if (text === null) throw new Error(`no report: ${output.trim().slice(-1_000)}`);
  return judged(text, under).filter(({ rule }) => isWanted(rule));
}

/** Mutations that cannot be made, or with which the project does not type-check, and why. */
async function typesOf(
  tree: Tree,
  mutations: readonly Mutation[],
): Promise<ReadonlyMap<Mutation, string>> {
  const found = new Map<Mutation, string>();
  const rounds: Mutation[][] = [[]];
  const seen = new Map<string, Mutation>();
  for (const mutation of mutations) {
    await tree.broken([mutation], async () => undefined).catch(noted(found, mutation));
    const key = JSON.stringify([mutation.file, mutation.from, mutation.to]);
    if (!found.has(mutation) && !seen.has(key)) seen.set(key, mutation);
  }
  // Those that do not touch one another are looked at together.
  for (const mutation of seen.values()) {
    const isApart = ({ file, from }: Mutation): boolean =>
      file !== mutation.file || (!from.includes(mutation.from) && !mutation.from.includes(from));
    const round = rounds.find((one) => one.every(isApart));
    if (round === undefined) rounds.push([mutation]);
    else round.push(mutation);
  }
  const complaint = async (group: readonly Mutation[]): Promise<string | undefined> => {
    const check = () => tree.run('typescript/bin/tsc', ...TYPES);
    return tree.broken(group, check).then(
      ({ output }) => output.split('\n').find((line) => / error TS/.test(line)),
      ({ message }: Error) => message,
    );
  };
  for (const round of rounds) {
    if ((await complaint(round)) === undefined) continue;
    for (const one of round) {
      const why = await complaint([one]);
      if (why !== undefined) found.set(one, why);
    }
  }
  return found;
}

/** An Error's message is kept; anything else is thrown on. */
function noted(found: Map<Mutation, string>, mutation: Mutation): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof Error)) throw error;
    found.set(mutation, error.message);
  };
}
