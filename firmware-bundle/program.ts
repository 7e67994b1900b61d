// The program as esbuild sees it, and how a run of its modules becomes one script.
// A script is a function of `registry`: it takes the names of earlier scripts from there and
// leaves there the names that later ones ask for. So a module is in exactly one script, and what
// it holds exists once. Nothing here writes a file.

import { relative } from 'node:path';
import {
  type ecmaVersion,
  type Identifier,
  type ImportDeclaration,
  type Literal,
  type Program,
  parse,
} from 'acorn';
import { type BuildOptions, type BuildResult, build, type Metafile, type Plugin } from 'esbuild';
import { freeNames } from './globals.ts';
import { declarationsOf, globalOf, hoisted } from './hoisted.ts';
import { withoutGlobals } from './packages.ts';
import { shrunk } from './shrink.ts';

/** Modules by path below the root, in the order in which the language evaluates them. */
type Modules = readonly string[];

/** Where the program begins (a module that exports `boot`), and what it holds. */
export interface FirmwareSource {
  readonly root: string;
  readonly entry: string;
  /** A module in place of platform/quickjs/contents.ts: see `contentsModule`. */
  readonly contents?: string;
}

/** What esbuild told: per module its imports, and its size in the output. */
export interface Graph {
  readonly root: string;
  readonly entry: string;
  /** Takes the place of platform/quickjs/contents.ts; null: that file itself. */
  readonly contents: string | null;
  /** Edition of ECMAScript of the scripts. */
  readonly syntax: number;
  readonly modules: Modules;
  readonly inputs: Metafile['inputs'];
}

export interface Script {
  readonly code: string;
  /** Names that it does not declare, the language's own among them. */
  readonly globals: readonly string[];
  readonly modules: Modules;
  /** Bytes of the output by module. */
  readonly bytesOf: ReadonlyMap<string, number>;
}

/** What scripts take from the registry: the name that a module exports, and its key there. */
export type Wanted = Map<string, { path: string; name: string; key: string }>;

/**
 * Reads the whole program from its entry, and makes it one script. Errors: esbuild's, one line
 * each; imports that go round in a circle; syntax newer than asked for.
 */
export async function readProgram(
  source: FirmwareSource,
  syntax: number,
): Promise<{ graph: Graph; whole: Script }> {
  const { root, entry } = source;
  const contents = source.contents ?? null;
  const built = await build({
    ...options(root, syntax),
    entryPoints: [entry],
    plugins: [inPlaceOfContents(contents), withoutGlobals],
  });
  const { inputs } = built.metafile;
  const modules = evaluationOrder(inputs, entry);
  return {
    graph: { root, entry, contents, syntax, inputs, modules },
    whole: asScript(built, modules, syntax, new Map()),
  };
}

/**
 * Cuts the evaluation order into runs of at most `bytesMax` (or one module): none needs a later
 * one.
 */
export function cut(
  modules: Modules,
  bytesOf: ReadonlyMap<string, number>,
  bytesMax: number,
): Modules[] {
  const runs: string[][] = [];
  let run: string[] = [];
  let bytes = 0;
  for (const module of modules) {
    const size = bytesOf.get(module) ?? 0;
    if (run.length > 0 && bytes + size > bytesMax) {
      runs.push(run);
      run = [];
      bytes = 0;
    }
    run.push(module);
    bytes += size;
  }
  return [...runs, run];
}

/**
 * One script of `modules`. `wanted` lists what scripts after this one take, and grows by what this
 * one takes: so scripts are made from the last to the first. The one that holds the entry returns
 * `boot`.
 */
export async function makePart(graph: Graph, modules: Modules, wanted: Wanted): Promise<Script> {
  const contents = entryOf(graph, modules, wanted);
  const built = await build({
    ...options(graph.root, graph.syntax),
    stdin: { contents, resolveDir: graph.root, sourcefile: 'part.mts' },
    plugins: [elsewhere(graph, modules), inPlaceOfContents(graph.contents), withoutGlobals],
  });
  return asScript(built, modules, graph.syntax, wanted);
}

/** Evaluates all modules, in their order, and exports what is wanted under its key. */
function entryOf({ entry }: Graph, modules: Modules, wanted: Wanted): string {
  const quoted = (path: string): string => JSON.stringify(`./${path}`);
  return [
    ...modules.map((path) => `import ${quoted(path)};`),
    ...[...wanted.values()]
      .filter(({ path }) => modules.includes(path))
      .map(({ path, name, key }) =>
        name === '*'
          ? `export * as ${key} from ${quoted(path)};`
          : `export { ${name} as ${key} } from ${quoted(path)};`,
      ),
    modules.includes(entry) ? `export { boot } from ${quoted(entry)};` : '',
  ].join('\n');
}

type Built = BuildResult<ReturnType<typeof options>>;

function options(root: string, syntax: number) {
  return {
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: 'esm',
    // No Node built-in resolves on this platform.
    platform: 'neutral',
    mainFields: ['main'],
    target: `es${syntax}`,
    legalComments: 'none',
    define: hoisted,
    outdir: '/',
    logLevel: 'silent',
  } as const satisfies BuildOptions;
}

function inPlaceOfContents(contents: string | null): Plugin {
  return {
    name: 'in place of contents',
    setup({ onLoad }) {
      if (contents === null) return;
      onLoad({ filter: /[\\/]platform[\\/]quickjs[\\/]contents\.ts$/ }, () => ({
        contents,
        loader: 'ts',
      }));
    },
  };
}

/** Imports of modules of other scripts stay imports, by module path. */
function elsewhere(graph: Graph, modules: Modules): Plugin {
  return {
    name: 'elsewhere',
    setup({ onResolve }) {
      onResolve({ filter: /.*/ }, ({ path, importer }) => {
        const from = graph.inputs[relative(graph.root, importer)];
        const to = from?.imports.find((one) => one.original === path)?.path;
        return to === undefined || modules.includes(to)
          ? undefined
          : { path: to, external: true, sideEffects: false };
      });
    },
  };
}

/** Depth first, imports in their order: what ECMAScript does with modules. */
function evaluationOrder(inputs: Metafile['inputs'], entry: string): Modules {
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const walk = (module: string, path: readonly string[]): void => {
    if (state.get(module) === 'open') {
      throw new Error(`imports go round in a circle: ${[...path, module].join(' -> ')}`);
    }
    if (state.has(module)) return;
    state.set(module, 'open');
    for (const one of inputs[module]?.imports ?? []) {
      if (one.kind === 'dynamic-import') throw new Error(`${module}: import() of ${one.path}`);
      if (!one.external) walk(one.path, [...path, module]);
    }
    state.set(module, 'done');
    order.push(module);
  };
  walk(entry, []);
  return order;
}

function asScript(built: Built, modules: Modules, syntax: number, wanted: Wanted): Script {
  const [file] = built.outputFiles;
  const [output] = Object.values(built.metafile.outputs);
  if (!file || !output) throw new Error('esbuild made no output');
  const program = parse(file.text, {
    ecmaVersion: syntax as ecmaVersion,
    sourceType: 'module',
  });
  const free = freeNames(program).map(({ name }) => name);
  return {
    code: shrunk(frame(file.text, program, wanted, declarationsOf(free)), syntax),
    globals: [...new Set(free.map(globalOf))],
    modules,
    bytesOf: new Map(modules.map((path) => [path, output.inputs[path]?.bytesInOutput ?? 0])),
  };
}

/** Frames esbuild's ES module as `(function (registry) { ... })`. */
function frame(code: string, program: Program, wanted: Wanted, taken: string[]): string {
  const body: string[] = [];
  const left: string[] = [];
  const take = (path: string, name: string): string => {
    const id = `${path} ${name}`;
    const entry = wanted.get(id) ?? { path, name, key: `n${wanted.size}` };
    wanted.set(id, entry);
    return `registry.${entry.key}`;
  };
  for (const node of program.body) {
    if (node.type === 'ImportDeclaration') {
      for (const one of node.specifiers) {
        taken.push(`${one.local.name}=${take(String(node.source.value), importedName(one))}`);
      }
    } else if (node.type === 'ExportNamedDeclaration' && !node.declaration) {
      for (const { local, exported } of node.specifiers) {
        const value = node.source ? take(String(node.source.value), nameOf(local)) : nameOf(local);
        const key = nameOf(exported);
        left.push(key === 'boot' ? `return ${value};` : `registry.${key}=${value};`);
      }
    } else {
      body.push(code.slice(node.start, node.end));
    }
  }
  const head = taken.length > 0 ? `var ${taken.join(',')};` : '';
  return `(function(registry){"use strict";${head}${body.join('')}\n${left.join('')}})\n`;
}

function importedName(one: ImportDeclaration['specifiers'][number]): string {
  if (one.type === 'ImportSpecifier') return nameOf(one.imported);
  return one.type === 'ImportNamespaceSpecifier' ? '*' : 'default';
}

function nameOf(node: Identifier | Literal): string {
  return node.type === 'Identifier' ? node.name : String(node.value);
}
